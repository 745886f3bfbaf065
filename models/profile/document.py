"""A profile as bytes: compact JSON. Equal profiles give equal bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from models.profile.state import EMPTY, CartLine, Item, Order, Profile, Shown

NO_EVENTS: dict[str, int] = {}  # never changed


def dump(profile: Profile) -> bytes:
    """The document of a profile."""
    shown = {"w": {item_id: (*parts,) for item_id, parts in profile.shown.items()}} if profile.shown else {}
    return orjson.dumps(
        {
            "e": profile.earlier_orders,
            "v": profile.value,
            "f": profile.first_at,
            "l": profile.last_at,
            "s": profile.last_seen,
            "d": tuple(profile.days.items()),
            "b": profile.bought_on,
            "o": {order_id: tuple(profile.recent_orders[order_id]) for order_id in sorted(profile.recent_orders)},
            "i": {item_id: _short(item) for item_id, item in profile.items.items()},
            "c": {name: profile.counts[name] for name in sorted(profile.counts)},
            "r": profile.recent,
            "k": {item_id: tuple(profile.cart_lines[item_id]) for item_id in sorted(profile.cart_lines)},
            **shown,
        }
    )


def load(document: bytes | None) -> Profile:
    """The profile in a document that `dump` wrote; EMPTY for None."""
    if document is None:
        return EMPTY
    plain = orjson.loads(document)
    return Profile(
        earlier_orders=plain["e"],
        value=plain["v"],
        first_at=plain["f"],
        last_at=plain["l"],
        last_seen=plain["s"],
        days=dict(plain["d"]),
        bought_on=tuple(plain["b"]),
        recent_orders={order_id: Order(*parts) for order_id, parts in plain["o"].items()},
        items={item_id: _long(*parts) for item_id, parts in plain["i"].items()},
        counts=plain["c"],
        recent=tuple((at, name) for at, name in plain["r"]),
        cart_lines={item_id: CartLine(*parts) for item_id, parts in plain["k"].items()},
        shown={item_id: Shown(tuple(days), sent_at) for item_id, (days, sent_at) in plain.get("w", {}).items()},
    )


def _short(item: Item) -> list[Any]:
    """An item as a list without what is 0 at its end; later times as seconds after earlier ones. Most items are [1, quantity, at]."""
    short: list[Any] = [
        item.purchases,
        item.quantity,
        item.first_at,
        item.last_at - item.first_at,
        item.seen_at - item.last_at,
    ]
    if item.events:
        short.append({name: item.events[name] for name in sorted(item.events)})
        return [*short, item.viewed] if item.viewed else short
    while short and not short[-1]:
        short.pop()
    return short


def _long(
    purchases: int = 0,
    quantity: int = 0,
    first_at: int = 0,
    last: int = 0,
    seen: int = 0,
    events: dict[str, int] = NO_EVENTS,
    viewed: Sequence[tuple[int, int]] = (),
) -> Item:
    days = tuple((day, count) for day, count in viewed)
    return Item(purchases, quantity, first_at, first_at + last, first_at + last + seen, events, days)
