"""The next best action: for a customer, on a channel, now.

one read (the customer, budgets and stock) → situation → decision (funnel → arbitration → choice) → answer
→ one transaction (her ledger, tokens, the log)

With the store away nothing is made from ignorance: service messages only, nothing is reserved or logged, and the answer says `degraded`.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from models.action_catalogue import Catalogue
from models.errors import StoreUnavailable
from service.decisions.answer import answer
from service.decisions.budgets import pools_of
from service.decisions.decision import decide
from service.decisions.decision_log import DecisionTakenError, Log, papers, repeated
from service.decisions.reservation import Made, reserve
from service.decisions.situation import Learnt, Request, Situation, ignorant, situate
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
        pools = list(pools_of(request.channel, actions, now=now).drawn)
        found = store.customer_with(request.customer_id, pools, now=now)
        known = found.customer or Customer(request.customer_id)
        situation = situate(request, known, actions=actions, learnt=learnt, now=now, levels=found.levels)
        if closed is not None:
            situation = situation._replace(closed=closed, allotted=True)
        if request.dry_run:
            return answer(decide(request, situation), request, learnt=learnt, decision_id=decision_id)
        made = partial(_made, request=request, learnt=learnt, decision_id=decision_id, keep_s=keep.keep_s)
        try:
            written = reserve(store, situation, made, whose=request.customer_id, decision_id=decision_id, found=found)
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
