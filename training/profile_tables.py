"""What profiles are made of, for all customers of a history at once: sums, first and last times, in columns.

A table is sorted by customer, so that one customer's part is a slice. Each says what models.profile.fold says of one event after the other.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

import numpy as np

from models.profile import INTEREST, NEVER, TELLING
from models.profile.fold import BOUGHT_ON, CART, DEEDS, HOUR_S, ITEMS, LEDGER, ORDERS, VIEW_DAYS
from models.profile.wishes import MOST as WISHES
from models.settings import DAY_S
from training.history import EVENTS, PURCHASE
from training.profile_rows import REFUND, Bools, Groups, Ints, Rows

ADDED, VIEWED, WISHED = (EVENTS.index(name) for name in ("add_to_cart", "view_item", "add_to_wishlist"))
ON_RECORD = np.array([name in INTEREST or name == "refund" for name in EVENTS])  # these put an item on record
TELLS = np.array([name in TELLING for name in EVENTS])
DEEDS_ = np.array([name in DEEDS for name in EVENTS])
ITEM_EVENTS = tuple(code for code in np.flatnonzero(ON_RECORD).tolist() if code != PURCHASE)
FIRST, LAST = np.iinfo(np.int64).min, np.iinfo(np.int64).max


@dataclass(frozen=True)
class Table:
    """Rows of columns, cut by customer: `bounds[c]` to `bounds[c + 1]` are the rows of customer c."""

    bounds: list[int]
    columns: Ints  # int64[rows, columns], without the customer

    def of(self, customer: int) -> list[list[int]]:
        """One customer's rows."""
        rows: list[list[int]] = self.columns[self.bounds[customer] : self.bounds[customer + 1]].tolist()
        return rows


@dataclass(frozen=True)
class Tables:
    """The parts of all profiles.

    totals  (value, first_at, last_at, last_seen), one row a customer       counts     (events of each code), one row a customer
    hours   (deeds in each UTC hour), one row a customer
    days    (day, net spend)                bought_on  (day)                orders     (number, day, at, bought, refunded, lines)
    items   (item, purchases, quantity, first_at, last_at, seen_at, then a count for each of ITEM_EVENTS)
    recent  (at, event)                     cart       (item, at, quantity, amount)      views  (item, day, views)
    wishes  (item, at, price)
    crowded whether a customer is past what a profile keeps in a way that makes the order of events matter: fold those one by one
    """

    totals: Ints
    counts: Ints
    hours: Ints
    days: Table
    bought_on: Table
    orders: Table
    items: Table
    recent: Table
    cart: Table
    views: Table
    wishes: Table
    crowded: Bools


def tables(rows: Rows, customers: int) -> Tables:
    """The parts of the profiles of customers 0 … customers - 1."""
    kinds = len(EVENTS)
    bought, back = rows.where(rows.event == PURCHASE), rows.where(rows.event == REFUND)
    totals = _totals(rows, bought, back, customers)
    orders, orders_mingle = _orders(bought, back, customers)
    on_record = rows.where(ON_RECORD[rows.event])
    remembered = on_record.where(_remembered(on_record, customers))
    cart = _cart(rows.where(rows.event == ADDED), bought, totals)
    wishes = _wishes(rows)
    days, bought_on = _days(bought, back), Groups(bought.customer, bought.day).keys
    crowded = orders_mingle | np.any(
        [
            np.bincount(part[0], minlength=customers) > most
            for part, most in ((cart, CART), (wishes, WISHES), (days, LEDGER), (bought_on, BOUGHT_ON))
        ],
        axis=0,
    )
    return Tables(
        totals=totals,
        counts=np.bincount(rows.customer * kinds + rows.event, minlength=customers * kinds).reshape(customers, kinds),
        hours=_hours(rows.where(DEEDS_[rows.event]), customers),
        days=_table(days, customers),
        bought_on=_table(bought_on, customers),
        orders=_table(orders, customers),
        items=_table(_items(remembered), customers),
        recent=_table(_recent(rows.where(TELLS[rows.event])), customers),
        cart=_table(cart, customers),
        views=_table(_views(remembered.where(remembered.event == VIEWED)), customers),
        wishes=_table(wishes, customers),
        crowded=crowded,
    )


