"""The behaviour of all customers of a history, as of any day: the same columns that the service reckons from one profile."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.behaviour import UNKNOWN, Behaviour, Days
from models.profile import NEVER
from models.settings import DAY_S
from training.history import EVENTS, PURCHASE
from training.profile_rows import REFUND, Groups, Rows
from training.profile_tables import ON_RECORD

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

VIEW, CART = EVENTS.index("view_item"), EVENTS.index("add_to_cart")


@dataclass(frozen=True)
class _Daily:
    """Amounts by customer and day, sorted by both."""

    customer: Ints
    day: Ints
    amount: Ints

    def upto(self, today: int, customers: Ints) -> Days:
        """The days up to `today` of these customers, ascending rows."""
        kept = self.day <= today
        customer, day, amount = self.customer[kept], self.day[kept], self.amount[kept]
        start, end = (np.searchsorted(customer, customers, side) for side in ("left", "right"))
        if int((end - start).sum()) != len(customer):
            kept = np.isin(customer, customers)
            day, amount = day[kept], amount[kept]
        return Days(day, amount, np.append(0, np.cumsum(end - start)).astype(np.int64))


class Past:
    """What was told of all customers, by customer and day.

    category  int32[items], codes that features have columns for, UNKNOWN else; None: no categories
    place     int32[customers], alike
    every     only each so many-th customer
    """

    def __init__(
        self,
        rows: Rows,
        *,
        category: NDArray[np.int32] | None = None,
        place: NDArray[np.int32] | None = None,
        every: int = 1,
    ) -> None:
        rows = rows.where(rows.customer % every == 0) if every > 1 else rows
        self._customer, self._item = rows.customer, rows.item
        self._day, self._event = rows.day, rows.event
        bought, back = self._event == PURCHASE, self._event == REFUND
        ones = np.ones(len(self._day), dtype=np.int64)
        self._bought = self._daily(bought, None)
        self._spent = self._daily(bought | back, np.where(back, -np.abs(rows.amount), rows.amount))
        self._viewed = self._daily(self._event == VIEW, ones)
        self._put = _latest(rows.where(self._event == CART))
        self._paid = _latest(rows.where(bought))
        self._category, self._place = category, place

    def upto(self, today: int) -> tuple[Ints, Behaviour]:
        """The customers who bought or viewed something by the end of this day, as rows of the history's ids, and what they did."""
        known = [daily.customer[daily.day <= today] for daily in (self._bought, self._viewed)]
        customers = np.unique(np.concatenate(known))
        bought, spent = self._bought.upto(today, customers), self._spent.upto(today, customers)
        place = np.full(len(customers), UNKNOWN, dtype=np.int32) if self._place is None else self._place[customers]
        return customers, Behaviour(
            bought=bought,
            spent=spent,
            viewed=self._viewed.upto(today, customers),
            left_out=np.zeros(len(customers), dtype=np.int64),
            value=spent.between(0, today),
            carted=self._carted(today, customers),
            category=self._after(today, customers),
            place=place,
        )

    def buys(self, customers: Ints, first: int, last: int) -> Bools:
        """bool[c]: who of these bought on a day from `first` to `last`."""
        inside = (self._bought.day >= first) & (self._bought.day <= last)
        return np.isin(customers, self._bought.customer[inside])

    @property
    def first_day(self) -> int:
        """The first day with a purchase."""
        return int(self._bought.day.min(initial=np.iinfo(np.int64).max))

    def _daily(self, kept: Bools, amount: Ints | None) -> _Daily:
        """The sum of an amount by customer and day; 1 where there is none."""
        groups = Groups(self._customer[kept], self._day[kept])
        ones = np.ones(len(groups), dtype=np.int64)
        customer, day = groups.keys
        return _Daily(customer, day, ones if amount is None else groups.sum(amount[kept]))

    def _carted(self, today: int, customers: Ints) -> Ints:
        """int64[c]: the newest day of a cart line that is newer than the last purchase."""
        put, paid = (self._newest(table, today, customers) for table in (self._put, self._paid))
        return np.where(put > paid, put // DAY_S, NEVER)

    @staticmethod
    def _newest(times: _Daily, today: int, customers: Ints) -> Ints:
        """int64[c]: the newest time by the end of `today`, NEVER where there is none."""
        found = times.upto(today, customers)
        return np.where(found.count > 0, np.append(found.amount, NEVER)[found.bound[1:] - 1], NEVER)

    def _after(self, today: int, customers: Ints) -> NDArray[np.int32]:
        """int32[c]: the commonest category among the items of each one's newest day, equals by code; see service.people.intent."""
        answer = np.full(len(customers), UNKNOWN, dtype=np.int32)
        if self._category is None:
            return answer
        codes = self._category
        kept = (self._day <= today) & ON_RECORD[self._event] & np.isin(self._customer, customers)
        customer, day, item = self._customer[kept], self._day[kept], self._item[kept]
        newest = np.full(int(customers.max(initial=-1)) + 1, NEVER, dtype=np.int64)
        np.maximum.at(newest, customer, day)
        late = (day == newest[customer]) & (codes[item] >= 0)
        pairs = np.unique(customer[late] * len(codes) + item[late])
        owner, code = pairs // len(codes), codes[pairs % len(codes)].astype(np.int64)
        most = int(codes.max(initial=0)) + 1
        cells, count = np.unique(owner * most + code, return_counts=True)
        by = np.lexsort((cells % most, -count, cells // most))
        owner, code = cells[by] // most, cells[by] % most
        first = np.append(True, owner[1:] != owner[:-1]) if len(owner) else np.zeros(0, np.bool_)
        answer[np.searchsorted(customers, owner[first])] = code[first]
        return answer


def _latest(rows: Rows) -> _Daily:
    """The newest time of each customer's day, as an amount."""
    groups = Groups(rows.customer, rows.day)
    customer, day = groups.keys
    return _Daily(customer, day, groups.max(rows.at))
