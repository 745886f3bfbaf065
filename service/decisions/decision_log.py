"""The log of decisions: the record of each, and the answer of those that a caller gave an id, so that the same call gives the same answer.

Both are written in the transaction of the reservation (service.decisions.reservation): none of the three stands without the others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from service.decisions import record as record_of
from service.decisions.decision import Decision
from service.decisions.ledger import DAY_S
from service.decisions.situation import Request
from service.store import Paper, Store

DECISIONS_KEPT_S = 90 * DAY_S
ANSWER = "answer"  # the kind of the documents that make a decision_id idempotent


class DecisionTakenError(Exception):
    """A decision_id that another customer's or channel's decision has already."""


@dataclass(frozen=True)
class Log:
    """How long records of decisions are kept, and who notes that there is one (decision_id, its bytes, now)."""

    keep_s: int = DECISIONS_KEPT_S
    note: Callable[[str, bytes, int], None] = lambda *_: None


def papers(made: dict[str, Any], request: Request, decision: Decision, *, keep_s: int) -> tuple[Paper, ...]:
    """What is kept of a decision: its record, and under a caller's decision_id the whole answer before it."""
    decision_id, whose = made["decision_id"], request.customer_id
    asked = {"customer_id": whose, "length": request.length, "explain": request.explain, "lang": request.lang}
    record = record_of.written(decision.candidates, made, decision.choice.first, asked=asked)
    document = record_of.dump(record, actions=decision.seen.at.actions)
    own = Paper(record_of.KIND, decision_id, document, keep_s)
    if request.decision_id is None:
        return (own,)
    kept = orjson.dumps({"customer_id": whose, "channel": request.channel, "answer": made})
    return (Paper(ANSWER, decision_id, kept, keep_s), own)


def logged(store: Store, decision_id: str) -> dict[str, Any] | None:
    """The record of a decision; None where it is unknown, expired or erased."""
    document = store.get(record_of.KIND, decision_id)
    return None if document is None else record_of.load(document)


def repeated(store: Store, request: Request) -> dict[str, Any] | None:
    """The answer that the caller's decision_id has already; None where there is none.

    Raises DecisionTakenError where it is another customer's or channel's.
    """
    document = None if request.decision_id is None else store.get(ANSWER, request.decision_id)
    if document is None:
        return None
    kept = orjson.loads(document)
    if kept["channel"] != request.channel or not _same(store, kept["customer_id"], request.customer_id):
        raise DecisionTakenError(request.decision_id)
    made: dict[str, Any] = kept["answer"]
    return made


def _same(store: Store, one: str, other: str) -> bool:
    """Whether two names are of one customer."""
    if one == other:
        return True
    first, second = store.customers([one, other])
    return first is not None and second is not None and first.customer_id == second.customer_id
