"""Events: what happened, as sites, servers and tag managers tell it.

Three forms come in: plain rows, the GA4 data layer (`event`, `ecommerce.items[]`), the GA4 Measurement Protocol (`events[].name/params`).

    payload → rows (one form) → entries (one a line of a basket) → store: logged once, folded into the profile → a receipt a row

A row is accepted, repeated or refused with what is wrong in each field; accepted means that it is in the log. The same event is known again
by its `event_id`; a line of a purchase also by its order and item; without either, by all that it says, where it says when.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Literal

import orjson

from models.errors import InputError
from models.event_log import encode, fold_in
from models.profile import Event
from service import facts as facts_of
from service.customers import key
from service.facts import MARKETING, Facts
from service.fields import MOST_MONEY, Fields, brief, digest, minor
from service.identity import merge_session
from service.store import Entry, Store

MOST_ROWS, MOST_LINES = 500, 200
MOST_EXTRA_BYTES = 8_192
LONGEST_NAME = 100
MOST_PIECES = 1e6
WHEN = ("time", "timestamp_micros", "event_timestamp")
WHOSE = ("customer_id", "session_id")
ITEM = ("item_id", "quantity", "price", "value")
KNOWN = {"event", "event_id", "items", "order_id", "currency", "recommendation_id", "decision_id", *WHEN, *WHOSE, *ITEM}
ALIASES = {"user_id": "customer_id", "client_id": "session_id", "transaction_id": "order_id", "event_name": "event"}


@dataclass(frozen=True)
class Rules:
    """What the shop accepts. `currency` None: any; `max_age_days` 0: any age."""

    currency: str | None = None
    max_age_days: int = 30


@dataclass(frozen=True)
class Receipt:
    """What became of one row; `errors` are messages by field, of a refused row only."""

    index: int
    status: Literal["accepted", "repeated", "refused"]
    event_id: str | None
    errors: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """One row that can be kept: its lines, and what it says of her facts (None: nothing)."""

    index: int
    event_id: str
    customer_id: str
    entries: tuple[Entry, ...]
    tells: Callable[[Facts], Facts] | None = None
    session_id: str | None = None  # of which a login says that it is hers


def record(payload: Any, *, store: Store, rules: Rules, now: int, new_id: Callable[[], str]) -> list[Receipt]:
    """Keep what can be kept; a receipt a row. Raises InputError for what is no list of 1 to 500 rows, StoreUnavailable."""
    read = [_read(row, index, rules=rules, now=now, new_id=new_id) for index, row in enumerate(rows(payload))]
    kept = [row for row in read if isinstance(row, Row)]
    for row in kept:
        if row.session_id is not None:
            merge_session(store, row.session_id, row.customer_id)
        if row.tells is not None:
            _change_facts(store, row.customer_id, row.tells)
    statuses = iter(store.record([entry for row in kept for entry in row.entries], fold))
    return [row if isinstance(row, Receipt) else _receipt(row, [next(statuses) for _ in row.entries]) for row in read]


def fold(_: str, profile: bytes | None, entries: Sequence[Entry]) -> bytes:
    """The store's Fold: a profile after some entries of the log."""
    return fold_in(profile, (entry.body for entry in entries))


def _receipt(row: Row, statuses: Sequence[str]) -> Receipt:
    return Receipt(row.index, "accepted" if "accepted" in statuses else "repeated", row.event_id)


def _change_facts(store: Store, customer_id: str, tells: Callable[[Facts], Facts]) -> None:
    store.change(customer_id, "facts", lambda document: facts_of.dump(tells(facts_of.load(document))))


# --- one form out of three --------------------------------------------------------------------------------------------------------------


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
    row = {**around, **event}
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


# --- a row ------------------------------------------------------------------------------------------------------------------------------


def _read(row: Any, index: int, *, rules: Rules, now: int, new_id: Callable[[], str]) -> Row | Receipt:
    if not isinstance(row, dict):
        return Receipt(index, "refused", None, {"event": [f"{type(row).__name__} is no object; write {{…}}"]})
    fields = Fields(row)
    event_id = fields.text("event_id")
    event = _event(fields, rules, now)
    customer_id = key(fields.text("customer_id"), fields.text("session_id"))
    if customer_id is None and not fields.errors.keys() & set(WHOSE):
        fields.wrong("customer_id", "is missing; say whose event it is: customer_id or session_id")
    lines = _lines(fields, event)
    more = {name: fields.text(name) for name in ("recommendation_id", "decision_id")}
    more["currency"] = fields.currency(rules.currency)
    tells = _tells(fields, event)
    if fields.errors or customer_id is None:
        return Receipt(index, "refused", event_id, fields.errors)
    known_as = event_id or (digest(row) if _timed(row) else new_id())
    entries = tuple(
        Entry(customer_id, _keys(line, number, event_id, known_as), line.at, encode(line, event_id=known_as, **more))
        for number, line in enumerate(lines)
    )
    login = event.name == "login" and "customer_id" in row and row["customer_id"] is not None
    return Row(index, known_as, customer_id, entries, tells, fields.text("session_id") if login else None)


def _event(fields: Fields, rules: Rules, now: int) -> Event:
    """The event that all lines of a row have in common."""
    name = fields.text("event", longest=LONGEST_NAME)
    if name is None and "event" not in fields.errors:
        fields.wrong("event", "is missing; name what happened, like view_item or purchase")
    at = fields.time("time", now=now, max_age_days=rules.max_age_days)
    for alias in WHEN[1:]:
        at = at if at is not None else fields.microseconds(alias, now=now, max_age_days=rules.max_age_days)
    return Event(name or "", now if at is None else at, order_id=fields.text("order_id"), extra=_extra(fields))


