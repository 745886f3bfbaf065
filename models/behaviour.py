"""What customers did, by day: what the purchase-intent score and the clusters are reckoned from, in training and in the service alike.

One `Behaviour` holds many customers; the service asks about one. Everything is as of a day: nothing in it happened later.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.profile import DAY_S, NEVER, Profile

Ints = NDArray[np.int64]
UNKNOWN = -1  # the code of a category or place that is not known


@dataclass(frozen=True)
class Days:
    """Something that happened on days: the rows of customer i are `bound[i]` to `bound[i + 1]`, their days ascending and distinct.

    day  int64[m]  UTC days since 1970      amount  int64[m]  how much      bound  int64[c + 1]
    """

    day: Ints
    amount: Ints
    bound: Ints

    @classmethod
    def of(cls, rows: Iterable[tuple[int, int]]) -> Days:
        """The days of one customer, from (day, amount)."""
        table = np.array(sorted(rows), dtype=np.int64).reshape(-1, 2)
        return cls(table[:, 0], table[:, 1], np.array([0, len(table)]))

    @property
    def count(self) -> Ints:
        """int64[c]: how many days."""
        return np.diff(self.bound)

    @property
    def first(self) -> Ints:
        """int64[c]: the first day, NEVER where there is none."""
        return self._at(self.bound[:-1])

    @property
    def last(self) -> Ints:
        """int64[c]: the last day, NEVER where there is none."""
        return self._at(self.bound[1:] - 1)

    def between(self, first: int, last: int) -> Ints:
        """int64[c]: how much on the days from `first` to `last`."""
        sums = np.append(0, np.cumsum(np.where((self.day >= first) & (self.day <= last), self.amount, 0)))
        return np.asarray(sums[self.bound[1:]] - sums[self.bound[:-1]])

    def newest(self, most: int) -> Days:
        """The newest so many days of each customer."""
        kept = np.minimum(self.count, most)
        rows = np.repeat(self.bound[1:], self.count) - np.arange(len(self.day)) <= most
        return Days(self.day[rows], self.amount[rows], np.append(0, np.cumsum(kept)))

    def _at(self, rows: Ints) -> Ints:
        if not len(self.day):
            return np.full(len(self.bound) - 1, NEVER, dtype=np.int64)
        return np.where(self.count > 0, self.day[np.clip(rows, 0, len(self.day) - 1)], NEVER)


@dataclass(frozen=True)
class Behaviour:
    """What c customers did up to a day.

    bought    days with a purchase, each of amount 1          left_out  int64[c]  purchase days that `bought` does not hold
    spent     net spend by day, minor units                   value     int64[c]  net spend at all, minor units
    viewed    product views by day
    carted    int64[c]  the newest day on which something was put into the cart that lies there still, NEVER for an empty one
    category  int32[c]  what she was after on the newest day that tells, as a code; UNKNOWN else
    place     int32[c]  where she lives, as a code; UNKNOWN else
    """

    bought: Days
    spent: Days
    viewed: Days
    left_out: Ints
    value: Ints
    carted: Ints
    category: NDArray[np.int32]
    place: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.value)


def behaviour(profile: Profile, *, today: int, category: int = UNKNOWN, place: int = UNKNOWN) -> Behaviour:
    """The behaviour of one customer up to `today`, from what her profile keeps."""
    bought = profile.bought_on[: bisect_right(profile.bought_on, today)]
    views: Counter[int] = Counter()
    for item in profile.items.values():
        for day, count in item.viewed:
            views[day] += count
    carted = [line.at // DAY_S for line in profile.cart.values() if line.at // DAY_S <= today]
    return Behaviour(
        bought=Days.of((day, 1) for day in bought),
        spent=Days.of((day, amount) for day, amount in profile.days.items() if day <= today),
        viewed=Days.of((day, count) for day, count in views.items() if day <= today),
        left_out=np.array([profile.earlier_days if bought else 0], dtype=np.int64),
        value=np.array([profile.value], dtype=np.int64),
        carted=np.array([max(carted, default=NEVER)], dtype=np.int64),
        category=np.array([category], dtype=np.int32),
        place=np.array([place], dtype=np.int32),
    )
