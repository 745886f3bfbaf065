"""The next best action: for a customer, on a channel, now.

one read (the customer) → situation → decision (funnel → arbitration → choice) → answer → one transaction (her ledger, tokens, the log)

A catalogue with budgets or stock reads how they stand, which is a second read. With the store away nothing is made from ignorance: service
messages only, nothing is reserved or logged, and the answer says `degraded`.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from models.action_catalogue import Catalogue
from models.errors import StoreUnavailable
from service.decisions.answer import answer
from service.decisions.decision import decide
from service.decisions.decision_log import DecisionTakenError, Log, papers, repeated
from service.decisions.reservation import Made, reserve
from service.decisions.situation import Learnt, Request, Situation, ignorant, levels, situate
from service.store import Customer, PaperTakenError, Store


def next_best_action(
    request: Request,
    *,
    store: Store | None,
    actions: Catalogue,
    learnt: Learnt,
    now: int,
    new_id: str,
    keep: Log | None = None,
    closed: frozenset[str] | None = None,
) -> dict[str, Any]:
    """The answer of the contract. Raises DecisionTakenError for the decision_id of another customer or channel.

    closed  the pools that a send has shared out to others; None: this is no send, and the prices of pools are asked
    """
    decision_id, keep = request.decision_id or new_id, keep or Log()
    try:
        if store is None:
            raise StoreUnavailable("this service runs without a store")
        if not request.dry_run and (before := repeated(store, request)):
            return before
        customer = store.customer(request.customer_id) or Customer(request.customer_id)
        stand = levels(request, store, actions=actions, now=now)
        situation = situate(request, customer, actions=actions, learnt=learnt, now=now, levels=stand)
        if closed is not None:
            situation = replace(situation, closed=closed, allotted=True)
        if request.dry_run:
            return answer(decide(request, situation), request, learnt=learnt, decision_id=decision_id)
        made = partial(_made, request=request, learnt=learnt, decision_id=decision_id, keep_s=keep.keep_s)
        whose, known = request.customer_id, customer.ledger
        try:
            written = reserve(store, situation, made, whose=whose, decision_id=decision_id, known=known)
        except PaperTakenError:
            return _faster(store, request)
        keep.note(decision_id, written.papers[-1].document, now)
        return written.answer
    except StoreUnavailable:
        situation = ignorant(request, actions=actions, now=now)
        return answer(decide(request, situation), request, learnt=learnt, decision_id=decision_id)


def _made(situation: Situation, *, request: Request, learnt: Learnt, decision_id: str, keep_s: int) -> Made:
    decision = decide(request, situation)
    made = answer(decision, request, learnt=learnt, decision_id=decision_id)
    return Made(decision, made, papers(made, request, decision, keep_s=keep_s))


def _faster(store: Store, request: Request) -> dict[str, Any]:
    """The answer of a call with the same decision_id that was faster."""
    before = repeated(store, request)
    if before is None:  # it expired meanwhile
        raise DecisionTakenError(request.decision_id)
    return before
