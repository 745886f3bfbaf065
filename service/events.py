"""Events: what happened, as sites, servers and tag managers tell it.

Three forms come in: plain rows, the GA4 data layer (`event`, `ecommerce.items[]`), the GA4 Measurement Protocol (`events[].name/params`).

    payload → rows (one form) → entries (one a line of a basket) → store: logged once, folded into the profile → a receipt a row

A row is accepted, repeated or refused with what is wrong in each field; accepted means that it is in the log. The same event is known again
by its `event_id`; a line of a purchase also by its order and item; without either, by all that it says, where it says when. An item that the
catalogue does not know is kept and marked. A visit without a customer_id keeps nothing personal; of who was erased, nothing late is taken back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

from models.event_log import encode, fold_in
from models.profile import Event
from models.profile.wishes import WISHED
from service.event_forms import rows
from service.event_lines import WHEN, WHOSE, Common, lines_of, read_common
from service.fields import Fields, brief, digest
from service.people import consents
from service.people.consents import Tells
from service.people.customers import key
from service.people.erasure import Tombs
from service.people.facts import impersonal
from service.people.identity import merge_session
from service.people.lookup import note_orders
from service.people.pseudonyms import Pseudonyms
from service.store import Entry, Store

ERASED = {"time": ["is before this customer was erased; what was before is not taken back"]}
NOTHING: Mapping[str, Sequence[str]] = {}
UNKNOWN_ITEM = "unknown_item"  # the mark of an event about an item that the catalogue does not know


@dataclass(frozen=True)
class Rules:
    """What the shop accepts.

    currency      None: that of the first row of a call that names one
    max_age_days  0: any age
    whose         the customer of a row: the one it names, or of its customer_token
    known_item    whether the catalogue knows an item; None: there is no catalogue to ask
    price         of an item now, minor units; None where nobody knows
    """

    currency: str | None = None
    max_age_days: int = 30
    known_item: Callable[[str], bool] | None = None
    price: Callable[[str], int | None] = lambda _: None
    whose: Callable[[Fields], str | None] = lambda fields: fields.text("customer_id")


@dataclass(frozen=True)
class Receipt:
    """What became of one row; `errors` are messages by field, of a refused row only; `warnings` are of one that is kept."""

    index: int
    status: Literal["accepted", "repeated", "refused"]
    event_id: str | None
    errors: Mapping[str, Sequence[str]] = field(default_factory=dict)
    warnings: Mapping[str, Sequence[str]] = field(default_factory=dict)


class Row(NamedTuple):
    """One row that can be kept: its place in the call, its lines, and what it says of her facts (None: nothing)."""

    place: int
    event_id: str
    customer_id: str
    event: Common
    entries: Sequence[Entry]
    currency: str | None
    timed: bool  # it says when it happened
    tells: Tells | None = None
    session_id: str | None = None  # of which a login says that it is hers
    warnings: Mapping[str, Sequence[str]] = NOTHING


def record(
    payload: Any,
    *,
    store: Store,
    rules: Rules,
    now: int,
    new_id: Callable[[], str],
    pseudonyms: Pseudonyms | None = None,
) -> list[Receipt]:
    """Keep what can be kept; a receipt a row. Raises InputError for what is no list of 1 to 500 rows, StoreUnavailable."""
    pseudonyms = pseudonyms or Pseudonyms(store)
    read = _without_erased(
        _read_all(rows(payload), rules=rules, now=now, new_id=new_id), tombs=Tombs(store, pseudonyms)
    )
    kept = [row for row in read if isinstance(row, Row)]
    _tell(kept, store=store, pseudonyms=pseudonyms)
    entries = [entry for row in kept for entry in row.entries]
    statuses = iter(store.record(entries, fold, consents.sift) if entries else ())
    return [row if isinstance(row, Receipt) else _receipt(row, [next(statuses) for _ in row.entries]) for row in read]


def fold(_: str, profile: bytes | None, entries: Sequence[Entry]) -> bytes:
    """The store's Fold: a profile after some entries of the log."""
    return fold_in(profile, (entry.body for entry in entries))


def _tell(kept: Sequence[Row], *, store: Store, pseudonyms: Pseudonyms) -> None:
    """Change what the rows say of names, consents and orders. It does no harm to do so twice, so that it comes before the log."""
    orders: dict[str, set[str]] = {}
    for row in kept:
        if row.session_id is not None:
            merge_session(store, row.session_id, row.customer_id)
        if row.tells is not None:
            consents.change(store, row.customer_id, row.tells)
        if row.event.name == "purchase" and row.event.order_id is not None:
            orders.setdefault(row.customer_id, set()).add(row.event.order_id)
    for customer_id, order_ids in orders.items():
        note_orders(store, pseudonyms, customer_id, sorted(order_ids))


def _receipt(row: Row, statuses: Sequence[str]) -> Receipt:
    status: Literal["accepted", "repeated"] = "accepted" if "accepted" in statuses else "repeated"
    return Receipt(row.place, status, row.event_id, warnings=row.warnings)


