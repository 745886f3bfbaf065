"""The days on which each customer bought: what tiers, lifetimes and repeat purchases are learnt from. A bulk order is one day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.settings import DAY_S
from training.history import PURCHASE, History


@dataclass(frozen=True)
class Days:
    """One row a (customer, UTC day) with a purchase, sorted by both.

    customer  int32[m]    day  int64[m]  since 1970    amount  int64[m]  spent that day, minor units    orders  int64[m]  that day
    start     int64[c]    first row of each customer who bought; `customer[start]` are those customers
    """

    customer: NDArray[np.int32]
    day: NDArray[np.int64]
    amount: NDArray[np.int64]
    orders: NDArray[np.int64]
    start: NDArray[np.int64]

    @property
    def end(self) -> NDArray[np.int64]:
        """int64[c]: the row after each customer's last one."""
        return np.append(self.start[1:], len(self.customer)).astype(np.int64)[: len(self.start)]

    def per_customer(self, values: NDArray[np.int64]) -> NDArray[np.int64]:
        """int64[c]: the sum of a column over each customer who bought."""
        return np.add.reduceat(values, self.start) if len(self.start) else np.zeros(0, np.int64)


def purchase_days(history: History, *, now: int) -> Days:
    """The purchase days of known customers; without times, everything happened today."""
    known = (history.event == PURCHASE) & (history.customer >= 0)
    day = (history.at[known] if history.has_times else np.full(int(known.sum()), now)) // DAY_S
    customer, order, amount = history.customer[known], history.order[known].astype(np.int64), history.amount[known]
    by = np.lexsort((order, day, customer))
    customer, day, order, amount = customer[by], day[by].astype(np.int64), order[by], amount[by]
    new_day = _changes(customer, day)
    new_order = new_day | _changes(order)
    first = np.flatnonzero(new_day)
    return Days(
        customer=customer[first],
        day=day[first],
        amount=np.add.reduceat(amount, first) if len(first) else amount,
        orders=np.add.reduceat(new_order.astype(np.int64), first) if len(first) else order,
        start=np.flatnonzero(_changes(customer[first])),
    )


def _changes(*columns: NDArray[np.int32] | NDArray[np.int64]) -> NDArray[np.bool_]:
    """bool[m]: where a row differs from the one before it in any column; the first row does."""
    changed = np.ones(len(columns[0]), dtype=np.bool_)
    if len(changed):
        changed[1:] = np.any([column[1:] != column[:-1] for column in columns], axis=0)
    return changed
