"""The lines of a row: what is said of the event itself, and one event an item of its basket."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

import orjson

from models.profile import Event
from service.fields import MOST_MONEY, Fields, brief, minor
from service.nesting import TOO_DEEP, too_deep

MOST_LINES = 200
MOST_EXTRA_BYTES = 8_192
LONGEST_NAME = 100
MOST_PIECES = 1e6
WHEN = ("time", "timestamp_micros", "event_timestamp")
WHOSE = ("customer_id", "session_id", "customer_token")
SAYS_HOW_MUCH = ("quantity", "price", "value")
KNOWN = {
    "event",
    "event_id",
    "item_id",
    "items",
    "order_id",
    "currency",
    "recommendation_id",
    "decision_id",
    *WHEN,
    *WHOSE,
    *SAYS_HOW_MUCH,
}


class Common(NamedTuple):
    """What all lines of a row have in common; `timed`: the row says when it happened, else that is now."""

    name: str
    at: int
    timed: bool
    order_id: str | None
    extra: Mapping[str, Any]


def read_common(fields: Fields, *, now: int, max_age_days: int) -> Common:
    """What is said of the event itself; what is wrong is noted in `fields`."""
    name = fields.text("event", longest=LONGEST_NAME)
    if name is None and "event" not in fields.errors:
        fields.wrong("event", "is missing; name what happened, like view_item or purchase")
    at = None if fields.row.keys().isdisjoint(WHEN) else _at(fields, now, max_age_days)
    return Common(name or "", now if at is None else at, at is not None, fields.text("order_id"), _extra(fields))


def _at(fields: Fields, now: int, max_age_days: int) -> int | None:
    at = fields.time("time", now=now, max_age_days=max_age_days)
    for alias in WHEN[1:]:
        at = at if at is not None else fields.microseconds(alias, now=now, max_age_days=max_age_days)
    return at


def _extra(fields: Fields) -> dict[str, Any]:
    """What we have no name for is kept as it came, within bounds."""
    if fields.row.keys() <= KNOWN:
        return {}
    extra = {name: value for name, value in fields.row.items() if name not in KNOWN}
    deep = [name for name, value in extra.items() if too_deep(value)]
    for name in deep:
        fields.wrong(name, TOO_DEEP)
    if deep:
        return {}
    if len(orjson.dumps(extra)) > MOST_EXTRA_BYTES:
        fields.wrong("extra", f"unknown fields hold more than {MOST_EXTRA_BYTES} bytes; send less with the event")
    return extra


def lines_of(fields: Fields, event: Common, currency: str | None) -> list[Event]:
    """One event an item; lines of the same item are one line. Without items, one event that is about the item named, or about none."""
    items = fields.row.get("items")
    if items is None or items == []:
        return [_line(fields, event)]
    if not isinstance(items, list) or len(items) > MOST_LINES:
        fields.wrong("items", f"is not a list of at most {MOST_LINES} items")
        return []
    lines: dict[str, Event] = {}
    for number, item in enumerate(items):
        line = _item_line(fields, event, item, number=number, currency=currency)
        if line is not None and line.item_id is not None:
            same = lines.get(line.item_id)
            lines[line.item_id] = line if same is None else _sum(same, line)
    return _with_value(fields, list(lines.values()))


def _item_line(fields: Fields, event: Common, item: Any, *, number: int, currency: str | None) -> Event | None:
    if isinstance(item, str):
        item = {"item_id": item}
    if not isinstance(item, dict):
        fields.wrong(f"items.{number}", f'{brief(item)} is no object; write {{"item_id": …}}')
        return None
    own = Fields(item)
    own.currency(currency)
    line = _line(own, event._replace(extra={**event.extra, **_extra(own)}))
    if line.item_id is None and not own.errors:
        own.wrong("item_id", "is missing")
    for name, messages in own.errors.items():
        fields.errors.setdefault(f"items.{number}.{name}", []).extend(messages)
    return line


def _line(fields: Fields, event: Common) -> Event:
    name, at, _, order_id, extra = event
    if fields.row.keys().isdisjoint(SAYS_HOW_MUCH):
        return Event(name, at, fields.text("item_id"), order_id=order_id, extra=extra)
    quantity = fields.number("quantity", above=0, most=MOST_PIECES)
    price = fields.money("price")
    value = fields.money("value") if price is None else None
    quantity = 1.0 if quantity is None else quantity
    amount = value if price is None else price * Decimal(str(quantity))
    if amount is not None and amount >= MOST_MONEY:
        fields.wrong("price", f"{amount} is more money than there is")
    return Event(name, at, fields.text("item_id"), quantity, minor(amount) if amount else 0, order_id, extra)


def _with_value(fields: Fields, lines: list[Event]) -> list[Event]:
    """Where no line has a price, the value of the whole basket stands on its first line."""
    value = fields.money("value")
    if value and lines and not any(line.amount for line in lines):
        return [lines[0]._replace(amount=minor(value)), *lines[1:]]
    return lines


def _sum(one: Event, other: Event) -> Event:
    return one._replace(quantity=one.quantity + other.quantity, amount=one.amount + other.amount)
