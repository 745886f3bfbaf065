"""How an event stands in the log: one JSON object an event, read by the service and by training alike."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from models.profile import Event, line, with_lines


def encode(event: Event, **more: Any) -> bytes:
    """The event as JSON, with whatever else should be kept of it (event_id, currency, …); None is left out."""
    name, at, item_id, quantity, amount, order_id, extra = event
    said = {
        "event": name,
        "at": at,
        "item_id": item_id,
        "quantity": quantity,
        "amount": amount,
        "order_id": order_id,
        "extra": extra or None,
        **more,
    }
    return orjson.dumps({field: value for field, value in said.items() if value is not None})


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
    return with_lines(profile, map(_line, bodies))


def _line(body: bytes) -> bytes:
    """What the fold reads of the event in a body, as `decode` reads it."""
    plain = orjson.loads(body)
    said = plain.get
    return line(
        plain["event"],
        plain["at"],
        said("item_id"),
        plain["quantity"],
        plain["amount"],
        said("order_id"),
        said("extra", {}),
    )
