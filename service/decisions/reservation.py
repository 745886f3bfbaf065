"""The reservation: a decision is made and stands in the customer's ledger in the same breath.

It compares and sets: where another decision was faster, this one is made again on what the ledger then says, so that a limit of two contacts is
two, whatever races. Tokens of budgets and stock are taken in the same transaction; where a pool refuses, the decision is made again without it.
"""

from __future__ import annotations

from dataclasses import replace

from service.decisions import budgets
from service.decisions import ledger as ledger_of
from service.decisions.decision import Decision, decide
from service.decisions.ledger import DAY_S, Contact, Ledger
from service.decisions.situation import Request, Situation
from service.store import Settlement, Store

CONTACTS_KEPT_S = 400 * DAY_S


def reserve(store: Store, request: Request, situation: Situation, *, decision_id: str, known: bytes | None) -> Decision:
    """Decide, and put the contact into the ledger in the same breath; silence writes nothing. Each refusal of a pool leaves one pool less."""
    while True:
        decision, refused = _try(store, request, situation, decision_id=decision_id, known=known)
        if not refused:
            return decision
        situation = replace(situation, closed=situation.closed | set(refused))


def _try(
    store: Store, request: Request, situation: Situation, *, decision_id: str, known: bytes | None
) -> tuple[Decision, list[str]]:
    """The decision as it stands in the ledger, or which pools refused it."""
    decision = decide(request, _unmade(situation, situation.ledger, decision_id))
    if not decision.speaks:
        return decision, []

    def settle(document: bytes | None) -> Settlement | None:
        nonlocal decision
        before = ledger_of.load(document)
        if document != known:
            decision = decide(request, _unmade(situation, before, decision_id))
        if not decision.speaks:
            return None
        return _settlement(before.without(decision_id), decision, decision_id, replaced=before.find(decision_id))

    refused = store.settle(request.customer_id, settle, now=situation.now)
    return decision, refused


def _unmade(situation: Situation, ledger: Ledger, decision_id: str) -> Situation:
    """The situation on this ledger as if the decision had not been made, so that two calls with one id that race decide the same."""
    made = ledger.find(decision_id)
    if made is None:
        return replace(situation, ledger=ledger)
    levels = dict(situation.levels)
    for pool, tokens in (pair for drawn in made.drawn.values() for pair in drawn.items()):
        if pool in levels:
            levels[pool] = replace(levels[pool], used=max(levels[pool].used - tokens, 0))
    return replace(situation, ledger=ledger.without(decision_id), levels=levels)


def _settlement(ledger: Ledger, decision: Decision, decision_id: str, *, replaced: Contact | None) -> Settlement:
    """The ledger with the contact, and the tokens that go with it."""
    contact = _contact(decision, decision_id)
    at = decision.seen.at
    bids = {one.action.id: budgets.NO_PACING if at.allotted else one.priority for one in decision.best}
    moves = (*budgets.returns(replaced), *budgets.takes(contact, bids, at.actions))
    return Settlement(ledger_of.dump(ledger_of.reserve(ledger, contact, keep_s=CONTACTS_KEPT_S)), moves)


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
    return replace(contact, drawn=budgets.drawn(contact, at.actions))
