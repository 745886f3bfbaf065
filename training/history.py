"""A history is what happened in the shop: one row an accepted event, in columns, sorted by time. No Python object per row."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.vocabulary import MISSING, Vocabulary

PURCHASE = 0
# The meaning of `event` codes
EVENTS = ("purchase", "add_to_cart", "add_to_wishlist", "view_item", "rating", "refund", "other")
PART = len(EVENTS)  # of a purchase in another row: what was taken back of it (see training.reading.returns)
NO_TIME = np.iinfo(np.int64).min
TEXT = np.dtypes.StringDType()


@dataclass(frozen=True)
class History:
    """Columns of equal length, sorted by (at, customer, order, item): the same rows always come in the same order.

    customers  the ids of customers            items  the ids of items
    customer   int32[rows]  row in `customers`, -1 where the buyer is unknown
    item       int32[rows]  row in `items`
    order      int32[rows]  basket number (dense, per order id; (customer, day) where there is none), -1 where neither is known
    at         int64[rows]  seconds since 1970 UTC; NO_TIME in all rows where the files have no times
    quantity   float32[rows]  pieces, after refunds are taken back; 1 where the files have none
    amount     int64[rows]  money of the whole line in minor units (cents, satang); 0 where the files have no prices
    event      int8[rows]   code in EVENTS
    order_ids  text[orders]  the id of each basket, "" where it has none; empty where no basket has one
    """

    customers: Vocabulary
    items: Vocabulary
    customer: NDArray[np.int32]
    item: NDArray[np.int32]
    order: NDArray[np.int32]
    at: NDArray[np.int64]
    quantity: NDArray[np.float32]
    amount: NDArray[np.int64]
    event: NDArray[np.int8]
    currency: str | None = None
    order_ids: NDArray[Any] = field(default_factory=lambda: np.zeros(0, dtype=TEXT))

    def __len__(self) -> int:
        return len(self.item)

    @property
    def has_times(self) -> bool:
        """Whether the rows say when (all do, or none does: rows without a time beside rows with one are refused)."""
        return len(self.at) > 0 and int(self.at[-1]) != NO_TIME

    @property
    def newest(self) -> int | None:
        """The time of the newest event, seconds since 1970; None without times."""
        return int(self.at[-1]) if self.has_times else None

    def where(self, kept: NDArray[np.bool_]) -> History:
        """The rows that `kept` marks; ids keep their numbers."""
        return replace(
            self,
            customer=self.customer[kept],
            item=self.item[kept],
            order=self.order[kept],
            at=self.at[kept],
            quantity=self.quantity[kept],
            amount=self.amount[kept],
            event=self.event[kept],
        )

    @property
    def purchases(self) -> History:
        """The purchases alone."""
        return self.where(self.event == PURCHASE)


def aligned(first: History, second: History) -> tuple[History, History]:
    """Two histories over the same customers and items: the ids of both, numbered anew."""
    customers = _union(first.customers, second.customers)
    items = _union(first.items, second.items)
    return _recoded(first, customers, items), _recoded(second, customers, items)


def _union(first: Vocabulary, second: Vocabulary) -> Vocabulary:
    return Vocabulary.of([*first.texts(range(len(first))), *second.texts(range(len(second)))])


def _recoded(history: History, customers: Vocabulary, items: Vocabulary) -> History:
    customer = np.append(customers.rows(history.customers.texts(range(len(history.customers)))), MISSING).astype(
        np.int32
    )
    item = items.rows(history.items.texts(range(len(history.items)))).astype(np.int32)
    return replace(
        history, customers=customers, items=items, customer=customer[history.customer], item=item[history.item]
    )
