"""The next best action: for a customer, on a channel, now.

one read (the customer) → situation → decision (funnel → arbitration → choice) → one reservation in her ledger → log → answer

A catalogue with budgets or stock reads how they stand, which is a second read. With the store away nothing is made from ignorance: service
messages only, nothing is reserved or logged, and the answer says `degraded`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from models.action_catalogue import Catalogue
from models.errors import StoreUnavailable
from service.decisions.answer import answer
from service.decisions.decision import decide
from service.decisions.decision_log import Log, log, repeated
from service.decisions.reservation import reserve
from service.decisions.situation import Learnt, Request, ignorant, situate, with_levels
from service.store import Customer, Store


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
        situation = situate(request, customer, actions=actions, learnt=learnt, now=now)
        situation = with_levels(situation, store)
        situation = replace(situation, closed=closed or frozenset(), allotted=closed is not None)
        if request.dry_run:
            return answer(decide(request, situation), request, learnt=learnt, decision_id=decision_id)
        decision = reserve(store, request, situation, decision_id=decision_id, known=customer.ledger)
        made = answer(decision, request, learnt=learnt, decision_id=decision_id)
        return log(store, made, request, decision, keep=keep)
    except StoreUnavailable:
        situation = ignorant(request, actions=actions, now=now)
        return answer(decide(request, situation), request, learnt=learnt, decision_id=decision_id)
