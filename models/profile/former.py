"""Documents of profiles as they were before format 2: one JSON object. They are read as long as stores hold them, and never written."""

from __future__ import annotations

import orjson

from models.profile.state import CartLine, Item, Order, Profile, Shown


def load(document: bytes) -> Profile:
    """The profile in a document of the former format."""
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
        items={item_id: _item(*parts) for item_id, parts in plain["i"].items()},
        counts=plain["c"],
        recent=tuple((at, name) for at, name in plain["r"]),
        cart_lines={item_id: CartLine(*parts) for item_id, parts in plain["k"].items()},
        shown={item_id: Shown(tuple(days), sent_at) for item_id, (days, sent_at) in plain.get("w", {}).items()},
    )


def _item(
    purchases: int = 0,
    quantity: int = 0,
    first_at: int = 0,
    last: int = 0,
    seen: int = 0,
    events: dict[str, int] | None = None,
) -> Item:
    return Item(purchases, quantity, first_at, first_at + last, first_at + last + seen, events or {})
