"""One form out of three: plain rows, GA4's data layer (`event`, `ecommerce.items[]`), its Measurement Protocol (`events[].name/params`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.errors import InputError

MOST_ROWS = 500
ALIASES = {"user_id": "customer_id", "client_id": "session_id", "transaction_id": "order_id", "event_name": "event"}
FOREIGN = frozenset(("name", "params", "ecommerce", *ALIASES))  # fields that a plain row has not


def rows(payload: Any) -> list[Any]:
    """The rows of a payload, all in the plain form. Raises InputError for a payload that has none or too many."""
    if isinstance(payload, dict) and "events" in payload:
        events = payload["events"]
        around = {name: value for name, value in payload.items() if name != "events"}
    else:
        events, around = payload if isinstance(payload, list) else [payload], {}
    if not isinstance(events, list) or not isinstance(payload, dict | list):
        raise InputError('write one event, a list of them, or {"events": […]}')
    if not 1 <= len(events) <= MOST_ROWS:
        raise InputError(f"{len(events)} events; send 1 to {MOST_ROWS} in one call")
    return [_plain(event, around) for event in events]


def _plain(event: Any, around: Mapping[str, Any]) -> Any:
    """One row in the plain form; what is no object is left to be refused."""
    if not isinstance(event, dict):
        return event
    row = {**around, **event} if around else event
    if row.keys().isdisjoint(FOREIGN):
        return row
    row = dict(row)
    if isinstance(row.get("name"), str) and "event" not in row:  # Measurement Protocol
        row["event"] = row.pop("name")
        row |= _inside(row, "params")
    row |= _inside(row, "ecommerce")
    for alias, name in ALIASES.items():
        if alias in row:
            value = row.pop(alias)
            row.setdefault(name, value)
    return row


def _inside(row: dict[str, Any], name: str) -> Mapping[str, Any]:
    return row.pop(name) if isinstance(row.get(name), dict) else {}
