"""The next best action: for customers, each on a channel, now. Those who are asked about at the same time are decided side by side.

one read (customers, budgets and stock) → situations → decisions (funnel → arbitration → choice) → answers
→ one transaction (their ledgers, tokens, the log)

With the store away nothing is made from ignorance: service messages only, nothing is reserved or logged, and the answer says `degraded`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

from models.action_catalogue import Catalogue
from models.errors import StoreUnavailable
from service.decisions.answer import answer
from service.decisions.budgets import pools_of
from service.decisions.decision import Decision, decide, decide_all
from service.decisions.decision_log import DecisionTakenError, Log, papers, repeated
from service.decisions.person import read
from service.decisions.reservation import Case, Made, Reserved, reserve, unmade
from service.decisions.situation import Learnt, Request, Situation, ignorant, situate
from service.store import Customer, Found, PaperTakenError, Store

Answer = dict[str, Any]
Came = Answer | DecisionTakenError


class Asked(NamedTuple):
    """A request, what is learnt of those who read its language, and the id of its decision where the caller gives none."""

    request: Request
    learnt: Learnt
    new_id: str

    @property
    def decision_id(self) -> str:
        """The caller's, else the new one."""
        return self.request.decision_id or self.new_id


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
) -> Answer:
    """The answer of the contract. Raises DecisionTakenError for the decision_id of another customer or channel.

    closed  the pools that a send has shared out to others; None: this is no send, and the prices of pools are asked
    """
    asked = Asked(request, learnt, new_id)
    [came] = next_best_actions([asked], store=store, actions=actions, now=now, keep=keep, closed=closed)
    if isinstance(came, DecisionTakenError):
        raise came
    return came


def next_best_actions(
    asked: Sequence[Asked],
    *,
    store: Store | None,
    actions: Catalogue,
    now: int,
    keep: Log | None = None,
    closed: frozenset[str] | None = None,
) -> list[Came]:
    """What comes of each, as `next_best_action` of it alone."""
    try:
        if store is None:
            raise StoreUnavailable("this service runs without a store")
        before = [None if one.request.dry_run else _before(store, one.request) for one in asked]
        fresh = [one for one, came in zip(asked, before, strict=True) if came is None]
        made = iter(_made_all(fresh, store, actions, now=now, keep=keep or Log(), closed=closed))
        return [next(made) if came is None else came for came in before]
    except StoreUnavailable:
        return [_ignorant(one, actions, now) for one in asked]


def _ignorant(asked: Asked, actions: Catalogue, now: int) -> Answer:
    """The answer while the store is away."""
    request, learnt, _ = asked
    decision = decide(request, ignorant(request, actions=actions, now=now))
    return answer(decision, request, learnt=learnt, decision_id=asked.decision_id)


def _made_all(
    asked: Sequence[Asked], store: Store, actions: Catalogue, *, now: int, keep: Log, closed: frozenset[str] | None
) -> list[Came]:
    if not asked:
        return []
    found = _found(asked, store, actions, now)
    situations = _situations(asked, found, actions, now, closed)
    clean = [_clean(one, at) for one, at in zip(asked, situations, strict=True)]
    decisions = decide_all([(one.request, at) for one, at in zip(asked, clean, strict=True)])
    made = [_made(one, decision, keep.keep_s) for one, decision in zip(asked, decisions, strict=True)]
    cases = [
        Case(at, first, partial(_again, one, keep.keep_s), one.decision_id, one.request.customer_id, hers)
        for one, at, first, hers in zip(asked, situations, made, found, strict=True)
        if not one.request.dry_run
    ]
    written = iter(reserve(store, cases, now=now))
    return [
        first.answer if one.request.dry_run else _told(next(written), one, store, actions, now, keep)
        for one, first in zip(asked, made, strict=True)
    ]


def _found(asked: Sequence[Asked], store: Store, actions: Catalogue, now: int) -> list[Found]:
    """Who they are, and how the pools stand that actions of their channels draw on."""
    channels = dict.fromkeys(one.request.channel for one in asked)
    pools = dict.fromkeys(name for channel in channels for name in pools_of(channel, actions, now=now).drawn)
    return store.customers_with([one.request.customer_id for one in asked], list(pools), now=now)


def _situations(
    asked: Sequence[Asked], found: Sequence[Found], actions: Catalogue, now: int, closed: frozenset[str] | None
) -> list[Situation]:
    known = [hers.customer or Customer(one.request.customer_id) for one, hers in zip(asked, found, strict=True)]
    people = [read(customer) for customer in known]
    levels = [
        {name: hers.levels[name] for name in pools_of(one.request.channel, actions, now=now).drawn}
        for one, hers in zip(asked, found, strict=True)
    ]
    situations = [
        situate(one.request, person, actions=actions, learnt=one.learnt, now=now, levels=stand)
        for one, person, stand in zip(asked, people, levels, strict=True)
    ]
    return situations if closed is None else [at._replace(closed=closed, allotted=True) for at in situations]


def _clean(asked: Asked, situation: Situation) -> Situation:
    return situation if asked.request.dry_run else unmade(situation, situation.ledger, asked.decision_id)


def _again(asked: Asked, keep_s: int, situation: Situation) -> Made:
    return _made(asked, decide(asked.request, situation), keep_s)


def _made(asked: Asked, decision: Decision, keep_s: int) -> Made:
    """A decision with its answer, and what is kept of both."""
    request, learnt, _ = asked
    made = answer(decision, request, learnt=learnt, decision_id=asked.decision_id)
    return Made(decision, made, () if request.dry_run else papers(made, request, decision, keep_s=keep_s))


def _told(written: Reserved, asked: Asked, store: Store, actions: Catalogue, now: int, keep: Log) -> Came:
    """The answer that stands: its own, or that of a call with the same decision_id that was faster."""
    try:
        if isinstance(written, StoreUnavailable):
            raise written
        if isinstance(written, PaperTakenError):
            return _before(store, asked.request) or DecisionTakenError(asked.decision_id)  # it expired meanwhile
    except StoreUnavailable:  # the others stand
        return _ignorant(asked, actions, now)
    keep.note(asked.decision_id, written.papers[-1].document, now)
    return written.answer


def _before(store: Store, request: Request) -> Came | None:
    """What came of a call with the same decision_id; None where there was none."""
    try:
        return repeated(store, request)
    except DecisionTakenError as taken:
        return taken