def _extra(fields: Fields) -> dict[str, Any]:
    """What we have no name for is kept as it came, within bounds."""
    extra = {name: value for name, value in fields.row.items() if name not in KNOWN}
    if len(orjson.dumps(extra)) > MOST_EXTRA_BYTES:
        fields.wrong("extra", f"unknown fields hold more than {MOST_EXTRA_BYTES} bytes; send less with the event")
    return extra


def _lines(fields: Fields, event: Event) -> list[Event]:
    """One event an item; lines of the same item are one line. Without items, one event that is about the item named, or about none."""
    items = fields.row.get("items")
    if items is None or items == []:
        return [_line(fields, event)]
    if not isinstance(items, list) or len(items) > MOST_LINES:
        fields.wrong("items", f"is not a list of at most {MOST_LINES} items")
        return []
    lines: dict[str, Event] = {}
    for number, item in enumerate(items):
        line = _item_line(fields, event, item, number)
        if line is not None and line.item_id is not None:
            same = lines.get(line.item_id)
            lines[line.item_id] = line if same is None else _sum(same, line)
    return _with_value(fields, list(lines.values()))


def _item_line(fields: Fields, event: Event, item: Any, number: int) -> Event | None:
    if isinstance(item, str):
        item = {"item_id": item}
    if not isinstance(item, dict):
        fields.wrong(f"items.{number}", f'{brief(item)} is no object; write {{"item_id": …}}')
        return None
    own = Fields(item)
    line = _line(own, replace(event, extra={**event.extra, **_extra(own)}))
    if line.item_id is None and not own.errors:
        own.wrong("item_id", "is missing")
    for name, messages in own.errors.items():
        fields.errors.setdefault(f"items.{number}.{name}", []).extend(messages)
    return line


def _line(fields: Fields, event: Event) -> Event:
    quantity = fields.number("quantity", above=0, most=MOST_PIECES)
    price = fields.money("price")
    value = fields.money("value") if price is None else None
    quantity = 1.0 if quantity is None else quantity
    amount = price * Decimal(str(quantity)) if price is not None else value or Decimal(0)
    if amount >= MOST_MONEY:
        fields.wrong("price", f"{amount} is more money than there is")
    return replace(event, item_id=fields.text("item_id"), quantity=quantity, amount=minor(amount))


def _with_value(fields: Fields, lines: list[Event]) -> list[Event]:
    """Where no line has a price, the value of the whole basket stands on its first line."""
    value = fields.money("value")
    if value and lines and not any(line.amount for line in lines):
        return [replace(lines[0], amount=minor(value)), *lines[1:]]
    return lines


def _sum(one: Event, other: Event) -> Event:
    return replace(one, quantity=one.quantity + other.quantity, amount=one.amount + other.amount)


# --- known again ------------------------------------------------------------------------------------------------------------------------


def _keys(line: Event, number: int, event_id: str | None, known_as: str) -> tuple[str, ...]:
    """By what a line is known again. An order has an item once, but it may come back piece by piece: two refunds differ by event_id."""
    by_id = f"event:{known_as}" if number == 0 else f"event:{known_as}:{number}"
    once = line.name == "purchase" or (line.name == "refund" and event_id is None)
    if once and line.order_id is not None:
        return (by_id, digest([line.name, line.order_id, line.item_id]))
    return (by_id,)


def _timed(row: Mapping[str, Any]) -> bool:
    return any(row.get(name) is not None for name in WHEN)


# --- what an event says of her facts ----------------------------------------------------------------------------------------------------


def _tells(fields: Fields, event: Event) -> Callable[[Facts], Facts] | None:
    """An unsubscription withdraws her consent, a consent is kept, a bounced address is used no more; other events tell nothing."""
    if event.name == "unsubscribe":
        return withdrawal(MARKETING, fields.text("channel") or "email", event.at, source="unsubscribe")
    if event.name == "email_bounce" and fields.row.get("bounce_type") != "soft":
        return lambda facts: facts_of.with_do_not_contact(facts, "email", "bounced")
    if event.name == "consent":
        return _consent(fields, event)
    return None


def _consent(fields: Fields, event: Event) -> Callable[[Facts], Facts]:
    status = fields.text("status")
    if status not in facts_of.STATUSES:
        fields.wrong("status", f"{status!r} is none of {', '.join(facts_of.STATUSES)}")
    consent = {
        "purpose": fields.text("purpose") or MARKETING,
        "channel": fields.text("channel") or facts_of.EVERY,
        "status": status,
        "at": event.at,
        "source": fields.text("source") or "event",
    }
    return lambda facts: facts_of.with_consents(facts, [consent])


def withdrawal(purpose: str, channel: str, at: int, *, source: str) -> Callable[[Facts], Facts]:
    """The change of facts that takes back a consent."""
    consent = {"purpose": purpose, "channel": channel, "status": "withdrawn", "at": at, "source": source}
    return lambda facts: facts_of.with_consents(facts, [consent])


def summary(receipts: Iterable[Receipt]) -> dict[str, Any]:
    """Receipts in the shape of the contract."""
    listed = [
        {"index": one.index, "status": one.status, "event_id": one.event_id, "errors": dict(one.errors)}
        for one in receipts
    ]
    counts = {status: sum(one["status"] == status for one in listed) for status in ("accepted", "repeated", "refused")}
    return {**counts, "results": listed}
