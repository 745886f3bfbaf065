"""Who bought what: one row a (customer, item), as a profile keeps it (models.profile.interactions)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.settings import DAY_S
from training.history import History


@dataclass(frozen=True)
class Pairs:
    """Sorted by (customer, item).

    customer  int32[p]    item      int32[p]    purchases  int32[p]  lines
    first_at  int64[p]    last_at   int64[p]    days       int32[p]  distinct UTC days
    gap_item  int32[g]    gap_days  int64[g]    each interval between two of those days, at least 1
    """

    customer: NDArray[np.int32]
    item: NDArray[np.int32]
    purchases: NDArray[np.int32]
    days: NDArray[np.int32]
    first_at: NDArray[np.int64]
    last_at: NDArray[np.int64]
    gap_item: NDArray[np.int32]
    gap_days: NDArray[np.int64]


def bought_pairs(history: History) -> Pairs:
    """The purchases of known customers, by pair; the history must have times."""
    bought = history.purchases
    bought = bought.where(bought.customer >= 0)
    by = np.lexsort((bought.at, bought.item, bought.customer))
    customer, item, at = bought.customer[by], bought.item[by], bought.at[by]
    day = at // DAY_S
    new_pair = np.ones(len(by), dtype=np.bool_)
    new_pair[1:] = (customer[1:] != customer[:-1]) | (item[1:] != item[:-1])
    new_day = new_pair.copy()
    new_day[1:] |= day[1:] != day[:-1]
    first = np.flatnonzero(new_pair)
    end = np.append(first[1:], len(by)).astype(np.int64)[: len(first)]
    later_day = np.flatnonzero(new_day & ~new_pair)
    return Pairs(
        customer=customer[first],
        item=item[first],
        purchases=(end - first).astype(np.int32),
        days=np.add.reduceat(new_day, first, dtype=np.int32) if len(first) else np.zeros(0, np.int32),
        first_at=at[first],
        last_at=at[end - 1],
        gap_item=item[later_day],
        gap_days=day[later_day] - day[later_day - 1],
    )
