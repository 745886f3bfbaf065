"""The reservation: a decision is made, stands in the customer's ledger, and is logged, in the same breath.

It compares and sets: where another decision was faster, this one is made again on what the ledger then says, so that a limit of two contacts is
two, whatever races. Tokens of budgets and stock are taken in the same transaction; where a pool refuses, the decision is made again without it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from service.decisions import budgets
from service.decisions import ledger as ledger_of
from service.decisions.decision import Decision
from service.decisions.ledger import DAY_S, Contact, Ledger
from service.decisions.situation import Situation
from service.store import Found, Paper, Settlement, Store

CONTACTS_KEPT_S = 400 * DAY_S


class Made(NamedTuple):
    """A decision, its answer, and what the log keeps of them."""

    decision: Decision
    answer: dict[str, Any]
    papers: tuple[Paper, ...]


Make = Callable[[Situation], Made]


def reserve(store: Store, situation: Situation, make: Make, *, whose: str, decision_id: str, found: Found) -> Made:
    """Decide, and write all of it in one transaction; silence leaves the ledger as it is. Each refusal of a pool leaves one pool less.

    whose, found  her name in the store, and what was read of her     Raises PaperTakenError where the decision_id has a decision already.
    """
    while True:
        made, refused = _try(store, situation, make, whose=whose, decision_id=decision_id, found=found)
        if not refused:
            return made
        situation = situation._replace(closed=situation.closed | set(refused))


def _try(
    store: Store, situation: Situation, make: Make, *, whose: str, decision_id: str, found: Found
) -> tuple[Made, list[str]]:
    """The decision as it was written, or which pools refused it."""

    def settled(ledger: Ledger) -> tuple[Made, Settlement]:
        made = make(_unmade(situation, ledger, decision_id))
        return made, _settlement(ledger, made, decision_id)

    known = None if found.customer is None else found.customer.ledger
    made, first = settled(situation.ledger)  # before the store's lock is taken

    def settle(document: bytes | None) -> Settlement:
        nonlocal made
        if document == known:
            return first
        made, again = settled(ledger_of.load(document))
        return again

    refused = store.settle(whose, settle, now=situation.now, found=found)
    return made, refused


def _unmade(situation: Situation, ledger: Ledger, decision_id: str) -> Situation:
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
    contact = Contact(
        decision_id=decision_id,
        channel=at.channel,
        at=at.now,
        until=None if at.way.outbound else at.now + at.way.valid_minutes * 60,
        counted=any(not one.action.serving for one in decision.best),
        actions=tuple(one.action.id for one in decision.best),
        groups=tuple(one.action.group for one in decision.best),
    )
    return contact._replace(drawn=budgets.drawn(contact, at.actions))
