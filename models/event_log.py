"""How an event stands in the log: one JSON object an event, read by the service and by training alike."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from models.profile import Event, with_events


def encode(event: Event, **more: Any) -> bytes:
    """The event as JSON, with whatever else should be kept of it (event_id, currency, …); None is left out."""
    document: dict[str, Any] = {
        "event": event.name,
        "at": event.at,
        "item_id": event.item_id,
        "quantity": event.quantity,
    }
    document |= {"amount": event.amount, "order_id": event.order_id, "extra": dict(event.extra) or None, **more}
    return orjson.dumps({name: value for name, value in document.items() if value is not None})


def decode(body: bytes) -> Event:
    """The event in a JSON object that `encode` wrote."""
    plain = orjson.loads(body)
    return Event(
        name=plain["event"],
        at=plain["at"],
        item_id=plain.get("item_id"),
        quantity=plain["quantity"],
        amount=plain["amount"],
        order_id=plain.get("order_id"),
        extra=plain.get("extra", {}),
    )


def fold_in(profile: bytes | None, bodies: Iterable[bytes]) -> bytes:
    """The profile document after these events of the log."""
    return with_events(profile, list(map(decode, bodies)))
