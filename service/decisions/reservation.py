"""The reservation: a decision is made, stands in the customer's ledger, and is logged, in the same breath.

It compares and sets: where another decision was faster, this one is made again on what the ledger then says, so that a limit of two contacts is
two, whatever races. Tokens of budgets and stock are taken in the same transaction; where a pool refuses, the decision is made again without it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from models.errors import StoreUnavailable
from service.decisions import budgets
from service.decisions import ledger as ledger_of
from service.decisions.decision import Decision
from service.decisions.ledger import DAY_S, Contact, Ledger
from service.decisions.situation import Situation
from service.store import Found, Paper, PaperTakenError, Settled, Settlement, Settling, Store

CONTACTS_KEPT_S = 400 * DAY_S


class Made(NamedTuple):
    """A decision, its answer, and what the log keeps of them."""

    decision: Decision
    answer: dict[str, Any]
    papers: tuple[Paper, ...]


Make = Callable[[Situation], Made]
Reserved = Made | PaperTakenError | StoreUnavailable


class Case(NamedTuple):
    """A decision that is to be reserved.

    made, make    as it was made in this situation, and what makes it again in another one
    whose, found  her name in the store, and what was read of her
    """

    situation: Situation
    made: Made
    make: Make
    decision_id: str
    whose: str
    found: Found


def reserve(store: Store, cases: Sequence[Case], *, now: int) -> list[Reserved]:
    """The decisions as they are written, all in one transaction; silence leaves a ledger as it is. Each refusal of a pool leaves one pool less.

    PaperTakenError for a decision_id that has a decision already, StoreUnavailable for what could not be written beside others that are.
    """
    attempts = [_Attempt(case) for case in cases]
    settlings = [Settling(one.case.whose, one.settle, one.case.found) for one in attempts]
    came = store.settle_all(settlings, now=now)
    return [_reserved(store, *both, now=now) for both in zip(attempts, came, strict=True)]


def _reserved(store: Store, attempt: _Attempt, came: Settled, *, now: int) -> Reserved:
    if isinstance(came, Exception):
        return came
    if not came:
        return attempt.made
    case, at = attempt.case, attempt.case.situation
    fewer = at._replace(closed=at.closed | set(came))
    again = case._replace(situation=fewer, made=case.make(unmade(fewer, at.ledger, case.decision_id)))
    try:
        return reserve(store, [again], now=now)[0]
    except StoreUnavailable as error:
        return error


class _Attempt:
    """The settlement of a case, made before the store's lock is taken; `made`: the decision that it is of."""

    def __init__(self, case: Case) -> None:
        self.case, self.made = case, case.made
        self._known = None if case.found.customer is None else case.found.customer.ledger
        self._first = _settlement(case.situation.ledger, case.made, case.decision_id)

    def settle(self, document: bytes | None) -> Settlement:
        """On this ledger; the decision is made again where it is not the one that was read."""
        case = self.case
        self.made = case.made
        if document == self._known:
            return self._first
        ledger = ledger_of.load(document)
        self.made = case.make(unmade(case.situation, ledger, case.decision_id))
        return _settlement(ledger, self.made, case.decision_id)


def unmade(situation: Situation, ledger: Ledger, decision_id: str) -> Situation:
    """The situation on this ledger as if the decision had not been made, so that two calls with one id that race decide the same."""
    made = ledger.find(decision_id)
    if made is None:
        return situation if ledger is situation.ledger else situation._replace(ledger=ledger)
    levels = dict(situation.levels)
    for pool, tokens in (pair for drawn in made.drawn.values() for pair in drawn.items()):
        if pool in levels:
            levels[pool] = levels[pool]._replace(used=max(levels[pool].used - tokens, 0))
    return situation._replace(ledger=ledger.without(decision_id), levels=levels)


def _settlement(ledger: Ledger, made: Made, decision_id: str) -> Settlement:
    """The ledger with the contact, the tokens that go with it, and the log; the log alone where nothing is said."""
    decision = made.decision
    if not decision.speaks:
        return Settlement(None, papers=made.papers)
    contact = _contact(decision, decision_id)
    at = decision.seen.at
    bids = {one.action.id: budgets.NO_PACING if at.allotted else one.priority for one in decision.best}
    moves = (*budgets.returns(ledger.find(decision_id)), *budgets.takes(contact, bids, at.actions))
    document = ledger_of.dump(ledger_of.reserve(ledger, contact, keep_s=CONTACTS_KEPT_S))
    return Settlement(document, moves, papers=made.papers)


def _contact(decision: Decision, decision_id: str) -> Contact:
    at = decision.seen.at
    names = tuple(one.action.id for one in decision.best)
    return Contact(
        decision_id=decision_id,
        channel=at.channel,
        at=at.now,
        until=None if at.way.outbound else at.now + at.way.valid_minutes * 60,
        counted=any(not one.action.serving for one in decision.best),
        actions=names,
        groups=tuple(one.action.group for one in decision.best),
        drawn=budgets.drawn(names, at.actions, now=at.now),
    )