def _table(columns: Sequence[Ints], customers: int) -> Table:
    bounds = np.searchsorted(columns[0], np.arange(customers + 1))
    return Table(bounds.tolist(), np.column_stack(columns[1:]))


def _totals(rows: Rows, bought: Rows, back: Rows, customers: int) -> Ints:
    """int64[customers, 4]: value, first_at, last_at, last_seen."""
    totals = np.full((customers, 4), NEVER, dtype=np.int64)
    np.add.at(totals[:, 0], bought.customer, bought.amount)
    np.subtract.at(totals[:, 0], back.customer, np.abs(back.amount))
    groups = Groups(bought.customer)
    totals[groups.keys[0], 1] = groups.min(bought.at)
    totals[groups.keys[0], 2] = np.maximum(groups.max(bought.at), NEVER)
    groups = Groups(rows.customer)
    totals[groups.keys[0], 3] = np.maximum(groups.max(rows.at), NEVER)
    return totals


def _hours(deeds: Rows, customers: int) -> Ints:
    """int64[customers, 24]"""
    hour = deeds.at % DAY_S // HOUR_S
    return np.bincount(deeds.customer * 24 + hour, minlength=customers * 24).reshape(customers, 24)


def _days(bought: Rows, back: Rows) -> list[Ints]:
    groups = Groups(np.append(bought.customer, back.customer), np.append(bought.day, back.day))
    return [*groups.keys, groups.sum(np.append(bought.amount, -np.abs(back.amount)))]


def _orders(bought: Rows, back: Rows, customers: int) -> tuple[list[Ints], Bools]:
    """The orders, and whose mingle."""
    back = back.where(back.order >= 0)
    lines = np.append(np.ones(len(bought), np.int64), np.zeros(len(back), np.int64))
    order, at = np.append(bought.order, back.order), np.append(bought.at, back.at)
    day = np.where(order < 0, np.append(bought.day, back.day), 0)  # without a number, an order is a day
    paid = np.append(bought.amount, back.amount)
    groups = Groups(np.append(bought.customer, back.customer), order, day)
    customer, newest = groups.keys[0], groups.max(at)
    columns = [
        *groups.keys,
        newest,
        groups.sum(paid * lines),
        groups.sum(np.abs(paid) * (1 - lines)),
        groups.sum(lines),
    ]
    return columns, _mingle(customer, groups.min(at), newest, customers)


def _mingle(customer: Ints, oldest: Ints, newest: Ints, customers: int) -> Bools:
    """bool[customers]: whether more orders than a profile keeps went on during one order, so that its next line may have found it forgotten."""
    span = int(newest.max() - oldest.min()) + 2 if len(newest) else 1
    if span * customers > LAST // 2:
        raise ValueError(f"times {span} s apart of {customers} customers do not fit 64 bits")
    key = customer * span - (int(oldest.min()) if len(oldest) else 0)
    begun = np.searchsorted(np.sort(key + oldest), key + newest, side="right")
    ended = np.searchsorted(np.sort(key + newest), key + oldest, side="left")
    return np.bincount(customer, weights=begun - ended > ORDERS, minlength=customers) > 0


def _items(rows: Rows) -> list[Ints]:
    bought = rows.event == PURCHASE
    groups = Groups(rows.customer, rows.item)
    purchases = groups.sum(bought)
    return [
        *groups.keys,
        purchases,
        groups.sum(rows.quantity * bought - rows.quantity * (rows.event == REFUND)),
        np.where(purchases > 0, groups.min(np.where(bought, rows.at, LAST)), NEVER),
        np.where(purchases > 0, np.maximum(groups.max(np.where(bought, rows.at, FIRST)), NEVER), NEVER),
        np.maximum(groups.max(rows.at), NEVER),
        *(groups.sum(rows.event == code) for code in ITEM_EVENTS),
    ]


