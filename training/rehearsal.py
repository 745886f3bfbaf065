"""A rehearsal: what a catalogue of actions would say to many customers at one moment, decided as a send decides it, and told to nobody.

customers, some hundred a read → what each would be given → budgets and stock to the highest priorities → who was turned away, again

Nothing is reserved, logged or counted: the store is only read. Of a sample, the pools hold as large a part of what is left in them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from models import thompson
from models.action_catalogue import Catalogue
from models.budgets import DAY_S, FULL
from service.decisions import budgets
from service.decisions.allotment import Bid, Closed, allot
from service.decisions.decision import Decision, decide
from service.decisions.situation import Learnt, Request, situate, tier
from service.store import Customer, Store

NOTHING: Mapping[str, int] = {}
CHUNK = 400  # customers a round trip to the store


@dataclass(frozen=True)
class Ground:
    """What every rehearsal of a comparison stands on.

    ids    whom, in the order of their ids       share  which part of everybody they are, 0-1
    asked  what is asked for each of them: channel, placement, how many; of whom is filled in
    """

    store: Store
    ids: Sequence[str]
    asked: Request
    learnt: Learnt
    now: int
    share: float = 1.0


class Said(NamedTuple):
    """One action that a customer would get, and what it is expected to bring."""

    action_id: str
    propensity: float
    cost: float
    priority: float


class Play(NamedTuple):
    """What one customer would get; `stopped`: where that is nothing, the stage that the action which came furthest failed at.

    drawn  the tokens that she would draw, by pool        away  the pools that would be too little for her
    """

    tier: str
    said: tuple[Said, ...]
    stopped: str | None
    dropped: Mapping[str, int]
    drawn: Mapping[str, int] = NOTHING
    away: frozenset[str] = frozenset()


class Drawn(NamedTuple):
    """A pool: its tokens, and how many were gone before."""

    cap: int
    before: int


@dataclass(frozen=True)
class Rehearsed:
    """What came of it, a play for each customer, and the pools they draw from."""

    plays: tuple[Play, ...]
    pools: Mapping[str, Drawn]


def rehearse(actions: Catalogue, ground: Ground, say: Callable[[str], None] = lambda _: None) -> Rehearsed:
    """Decide for everybody on this ground. Raises StoreUnavailable."""
    acting = _Acting(actions, ground, say)
    paid = (one for one in actions.actions if one.budget is not None or one.stock is not None)
    pools = {pool.name: pool for one in paid for pool, _ in budgets.draws(one, actions, now=ground.now)}
    levels = ground.store.levels(sorted(pools), now=ground.now)
    gone = {name: levels.get(name, FULL).used for name in pools}
    room = {name: round(max(pool.cap - gone[name], 0) * ground.share) for name, pool in pools.items()}
    closed = allot(acting.bids, room)
    plays = (
        acting.plays[number]._replace(drawn=_tokens(acting.drawn[number]), away=frozenset(closed.get(number, ())))
        for number in range(len(ground.ids))
    )
    return Rehearsed(tuple(plays), {name: Drawn(pool.cap, gone[name]) for name, pool in pools.items()})


def _tokens(bids: Sequence[Bid]) -> Counter[str]:
    """What is drawn of each pool."""
    drawn: Counter[str] = Counter()
    for bid in bids:
        drawn[bid.pool] += bid.tokens
    return drawn


@dataclass
class _Acting:
    """Everybody's last play; who is turned away plays again."""

    actions: Catalogue
    ground: Ground
    say: Callable[[str], None]
    plays: dict[int, Play] = field(default_factory=dict)
    drawn: dict[int, list[Bid]] = field(default_factory=dict)

    def bids(self, closed: Closed, lines: frozenset[int] | None) -> Iterator[tuple[int, list[Bid]]]:
        """What each of these customers, all without any named, would draw (see service.decisions.allotment)."""
        ids = self.ground.ids
        wanted = list(range(len(ids)) if lines is None else sorted(lines))
        for start in range(0, len(wanted), CHUNK):
            numbers = wanted[start : start + CHUNK]
            self.say(f"deciding with {self.actions.version}: {start:,} of {len(wanted):,} customers")
            found = self.ground.store.customers([ids[number] for number in numbers])
            for number, customer in zip(numbers, found, strict=True):
                self.drawn[number] = self._act(
                    number, customer or Customer(ids[number]), closed.get(number, frozenset())
                )
                yield number, self.drawn[number]

    def _act(self, number: int, customer: Customer, closed: frozenset[str]) -> list[Bid]:
        ground, actions = self.ground, self.actions
        # Whatever the catalogue: two are tried with the same luck
        seed = thompson.seed(customer.customer_id, ground.now // DAY_S)
        request = ground.asked._replace(customer_id=customer.customer_id, seed=seed)
        situation = situate(request, customer, actions=actions, learnt=ground.learnt, now=ground.now)
        made = decide(request, situation._replace(closed=closed, allotted=True))
        self.plays[number] = _play(made)
        return [
            Bid(pool.name, tokens, one.priority)
            for one in made.best
            for pool, tokens in budgets.draws(one.action, actions, now=ground.now)
        ]


def _play(made: Decision) -> Play:
    said = [
        Said(one.action.id, one.factors.propensity, one.factors.cost, one.priority)
        for one in made.best
        if one.action.class_ != "silence"
    ]
    return Play(tier(made.seen.at.picture), tuple(said), made.no_action_reason(), made.dropped)
