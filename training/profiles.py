"""The profiles of all customers of a history, equal to folding what happened one by one (models.profile.fold), but summed in columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from models.profile import EMPTY, CartLine, Event, Item, Order, Profile, Wish, dump, fold
from models.profile.fold import ORDERS, RECENT, order_key
from training.history import EVENTS, History
from training.profile_rows import Rows, rows_of
from training.profile_tables import ITEM_EVENTS, Tables, tables


@dataclass(frozen=True)
class Names:
    """The ids of customers, items and orders; an order without one is "", or beyond the end."""

    customers: Sequence[str]
    items: Sequence[str]
    orders: Sequence[str]

    @classmethod
    def of(cls, rows: Rows) -> Names:
        """The names behind the numbers of some rows."""
        customers, items = (vocabulary.texts(range(len(vocabulary))) for vocabulary in (rows.customers, rows.items))
        return cls(customers, items, rows.order_ids.tolist())

    def order(self, number: int) -> str | None:
        """The id of an order; None where it has none."""
        return self.orders[number] or None if 0 <= number < len(self.orders) else None


def profiles(
    history: History, *, now: int, returned: History | None = None, also: Mapping[str, Sequence[Event]] | None = None
) -> Iterator[tuple[str, bytes]]:
    """(customer_id, profile document) of each customer with a row, as `whole` tells them."""
    for customer_id, profile in whole(history, now=now, returned=returned, also=also):
        yield customer_id, dump(profile)


def whole(
    history: History, *, now: int, returned: History | None = None, also: Mapping[str, Sequence[Event]] | None = None
) -> Iterator[tuple[str, Profile]]:
    """(customer_id, profile) of each customer with a row, in the order of their ids; who kept nothing comes after the others.

    `now` is the time of every row where the history has no times. `returned`: what the history leaves out of purchases and refunds
    (training.read.Reading). `also`: events by customer that no history holds (complaints, messages); they are folded in on top, and who
    has only such events comes last.
    """
    rest = dict(also or {})
    for customer_id, profile in _of_history(rows_of(history, now=now, returned=returned)):
        yield customer_id, reduce(fold, rest.pop(customer_id, ()), profile)
    for customer_id, events in rest.items():
        yield customer_id, reduce(fold, events, EMPTY)


def events_of(rows: Rows, names: Names) -> Iterator[Event]:
    """Rows as events, as the service would have been told them."""
    for at, event, item, quantity, amount, order in zip(
        *(column.tolist() for column in (rows.at, rows.event, rows.item, rows.quantity, rows.amount, rows.order)),
        strict=True,
    ):
        yield Event(EVENTS[event], at, names.items[item], quantity / 1000, amount, names.order(order))


def _of_history(rows: Rows) -> Iterator[tuple[str, Profile]]:
    names, customers = Names.of(rows), len(rows.customers)
    parts = tables(rows, customers)
    bounds = rows.customer.searchsorted(range(customers + 1)).tolist()
    for customer in range(customers):
        first, last = bounds[customer], bounds[customer + 1]
        if first == last:
            continue
        if parts.crowded[customer]:
            profile = reduce(fold, events_of(rows.between(first, last), names), EMPTY)
        else:
            profile = _profile(parts, customer, names)
        yield names.customers[customer], profile


def _profile(parts: Tables, customer: int, names: Names) -> Profile:
    value, first_at, last_at, last_seen = parts.totals[customer].tolist()
    orders = sorted(
        (
            (order_key(names.order(number)) or f"@{day}", Order(*rest))
            for number, day, *rest in parts.orders.of(customer)
        ),
        key=lambda entry: (entry[1].at, entry[0]),
    )
    return Profile(
        earlier_orders=sum(order.stands for _, order in orders[:-ORDERS]),
        value=value,
        first_at=first_at,
        last_at=last_at,
        last_seen=last_seen,
        days=dict(parts.days.of(customer)),  # type: ignore[arg-type]  # lists of two
        bought_on=tuple(day for (day,) in parts.bought_on.of(customer)),
        recent_orders=dict(orders[-ORDERS:]),
        items=_items(parts.items.of(customer), parts.views.of(customer), names.items),
        counts={name: count for name, count in zip(EVENTS, parts.counts[customer].tolist(), strict=True) if count},
        hours={hour: count for hour, count in enumerate(parts.hours[customer].tolist()) if count},
        recent=tuple((at, EVENTS[event]) for at, event in parts.recent.of(customer))[-RECENT:],
        cart_lines={names.items[item]: CartLine(*rest) for item, *rest in parts.cart.of(customer)},
        wish_words={names.items[item]: Wish(*rest) for item, *rest in parts.wishes.of(customer)},
    )


def _items(rows: list[list[int]], views: list[list[int]], ids: Sequence[str]) -> dict[str, Item]:
    """Oldest first, as the fold keeps them; rows are sorted by item already."""
    rows.sort(key=lambda row: row[5])
    viewed: dict[int, tuple[tuple[int, int], ...]] = {}
    for item, day, count in views:
        viewed[item] = (*viewed.get(item, ()), (day, count))
    return {
        ids[item]: Item(purchases, quantity, first_at, last_at, seen_at, _counts(counts), viewed.get(item, ()))
        for item, purchases, quantity, first_at, last_at, seen_at, *counts in rows
    }


def _counts(counts: list[int]) -> dict[str, int]:
    return (
        {EVENTS[code]: count for code, count in zip(ITEM_EVENTS, counts, strict=True) if count} if any(counts) else {}
    )
