"""Who was dealt into which arm of decisions, and what she bought since: the ground of what deciding is worth.

    dealt   a customer's first decision, whatever was said then; her arm is the one that it was made in
    bought  her purchases within WITHIN_DAYS after it, whatever they came from: so the difference of two arms is what the decisions did

Decisions and purchases are kept as columns, ids in them as in credit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.arms import ARMS, Arm
from service.credit import Rows
from service.decisions.ledger import DAY_S
from service.decisions.record import load
from service.store import Entry

WITHIN_DAYS = 28
DECISION = [("key", "i8"), ("customer", "i8"), ("at", "i8"), ("arm", "i1")]
PURCHASE = [("customer", "i8"), ("at", "i8"), ("order", "i8"), ("amount", "i8")]


@dataclass(frozen=True)
class Dealt:
    """The customers of one arm: when each was first decided for, her orders since, and what she spent in minor units; int64[customers] each."""

    at: NDArray[np.int64]
    orders: NDArray[np.int64]
    spent: NDArray[np.int64]


def decision_of(key: int, document: bytes) -> tuple[int, ...]:
    """The row of DECISION of a record."""
    record = load(document)
    return (key, hash(record["customer_id"]), record["now"], ARMS.index(record["arm"]))


def purchases_of(entries: Iterable[tuple[Entry, Mapping[str, Any]]]) -> Rows:
    """PURCHASE[] of some events, each with its body."""
    rows = [
        (hash(entry.customer_id), entry.at, hash(event.get("order_id") or str(entry.at)), event["amount"] or 0)
        for entry, event in entries
        if event["event"] == "purchase"
    ]
    return np.array(rows, PURCHASE)


def dealt(decisions: Rows, purchases: Sequence[Rows], names: Mapping[str, str]) -> dict[Arm, Dealt]:
    """Everybody who was dealt, by her arm; `names` as the store's: what a visitor did is of the customer whom she turned out to be."""
    first = _first(decisions, names)
    bought = np.concatenate(purchases or [np.empty(0, PURCHASE)])
    nth = np.minimum(np.searchsorted(first["customer"], bought["customer"]), max(len(first) - 1, 0))
    known = first["customer"][nth] == bought["customer"] if len(first) else np.zeros(len(bought), dtype=np.bool_)
    nth, bought = nth[known], bought[known]
    since = bought["at"] - first["at"][nth]
    counts = (since > 0) & (since <= WITHIN_DAYS * DAY_S)
    nth, bought = nth[counts], bought[counts]
    spent = np.zeros(len(first), dtype=np.int64)
    np.add.at(spent, nth, bought["amount"])
    orders = np.bincount(np.unique(np.stack([nth, bought["order"]]), axis=1)[0], minlength=len(first))
    stands = {arm: first["arm"] == number for number, arm in enumerate(ARMS)}
    return {arm: Dealt(first["at"][hers], orders[hers], spent[hers]) for arm, hers in stands.items()}


def _first(decisions: Rows, names: Mapping[str, str]) -> Rows:
    """The first decision of each customer, sorted by customer."""
    found = decisions.copy()
    others = np.array([(hash(name), hash(owner)) for name, owner in names.items()], dtype=np.int64).reshape(-1, 2)
    others = others[np.argsort(others[:, 0])]
    if len(others):
        nth = np.minimum(np.searchsorted(others[:, 0], found["customer"]), len(others) - 1)
        found["customer"] = np.where(others[nth, 0] == found["customer"], others[nth, 1], found["customer"])
    found.sort(order=("customer", "at", "arm"))
    return found[np.unique(found["customer"], return_index=True)[1]]