def _remembered(rows: Rows, customers: int) -> Bools:
    """bool[rows]: which rows still count, as a profile forgets the item seen longest ago when it has too many."""
    distinct = np.bincount(Groups(rows.customer, rows.item).keys[0], minlength=customers)
    kept = np.ones(len(rows), dtype=np.bool_)
    for customer in np.flatnonzero(distinct > ITEMS).tolist():
        first, last = np.searchsorted(rows.customer, (customer, customer + 1)).tolist()
        kept[first:last] = _newest_items(rows.item[first:last].tolist(), rows.at[first:last].tolist())
    return kept


def _newest_items(items: list[int], at: list[int]) -> list[bool]:
    """Whether each row counts: not those of an item from before it was last forgotten."""
    seen: OrderedDict[int, int] = OrderedDict()  # item -> at, oldest first
    begins: dict[int, int] = {}  # item -> the row from which it counts
    for row, item in enumerate(items):
        if item not in seen:
            begins[item] = row
        seen[item] = at[row]
        seen.move_to_end(item)
        if len(seen) > ITEMS:
            del seen[_oldest(seen)]
    return [item in seen and row >= begins[item] for row, item in enumerate(items)]


def _oldest(seen: OrderedDict[int, int]) -> int:
    """The item seen longest ago, of several the first."""
    oldest = seen[next(iter(seen))]
    return min(takewhile(lambda item: seen[item] == oldest, seen))


def _cart(added: Rows, bought: Rows, totals: Ints) -> list[Ints]:
    """The newest line of each item put into the cart after the last purchase."""
    buys = np.isin(added.customer, bought.customer)
    added = added.where(~buys | (added.at > totals[added.customer, 2]))
    newest = added.where(_last(added, added.amount, -added.quantity))
    return [newest.customer, newest.item, newest.at, newest.quantity, newest.amount]


def _wishes(rows: Rows) -> list[Ints]:
    """The newest wish for each item that was not bought since."""
    told = rows.where((rows.event == WISHED) | (rows.event == PURCHASE))
    price = np.rint(told.amount * 1000 / np.maximum(told.quantity, 1)).astype(np.int64)
    newest = _last(told, price, told.event == PURCHASE)
    newest = newest[told.event[newest] == WISHED]
    return [told.customer[newest], told.item[newest], told.at[newest], np.maximum(price[newest], NEVER)]


def _last(rows: Rows, *ties: Ints | Bools) -> Ints:
    """The numbers of the newest row of each customer and item; of one second the last by the ties, the last of them first."""
    by = np.lexsort((*ties, rows.at, rows.item, rows.customer))
    last = np.ones(len(by), dtype=np.bool_)
    last[:-1] = (rows.customer[by[1:]] != rows.customer[by[:-1]]) | (rows.item[by[1:]] != rows.item[by[:-1]])
    return by[last]


def _views(rows: Rows) -> list[Ints]:
    """The views of each item by day, of its newest days."""
    groups = Groups(rows.customer, rows.item, rows.day)
    customer, item, _ = groups.keys
    count = groups.sum(np.ones(len(rows), dtype=np.int64))
    last = np.append(np.flatnonzero((np.diff(customer) != 0) | (np.diff(item) != 0)), len(item) - 1)
    newest = np.repeat(last, np.diff(last, prepend=-1)) - np.arange(len(item)) < VIEW_DAYS
    return [column[newest] for column in (*groups.keys, count)]


def _recent(rows: Rows) -> list[Ints]:
    by = np.lexsort((rows.event, rows.at, rows.customer))
    return [rows.customer[by], rows.at[by], rows.event[by]]
