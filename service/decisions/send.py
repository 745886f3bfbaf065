"""A send: decisions for many customers at once. Everybody is scored first, then budgets and stock are shared out, then each decision is made.

lines → what each would take (nothing is written) → allotment → one decision a line, with what it was allotted → answers, in their order

The lines are gone through again for each step, so that memory does not grow with them. Between the steps others decide too: a pool never hands
out more than it has, so a line that was allotted the last token may still be decided without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from models.action_catalogue import Catalogue
from models.budgets import FULL, Pool
from models.errors import StoreUnavailable
from service.decisions import budgets
from service.decisions.allotment import Bid, Closed, allot
from service.decisions.decide import next_best_action
from service.decisions.decision import decide
from service.decisions.decision_log import DecisionTakenError, Log
from service.decisions.situation import Learnt, Request, situate
from service.store import Customer, Store

CHUNK = 200  # customers a round trip

Line = tuple[int, Request | dict[str, Any]]  # its number, and the request in it or what is wrong with it
TAKEN: dict[str, Any] = {"error": "mend decision_id: another customer or channel has it; give each decision its own"}


@dataclass(frozen=True)
class Send:
    """What a send is made of. `lines` goes through the requests, from the first, each time it is asked."""

    lines: Callable[[], Iterator[Line]]
    store: Store | None
    actions: Catalogue
    learnt: Callable[[str], Learnt]  # by language
    now: int
    new_id: Callable[[], str]
    keep: Log = field(default_factory=Log)
    tell: Callable[[Mapping[str, Any], str], object] = lambda *_: None  # (answer, channel), of each decision

    def answers(self) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """An answer for each line, in their order."""
        closed = self._allotted()
        for number, line in self.lines():
            yield number, line if isinstance(line, dict) else self._answer(line, closed.get(number, frozenset()))

    def _answer(self, request: Request, closed: frozenset[str]) -> Mapping[str, Any]:
        try:
            made = next_best_action(
                request,
                store=self.store,
                actions=self.actions,
                learnt=self.learnt(request.lang),
                now=self.now,
                new_id=self.new_id(),
                keep=self.keep,
                closed=closed,
            )
        except DecisionTakenError:
            return TAKEN
        self.tell(made, request.channel)
        return made

    def _allotted(self) -> Closed:
        """Which pools are closed for which line; none where nothing is scarce, or the store is away."""
        pools = self._pools()
        if not pools or self.store is None:
            return {}
        try:
            levels = self.store.levels(sorted(pools), now=self.now)
            room = {name: pool.cap - levels.get(name, FULL).used for name, pool in pools.items()}
            return allot(self._bids, {name: max(left, 0) for name, left in room.items()})
        except StoreUnavailable:
            return {}

    def _pools(self) -> dict[str, Pool]:
        paid = (one for one in self.actions.actions if one.budget is not None or one.stock is not None)
        return {pool.name: pool for one in paid for pool, _ in budgets.draws(one, self.actions, now=self.now)}

    def _bids(self, closed: Closed, lines: frozenset[int] | None) -> Iterator[tuple[int, list[Bid]]]:
        """What each of these lines would take, decided without a trace."""
        asked = (
            (number, line)
            for number, line in self.lines()
            if isinstance(line, Request) and (lines is None or number in lines)
        )
        while chunk := list(islice(asked, CHUNK)):
            found = self.store.customers([line.customer_id for _, line in chunk]) if self.store else []
            for (number, line), customer in zip(chunk, found, strict=True):
                yield number, self._wanted(line, customer, closed.get(number, frozenset()))

    def _wanted(self, request: Request, customer: Customer | None, closed: frozenset[str]) -> list[Bid]:
        learnt = self.learnt(request.lang)
        known = customer or Customer(request.customer_id)
        situation = situate(request, known, actions=self.actions, learnt=learnt, now=self.now)
        made = decide(request, situation._replace(closed=closed, allotted=True))
        return [
            Bid(pool.name, tokens, one.priority)
            for one in made.best
            for pool, tokens in budgets.draws(one.action, self.actions, now=self.now)
        ]
