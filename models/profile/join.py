"""Two profiles become one: what a visitor did before she said who she is, and what was known of her.

All that a profile keeps is a sum, a minimum, a maximum, or "the newest n", so joining gives what folding the events of both would have given.
The exceptions are those of the fold, and what had left "the newest n" of one of the two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from models.profile import searches, wishes
from models.profile.fold import (
    BOUGHT_ON,
    CART,
    ITEMS,
    LEDGER,
    ORDERS,
    RECENT,
    SHOWN,
    SHOWN_DAYS,
    compacted,
    newest_day,
    with_views,
)
from models.profile.state import EMPTY, NEVER, CartLine, Item, Order, Profile, Shown

T = TypeVar("T")
K = TypeVar("K", str, int)


def joined(one: Profile, other: Profile) -> Profile:
    """The profile of both."""
    if EMPTY in (one, other):
        return other if one == EMPTY else one
    orders = _both(one.recent_orders, other.recent_orders, _one_order)
    by_time = sorted(orders, key=lambda name: (orders[name].at, name))
    items = _both(one.items, other.items, _one_item)
    shown = _both(one.shown, other.shown, _one_showing)
    bought = [profile for profile in (one, other) if profile.bought_on]
    last_at = max((profile.last_at for profile in bought), default=None)
    bought_on = tuple(sorted({*one.bought_on, *other.bought_on}))
    return Profile(
        earlier_orders=one.earlier_orders
        + other.earlier_orders
        + sum(orders[name].stands for name in by_time[:-ORDERS]),
        **_ledger(one, other, first=bought_on[0] if bought_on else None),
        earlier_days=one.earlier_days + other.earlier_days + max(len(bought_on) - BOUGHT_ON, 0),
        value=one.value + other.value,
        first_at=min((profile.first_at for profile in bought), default=one.first_at),
        last_at=max(one.last_at, other.last_at),
        last_seen=max(one.last_seen, other.last_seen),
        bought_on=(*bought_on[:1], *bought_on[1:][-(BOUGHT_ON - 1) :]),
        recent_orders={name: orders[name] for name in by_time[-ORDERS:]},
        items=_newest(items, ITEMS, lambda item: item.seen_at),
        counts=_both(one.counts, other.counts, int.__add__),
        hours=_both(one.hours, other.hours, int.__add__),
        recent=tuple(sorted((*one.recent, *other.recent))[-RECENT:]),
        cart_lines=_cart(one, other, since=last_at),
        shown=_newest(shown, SHOWN, newest_day),
        searches=searches.both(*(searches.since(profile.searches, last_at or NEVER) for profile in (one, other))),
        wish_words=wishes.newest(wishes.unbought(wishes.both(one.wish_words, other.wish_words), items)),
    )


def _ledger(one: Profile, other: Profile, *, first: int | None) -> dict[str, Any]:
    """`days` and `earlier_spend` of both."""
    days = dict(sorted(_both(one.days, other.days, int.__add__).items()))
    earlier_spend = one.earlier_spend + other.earlier_spend
    if len(days) > LEDGER:
        return compacted(days, earlier_spend, first=first)
    return {"days": days, "earlier_spend": earlier_spend}


def _both(one: Mapping[K, T], other: Mapping[K, T], join: Callable[[T, T], T]) -> dict[K, T]:
    """The entries of both; what both have is joined."""
    return {**one, **{key: join(one[key], value) if key in one else value for key, value in other.items()}}


def _newest(entries: Mapping[str, T], most: int, at: Callable[[T], Any]) -> dict[str, T]:
    """The newest entries, oldest first, ties by id."""
    ordered = sorted(entries, key=lambda name: (at(entries[name]), name))
    return {name: entries[name] for name in ordered[-most:]}


def _cart(one: Profile, other: Profile, *, since: int | None) -> dict[str, CartLine]:
    """The newest word on each item that is newer than the last purchase."""
    lines = _both(one.cart_lines, other.cart_lines, _one_line)
    standing = {name: line for name, line in lines.items() if since is None or line.at > since}
    return _newest(standing, CART, lambda line: line.at)


def _one_line(one: CartLine, other: CartLine) -> CartLine:
    return max(one, other, key=lambda line: (line.at, -line.quantity, line.amount))


def _one_order(one: Order, other: Order) -> Order:
    return Order(
        max(one.at, other.at), one.bought + other.bought, one.refunded + other.refunded, one.lines + other.lines
    )


def _one_item(one: Item, other: Item) -> Item:
    bought = [item.first_at for item in (one, other) if item.purchases]
    return Item(
        one.purchases + other.purchases,
        one.quantity + other.quantity,
        min(bought, default=one.first_at),
        max(one.last_at, other.last_at),
        max(one.seen_at, other.seen_at),
        _both(one.events, other.events, int.__add__),
        with_views(one.viewed, other.viewed),
    )


def _one_showing(one: Shown, other: Shown) -> Shown:
    days = tuple(sorted({*one.days, *other.days})[-SHOWN_DAYS:])
    return Shown(days, max(one.sent_at, other.sent_at))