def _without_erased(read: Sequence[Row | Receipt], *, tombs: Tombs) -> list[Row | Receipt]:
    """What is told late of somebody who was erased since is refused; what comes without a time happens now, and begins her anew."""
    erased = tombs.erased(row.customer_id for row in read if isinstance(row, Row) and row.timed)
    return [
        Receipt(row.place, "refused", row.event_id, ERASED)
        if isinstance(row, Row) and row.timed and row.event.at <= erased.get(row.customer_id, -1)
        else row
        for row in read
    ]


# --- a row ------------------------------------------------------------------------------------------------------------------------------


def _read_all(given: Sequence[Any], *, rules: Rules, now: int, new_id: Callable[[], str]) -> list[Row | Receipt]:
    """Every row; where the shop's currency is unknown, the first that is named is that of the whole call."""
    read: list[Row | Receipt] = []
    for index, row in enumerate(given):
        one = _read(row, index, rules=rules, now=now, new_id=new_id)
        if rules.currency is None and isinstance(one, Row) and one.currency is not None:
            rules = replace(rules, currency=one.currency)
        read.append(one)
    return read


def _read(row: Any, index: int, *, rules: Rules, now: int, new_id: Callable[[], str]) -> Row | Receipt:
    if not isinstance(row, dict):
        return Receipt(index, "refused", None, {"event": [f"{type(row).__name__} is no object; write {{…}}"]})
    fields = Fields(row)
    event_id = fields.text("event_id")
    event = read_common(fields, now=now, max_age_days=rules.max_age_days)
    name = rules.whose(fields)
    customer_id = key(name, fields.text("session_id"))
    if customer_id is None and not fields.errors.keys() & set(WHOSE):
        fields.wrong("customer_id", "is missing; say whose event it is: customer_id or session_id")
    currency = fields.currency(rules.currency)
    more = {"recommendation_id": fields.text("recommendation_id"), "decision_id": fields.text("decision_id")}
    lines = _priced(lines_of(fields, event, currency or rules.currency), rules)
    tells = consents.told(fields, event.name, event.at)
    if fields.errors or customer_id is None:
        return Receipt(index, "refused", event_id, fields.errors)
    timed = not row.keys().isdisjoint(WHEN) and any(map(row.get, WHEN))
    known_as = event_id or (digest(row) if timed else new_id())
    named = name is not None
    strange = _strange(lines, rules)
    more |= {"currency": currency, "event_id": known_as}
    entries = []
    for number, line in enumerate(lines):
        body = _body(line, more, strange=line.item_id in strange, named=named)
        entries.append(Entry(customer_id, _keys(line, number, event_id, known_as), line.at, body, received=now))
    session_id = fields.text("session_id") if event.name == "login" and named else None
    warnings = (
        {"item_id": [f"{brief(item_id)} is not in the catalogue; it is kept" for item_id in strange]} if strange else {}
    )
    return Row(index, known_as, customer_id, event, entries, currency, timed, tells, session_id, warnings)


def _strange(lines: Iterable[Event], rules: Rules) -> list[str]:
    """The items that the catalogue does not know."""
    ids = dict.fromkeys(line.item_id for line in lines if line.item_id is not None)
    return [item_id for item_id in ids if rules.known_item is not None and not rules.known_item(item_id)]


def _body(line: Event, more: Mapping[str, Any], *, strange: bool, named: bool) -> bytes:
    """The line as it is logged: of a visit without a name nothing personal, and marked where its item is unknown."""
    line = line if named or not line.extra else line._replace(extra=impersonal(line.extra))
    return encode(line, **more, **{UNKNOWN_ITEM: True}) if strange else encode(line, **more)


def _priced(lines: list[Event], rules: Rules) -> list[Event]:
    """The lines, where what is wished for without a price has the shop's of today: the wish list remembers what it cost."""
    if not lines or lines[0].name != WISHED or any(line.amount for line in lines):
        return lines
    prices = [rules.price(line.item_id) or 0 if line.item_id is not None else 0 for line in lines]
    return [line._replace(amount=round(price * line.quantity)) for line, price in zip(lines, prices, strict=True)]


# --- known again ------------------------------------------------------------------------------------------------------------------------


def _keys(line: Event, number: int, event_id: str | None, known_as: str) -> tuple[str, ...]:
    """By what a line is known again. An order has an item once, but it may come back piece by piece: two refunds differ by event_id."""
    by_id = f"event:{known_as}" if number == 0 else f"event:{known_as}:{number}"
    once = line.name == "purchase" or (line.name == "refund" and event_id is None)
    if once and line.order_id is not None:
        return (by_id, digest([line.name, line.order_id, line.item_id]))
    return (by_id,)


def summary(receipts: Iterable[Receipt]) -> dict[str, Any]:
    """Receipts in the shape of the contract."""
    listed, counts = [], {"accepted": 0, "repeated": 0, "refused": 0}
    for one in receipts:
        counts[one.status] += 1
        row = {"index": one.index, "status": one.status, "event_id": one.event_id, "errors": one.errors}
        listed.append(row | {"warnings": one.warnings} if one.warnings else row)
    return {**counts, "results": listed}
