"""What happened to the known customers, row by row, as the service would have been told it: purchases whole, refunds as events of their own,
the lines of an order that name one item as one line."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.settings import DAY_S
from models.vocabulary import Vocabulary
from training.history import EVENTS, PART, PURCHASE, History

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

REFUND = EVENTS.index("refund")
COLUMNS = ("customer", "item", "order", "at", "quantity", "amount", "event")


@dataclass(frozen=True)
class Rows:
    """Rows of known customers, sorted by customer and time. int64[rows] each; items in the order of their ids.

    order     -1 where it has no id      quantity  thousandths of a piece, not negative      event  code in EVENTS
    """

    customers: Vocabulary
    items: Vocabulary
    order_ids: NDArray[Any]
    customer: Ints
    item: Ints
    order: Ints
    at: Ints
    quantity: Ints
    amount: Ints
    event: Ints

    def __len__(self) -> int:
        return len(self.customer)

    @property
    def day(self) -> Ints:
        """UTC days since 1970."""
        return self.at // DAY_S

    def where(self, kept: Bools | Ints) -> Rows:
        """The rows that `kept` marks or numbers."""
        return replace(self, **{name: getattr(self, name)[kept] for name in COLUMNS})

    def between(self, first: int, last: int) -> Rows:
        """The rows from the first up to the last, which is left out."""
        return replace(self, **{name: getattr(self, name)[first:last] for name in COLUMNS})


class Groups:
    """Rows grouped by equal keys; `keys` are the distinct ones, sorted."""

    def __init__(self, *keys: Ints) -> None:
        self._by = np.lexsort(keys[::-1])
        ordered = [key[self._by] for key in keys]
        new = np.ones(len(self._by), dtype=np.bool_)
        if len(new):
            new[1:] = np.any([key[1:] != key[:-1] for key in ordered], axis=0)
        self._start = np.flatnonzero(new)
        self.keys: list[Ints] = [key[self._start] for key in ordered]

    def __len__(self) -> int:
        return len(self._start)

    def sum(self, values: Ints | Bools) -> Ints:
        """The sum of each group."""
        return self._reduce(np.add, values)

    def min(self, values: Ints) -> Ints:
        """The least of each group."""
        return self._reduce(np.minimum, values)

    def max(self, values: Ints) -> Ints:
        """The greatest of each group."""
        return self._reduce(np.maximum, values)

    def _reduce(self, ufunc: np.ufunc, values: Ints | Bools) -> Ints:
        if not len(self._start):
            return np.zeros(0, dtype=np.int64)
        return np.asarray(ufunc.reduceat(values[self._by].astype(np.int64), self._start))


def rows_of(history: History, *, now: int, returned: History | None = None) -> Rows:
    """The rows of known customers; without times, everything happened at `now`."""
    rows = _columns(history, now)
    if returned is not None and len(returned):
        rows = _added(rows, _columns(returned, now))
    rows = _one_line_an_item(rows)
    return rows.where(np.lexsort((rows.item, rows.order, rows.event, rows.at, rows.customer)))


def _columns(history: History, now: int) -> Rows:
    known = np.flatnonzero(history.customer >= 0)
    order = history.order[known].astype(np.int64)
    with_id = np.append(history.order_ids != "", np.False_)  # the place at the end answers for -1 and what is beyond
    order = np.where(with_id[np.where(order < len(history.order_ids), order, -1)], order, -1)
    return Rows(
        history.customers,
        history.items,
        history.order_ids,
        customer=history.customer[known].astype(np.int64),
        item=history.item[known].astype(np.int64),
        order=order,
        at=history.at[known] if history.has_times else np.full(len(known), now, dtype=np.int64),
        quantity=np.rint(np.abs(history.quantity[known].astype(np.float64)) * 1000).astype(np.int64),
        amount=history.amount[known],
        event=history.event[known].astype(np.int64),
    )


def _added(rows: Rows, more: Rows) -> Rows:
    """Both, in the numbers of the second, which knows all ids of the first; its items are put in the order of their ids."""
    columns: dict[str, Any] = {name: np.append(getattr(rows, name), getattr(more, name)) for name in COLUMNS}
    added = replace(more, **columns)
    if len(more.items) == len(rows.items):
        return added
    texts = more.items.texts(range(len(more.items)))
    by = np.argsort(np.array(texts, dtype=object), kind="stable")
    place = np.empty(len(by), dtype=np.int64)
    place[by] = np.arange(len(by))
    return replace(added, items=Vocabulary.of_sorted([texts[row] for row in by]), item=place[added.item])


def _one_line_an_item(rows: Rows) -> Rows:
    """Rows of one order (with an id) and item as one, parts of purchases put back into them; everything else as it is."""
    number = np.where((rows.order >= 0) & np.isin(rows.event, (PURCHASE, PART, REFUND)), -1, np.arange(len(rows)))
    part = rows.event == PART
    loose = part & (rows.order < 0)
    if loose.any():
        number = _whole(rows, number, loose)
    event = np.where(part, PURCHASE, rows.event)
    groups = Groups(rows.customer, rows.order, rows.item, event, number)
    if len(groups) == len(rows):
        return rows
    customer, order, item, event, _ = groups.keys
    sums: dict[str, Any] = {name: groups.sum(getattr(rows, name)) for name in ("quantity", "amount")}
    return replace(rows, customer=customer, order=order, item=item, event=event, at=groups.min(rows.at), **sums)


def _whole(rows: Rows, number: Ints, loose: Bools) -> Ints:
    """`number`, where a part of a purchase without an order bears the number of the purchase that it was taken of."""
    place = {
        (customer, item, at): row
        for row, customer, item, at in _keys(
            rows, (rows.event == PURCHASE) & np.isin(rows.customer, rows.customer[loose])
        )
    }
    number = number.copy()
    for row, *key in _keys(rows, loose):
        number[row] = place[key[0], key[1], key[2]]
    return number


def _keys(rows: Rows, kept: Bools) -> list[tuple[int, int, int, int]]:
    found = np.flatnonzero(kept)
    columns = (found, rows.customer[found], rows.item[found], rows.at[found])
    return list(zip(*(column.tolist() for column in columns), strict=True))
