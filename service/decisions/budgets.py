"""What decisions draw on: which pools an action is paid of, what a decision takes of them, and what comes back when it was not shown or sent.

Tokens move in the transaction of the ledger (store.settle), so a pool is never overdrawn, and never keeps what no contact stands for.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from models.action_catalogue import Catalogue, Set, numbers, union
from models.actions import Action
from models.budgets import (
    DAY_S,
    FULL,
    USUAL,
    Drawing,
    Draws,
    Level,
    Period,
    Pool,
    Pools,
    of_budget,
    of_stock,
    price,
    tokens,
)
from models.propensity import Floats
from service.decisions.ledger import SEEN, Contact, Ledger
from service.store import Move

NO_PACING = 1e300  # a bid that no price is above
Levels = Mapping[str, Level]


def draws(action: Action, actions: Catalogue, *, now: int) -> Draws:
    """The pools that a contact with this action draws on, and how many tokens of each; found once a period."""
    found = actions.index.draws.get(action.id)
    if found is None or not found.since <= now < found.until:
        found = actions.index.draws[action.id] = _draws(action, actions, now)
    return found.pools


def _draws(action: Action, actions: Catalogue, now: int) -> Period:
    found = [] if action.stock is None else [(of_stock(action, pacing=actions.policy.pacing), 1)]
    if action.budget is None:
        return Period(-math.inf, math.inf, found)
    budget = next(one for one in actions.budgets if one.name == action.budget)
    pool = of_budget(budget, worth=_worth(actions, budget.name), now=now)
    return Period(pool.ends - round(budget.days * DAY_S), pool.ends, [*found, (pool, _spend(action))])


def pools(actions: Catalogue, chosen: Iterable[Action], *, now: int) -> list[str]:
    """The names of all pools that these actions draw on."""
    return sorted({pool.name for action in chosen for pool, _ in draws(action, actions, now=now)})


def pools_of(channel: str, actions: Catalogue, *, now: int) -> Pools:
    """All pools that actions of a channel draw on; found once a period."""
    index = actions.index
    found = index.pools.get(channel)
    if found is None or not found.since <= now < found.until:
        found = index.pools[channel] = _pools(numbers(index.paid & index.channels.get(channel, 0)), actions, now)
    return found


def _pools(paid: Iterable[int], actions: Catalogue, now: int) -> Pools:
    index = actions.index
    drawn: dict[str, tuple[Pool, list[tuple[int, int]]]] = {}
    periods = []
    for number in paid:
        for pool, taken in draws(index.actions[number], actions, now=now):
            drawn.setdefault(pool.name, (pool, []))[1].append((number, taken))
        periods.append(index.draws[index.actions[number].id])
    return Pools(
        max((period.since for period in periods), default=-math.inf),
        min((period.until for period in periods), default=math.inf),
        {name: _drawing(*drawn[name]) for name in sorted(drawn)},
        [number for pool, own in drawn.values() for number, taken in own if taken > pool.cap],
    )


def _drawing(pool: Pool, own: Sequence[tuple[int, int]]) -> Drawing:
    numbers, taken = zip(*own, strict=True)
    return Drawing(pool, np.array(numbers, dtype=np.intp), np.array(taken, dtype=np.int64), max(taken))


def spent(channel: str, actions: Catalogue, levels: Levels, *, closed: frozenset[str], now: int) -> Set:
    """The actions of which a pool has too little left for one more contact, or is closed."""
    pools = pools_of(channel, actions, now=now)
    stopped = list(pools.never)
    for name in closed & pools.drawn.keys():
        stopped += pools.drawn[name].numbers.tolist()
    for level, (pool, those, taken, most) in _touched(pools, levels):
        if level.used + most > pool.cap:
            stopped += those[level.used + taken > pool.cap].tolist()
    return union(1 << number for number in stopped)


def least(channel: str, actions: Catalogue, levels: Levels, *, now: int) -> Floats | None:
    """float64[actions]: the priority that pools of this channel ask for a contact, their price; 0 where none does, None where no pool does."""
    touched = _touched(pools_of(channel, actions, now=now), levels)
    prices = [(each, drawing) for level, drawing in touched if (each := price(drawing.pool, level, now=now))]
    if not prices:
        return None
    asked = np.zeros(len(actions.actions))
    for each, (_, rows, taken, _) in prices:
        asked[rows] = np.maximum(asked[rows], taken * each)
    return asked


def _touched(pools: Pools, levels: Levels) -> Iterator[tuple[Level, Drawing]]:
    """How pools stand of which something was drawn, each with who draws on it."""
    return (
        (level, pools.drawn[name])
        for name, level in levels.items()
        if (level.used or level.price) and name in pools.drawn
    )


def shadow_price(action: Action, actions: Catalogue, levels: Levels, *, now: int) -> float:
    """What the tokens of a contact cost, in the unit of priorities: below it, it is not admitted."""
    own = draws(action, actions, now=now)
    return max((taken * price(pool, levels.get(pool.name, FULL), now=now) for pool, taken in own), default=0.0)


def takes(contact: Contact, bids: Mapping[str, float], actions: Catalogue) -> Iterator[Move]:
    """The moves that a new contact needs; `bids` are the priorities of its actions."""
    for action_id in contact.actions:
        for pool, taken in draws(actions.by_id[action_id], actions, now=contact.at):
            yield Move("take", pool, _holder(contact, action_id), taken, bids[action_id], contact.until)


def returns(contact: Contact | None) -> Iterator[Move]:
    """The moves that undo a contact whose decision is made again."""
    if contact is None:
        return
    for action_id, own in contact.drawn.items():
        for pool, taken in own.items():
            yield Move("back", Pool(pool, 0), _holder(contact, action_id), taken, held=_may_lapse(contact, action_id))


def moves(before: Ledger, decision_id: str, action_id: str, outcome: str) -> Iterator[Move]:
    """The moves that an outcome brings: what was shown is kept, what was not sent comes back, once."""
    contact = before.find(decision_id)
    if contact is None or "not_sent" in contact.outcomes.get(action_id, {}):
        return
    lapsing = _may_lapse(contact, action_id)
    for pool, taken in contact.drawn.get(action_id, {}).items():
        if outcome == "not_sent":
            yield Move("back", Pool(pool, 0), _holder(contact, action_id), taken, held=lapsing)
        elif outcome in SEEN and lapsing:
            yield Move("keep", Pool(pool, 0), _holder(contact, action_id), taken)


def drawn(chosen: Iterable[str], actions: Catalogue, *, now: int) -> dict[str, dict[str, int]]:
    """What a contact with these actions takes, as its ledger remembers it."""
    own = {name: draws(actions.by_id[name], actions, now=now) for name in chosen}
    return {name: {pool.name: taken for pool, taken in pools} for name, pools in own.items() if pools}


def _may_lapse(contact: Contact, action_id: str) -> bool:
    """Whether its tokens come back by themselves: inbound, and not seen."""
    return contact.until is not None and not SEEN & contact.outcomes.get(action_id, {}).keys()


def _holder(contact: Contact, action_id: str) -> str:
    return f"{contact.decision_id}/{action_id}"


def _spend(action: Action) -> int:
    return tokens(action.cost if action.spend is None else action.spend)


def _worth(actions: Catalogue, budget: str) -> float:
    """Of a token, as far as the catalogue tells: the mean of value · propensity over the actions that are paid of it."""
    paid = [action for action in actions.actions if action.budget == budget]
    return sum(action.value * (action.propensity or USUAL) / _spend(action) for action in paid) / max(len(paid), 1)
