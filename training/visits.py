"""Visits: what was dealt with in one go. A known customer's events until she pauses for half an hour; of an unknown one, her basket."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.history import EVENTS, PURCHASE, History

PAUSE_S = 30 * 60
CLICKS = tuple(EVENTS.index(name) for name in ("view_item", "add_to_cart", "add_to_wishlist"))


@dataclass(frozen=True)
class Visits:
    """One row a (visit, item), sorted by visit and the time the item came up; visits are numbered by when they began.

    visit  int32[rows]    item  int32[rows]    at  int64[rows]  seconds since 1970, when it first came up
    clicked  bool[visits]  whether anything but purchases was seen of it, so that the order of its items means something
    """

    visit: NDArray[np.int32]
    item: NDArray[np.int32]
    at: NDArray[np.int64]
    clicked: NDArray[np.bool_]
    items: int

    def __len__(self) -> int:
        return len(self.clicked)


def visits(history: History) -> Visits:
    """The visits of a history; without times, or of unknown customers, its baskets."""
    dealt = history.where(np.isin(history.event, (PURCHASE, *CLICKS)))
    dealt = dealt.where((dealt.customer >= 0) & dealt.has_times | (dealt.order >= 0))
    visit = _numbered(dealt)
    by = np.lexsort((dealt.item, dealt.at, visit))
    visit, item, at = visit[by], dealt.item[by], dealt.at[by]
    first = np.sort(np.unique(visit * np.int64(len(history.items)) + item, return_index=True)[1])
    clicked = np.zeros(int(visit.max(initial=-1)) + 1, dtype=np.bool_)
    clicked[visit[dealt.event[by] != PURCHASE]] = True
    return Visits(visit[first].astype(np.int32), item[first], at[first], clicked, len(history.items))


def _numbered(dealt: History) -> NDArray[np.int64]:
    """int64[rows]: the number of each row's visit, by when it began."""
    known = (dealt.customer >= 0) & dealt.has_times
    whose = np.where(known, dealt.customer.astype(np.int64), -1 - dealt.order.astype(np.int64))
    by = np.lexsort((dealt.at, whose))
    new = np.ones(len(by), dtype=np.bool_)
    new[1:] = (whose[by][1:] != whose[by][:-1]) | (known[by][1:] & (np.diff(dealt.at[by]) > PAUSE_S))
    number = np.empty(len(by), dtype=np.int64)
    number[by] = np.cumsum(new) - 1
    began = dealt.at[by[new]]
    rank = np.empty(len(began), dtype=np.int64)
    rank[np.argsort(began, kind="stable")] = np.arange(len(began))
    return rank[number]
