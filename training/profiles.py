"""The profiles of all customers of a history, equal to folding its rows one by one (models.profile.fold), but summed in columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce

from models.profile import EMPTY, CartLine, Event, Item, Order, Profile, dump, fold
from models.profile.fold import ORDERS, RECENT
from training.history import EVENTS, History
from training.profile_tables import ITEM_EVENTS, Ints, Tables, rows_of, tables


def profiles(
    history: History, *, now: int, also: Mapping[str, Sequence[Event]] | None = None
) -> Iterator[tuple[str, bytes]]:
    """(customer_id, profile document) of each customer with a row, in the order of their ids.

    `now` is the time of every row where the history has no times. `also`: events by customer that no history holds (complaints, messages);
    they are folded in on top, and who has only such events comes last.
    """
    rest = dict(also or {})
    for customer_id, profile in _of_history(history, now):
        yield customer_id, dump(reduce(fold, rest.pop(customer_id, ()), profile))
    for customer_id, events in rest.items():
        yield customer_id, dump(reduce(fold, events, EMPTY))


def events_of(history: History, rows: Ints, *, now: int) -> Iterator[Event]:
    """Rows of a history as events. Their orders have lost the ids: order 7 is named ~7."""
    for row in rows.tolist():
        yield Event(
            name=EVENTS[int(history.event[row])],
            at=int(history.at[row]) if history.has_times else now,
            item_id=history.items.text(int(history.item[row])),
            quantity=float(history.quantity[row]),
            amount=int(history.amount[row]),
            order_id=_order_id(int(history.order[row])),
        )


def _of_history(history: History, now: int) -> Iterator[tuple[str, Profile]]:
    rows = rows_of(history, now=now)
    parts = tables(rows, len(history.customers))
    items = history.items.texts(range(len(history.items)))
    bounds = rows.customer.searchsorted(range(len(history.customers) + 1)).tolist()
    for customer in range(len(history.customers)):
        first, last = bounds[customer], bounds[customer + 1]
        if first == last:
            continue
        if parts.crowded[customer]:
            profile = reduce(fold, events_of(history, rows.row[first:last], now=now), EMPTY)
        else:
            profile = _profile(parts, customer, items)
        yield history.customers.text(customer), profile


def _profile(parts: Tables, customer: int, items: Sequence[str]) -> Profile:
    value, first_at, last_at, last_seen = parts.totals[customer].tolist()
    orders = sorted(
        ((_order_id(number) or f"@{day}", Order(*rest)) for number, day, *rest in parts.orders.of(customer)),
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
        items=_items(parts.items.of(customer), parts.views.of(customer), items),
        counts={name: count for name, count in zip(EVENTS, parts.counts[customer].tolist(), strict=True) if count},
        recent=tuple((at, EVENTS[event]) for at, event in parts.recent.of(customer))[-RECENT:],
        cart_lines={items[item]: CartLine(*rest) for item, *rest in parts.cart.of(customer)},
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


def _order_id(number: int) -> str | None:
    return None if number < 0 else f"~{number}"
