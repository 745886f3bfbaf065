"""Events: what happened, as sites, servers and tag managers tell it.

Three forms come in: plain rows, the GA4 data layer (`event`, `ecommerce.items[]`), the GA4 Measurement Protocol (`events[].name/params`).

    payload → rows (one form) → entries (one a line of a basket) → store: logged once, folded into the profile → a receipt a row

A row is accepted, repeated or refused with what is wrong in each field; accepted means that it is in the log. The same event is known again
by its `event_id`; a line of a purchase also by its order and item; without either, by all that it says, where it says when. What a page tells
never makes a server's event a repeat (of orders that both tell, see service.people.orders). An item that the catalogue does not know is kept
and marked. A visit without a customer_id keeps nothing personal; of who was erased, nothing late is taken back.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple, get_args

from models.event_log import encode, fold_in
from models.profile import Event
from models.profile.wishes import WISHED
from service.event_forms import rows
from service.event_lines import WHOSE, Common, lines_of, read_common
from service.fields import Fields, brief, digest
from service.people import consents, orders
from service.people.consents import Tells
from service.people.customers import key
from service.people.erasure import Tombs
from service.people.facts import impersonal
from service.people.identity import merge_session
from service.people.lookup import ORDER, note_orders
from service.people.pseudonyms import Pseudonyms
from service.store import Entry, Store

Status = Literal["accepted", "repeated", "refused"]
STATUSES: tuple[Status, ...] = get_args(Status)
ERASED = {"time": ["is before this customer was erased; what was before is not taken back"]}
NOTHING: Mapping[str, Sequence[str]] = {}
LINKS = ("recommendation_id", "decision_id")
UNKNOWN_ITEM = "unknown_item"  # the mark of an event about an item that the catalogue does not know


@dataclass(frozen=True)
class Rules:
    """What the shop accepts.

    currency      None: that of the first row of a call that names one
    max_age_days  0: any age
    whose         the customer of a row: the one it names, or of its customer_token
    page          whether a page tells it, whose word nobody can vouch for
    strange       of some items those that the catalogue does not know; none where there is no catalogue to ask
    price         of an item now, minor units; None where nobody knows
    """

    currency: str | None = None
    max_age_days: int = 30
    strange: Callable[[Collection[str]], Collection[str]] = lambda _: ()
    price: Callable[[str], int | None] = lambda _: None
    whose: Callable[[Fields], str | None] = lambda fields: fields.text("customer_id")
    page: bool = False


@dataclass(frozen=True)
class Receipt:
    """What became of one row; `errors` are messages by field, of a refused row only; `warnings` are of one that is kept."""

    index: int
    status: Status
    event_id: str | None
    errors: Mapping[str, Sequence[str]] = field(default_factory=dict)
    warnings: Mapping[str, Sequence[str]] = field(default_factory=dict)


class Row(NamedTuple):
    """One row that can be kept: its place in the call, its lines, and what it says of her facts (None: nothing).

    again  by what it is known again: its event_id, or all that it says, where it says when; None: by nothing
    once   whether its order has an item once, so that a line is known again by both
    said   what is kept with each line
    """

    place: int
    event_id: str
    again: str | None
    once: bool
    customer_id: str
    event: Common
    lines: Sequence[Event]
    said: Mapping[str, str]
    named: bool  # a customer did it, not a visit
    tells: Tells | None = None
    session_id: str | None = None  # of which a login says that it is hers
    page: bool = False

    @property
    def order_id(self) -> str | None:
        """The order that it tells; None where it tells none."""
        return self.event.order_id if self.event.name == "purchase" else None


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
    bought = {(row.customer_id, row.order_id) for row in read if isinstance(row, Row) and row.order_id is not None}
    old = orders.of_server(store, pseudonyms, {one for _, one in bought}) if rules.page else set[str]()
    read = [row._replace(lines=()) if isinstance(row, Row) and row.order_id in old else row for row in read]
    kept = [row for row in read if isinstance(row, Row)]
    by_pages = orders.of_pages(store, pseudonyms, bought) if bought and not rules.page else {}
    _tell(kept, store=store, pseudonyms=pseudonyms, orders_as=orders.OF_PAGE if rules.page else ORDER)
    strange = rules.strange({line.item_id for row in kept for line in row.lines if line.item_id is not None})
    entries = [entry for row in kept for entry in _entries(row, strange, by_pages, now)]
    statuses = iter(store.record(entries, fold, consents.sift) if entries else ())
    if by_pages:
        store.drop(list({entry.sequence: entry for entry in by_pages.values()}.values()))
    return [row if isinstance(row, Receipt) else _receipt(row, statuses, strange) for row in read]


def fold(_: str, profile: bytes | None, entries: Sequence[Entry]) -> bytes:
    """The store's Fold: a profile after some entries of the log."""
    return fold_in(profile, (entry.body for entry in entries))


def _tell(kept: Sequence[Row], *, store: Store, pseudonyms: Pseudonyms, orders_as: str) -> None:
    """Change what the rows say of names, consents and orders. It does no harm to do so twice, so that it comes before the log."""
    bought: dict[str, set[str]] = {}
    tells: dict[str, list[Tells]] = {}
    for row in kept:
        if row.session_id is not None:
            merge_session(store, row.session_id, row.customer_id)
        if row.tells is not None:
            tells.setdefault(row.customer_id, []).append(row.tells)
        if row.order_id is not None and row.lines:
            bought.setdefault(row.customer_id, set()).add(row.order_id)
    for customer_id, told in tells.items():
        consents.change(store, customer_id, consents.in_turn(told))
    for customer_id, order_ids in bought.items():
        note_orders(store, pseudonyms, customer_id, sorted(order_ids), kind=orders_as)


def _receipt(row: Row, statuses: Iterator[str], strange: Collection[str]) -> Receipt:
    """The receipt of a row, `statuses` begin with those of its lines."""
    new = "accepted" in [next(statuses) for _ in row.lines]
    unknown = [brief(line.item_id) for line in row.lines if line.item_id in strange]
    warnings = {"item_id": [f"{one} is not in the catalogue; it is kept" for one in unknown]} if unknown else NOTHING
    return Receipt(row.place, "accepted" if new else "repeated", row.event_id, warnings=warnings)


def _without_erased(read: Sequence[Row | Receipt], *, tombs: Tombs) -> list[Row | Receipt]:
    """What is told late of somebody who was erased since is refused; what comes without a time happens now, and begins her anew."""
    erased = tombs.erased(row.customer_id for row in read if isinstance(row, Row) and row.event.timed)
    return [
        Receipt(row.place, "refused", row.event_id, ERASED)
        if isinstance(row, Row) and row.event.timed and row.event.at <= erased.get(row.customer_id, -1)
        else row
        for row in read
    ]


# --- a row ------------------------------------------------------------------------------------------------------------------------------


def _read_all(given: Sequence[Any], *, rules: Rules, now: int, new_id: Callable[[], str]) -> list[Row | Receipt]:
    """Every row; where the shop's currency is unknown, the first that is named is that of the whole call."""
    read: list[Row | Receipt] = []
    for index, row in enumerate(given):
        one = _read(row, index, rules=rules, now=now, new_id=new_id)
        if rules.currency is None and isinstance(one, Row) and "currency" in one.said:
            rules = replace(rules, currency=one.said["currency"])
        read.append(one)
    return read


def _read(row: Any, index: int, *, rules: Rules, now: int, new_id: Callable[[], str]) -> Row | Receipt:
    if not isinstance(row, dict):
        return Receipt(index, "refused", None, {"event": [f"{type(row).__name__} is no object; write {{…}}"]})
    fields = Fields(row)
    event_id = fields.text("event_id")
    event = read_common(fields, now=now, max_age_days=rules.max_age_days)
    name = rules.whose(fields)
    session_id = fields.text("session_id")
    customer_id = key(name, session_id)
    if customer_id is None and fields.errors.keys().isdisjoint(WHOSE):
        fields.wrong("customer_id", "is missing; say whose event it is: customer_id or session_id")
    currency = fields.currency(rules.currency)
    said = {link: text for link in LINKS if link in row and (text := fields.text(link)) is not None}
    lines = _priced(lines_of(fields, event, currency or rules.currency), rules)
    tells = consents.told(fields, event.name, event.at)
    if fields.errors or customer_id is None:
        return Receipt(index, "refused", event_id, fields.errors)
    again = event_id or (digest(row) if event.timed else None)
    once = event.order_id is not None and (event.name == "purchase" or (event.name == "refund" and event_id is None))
    if currency is not None:
        said["currency"] = currency
    known_as = said["event_id"] = again or new_id()
    if rules.page and event.name == "purchase" and once:
        said[orders.TOLD_BY] = orders.PAGE
    of_login = session_id if event.name == "login" and name is not None else None
    return Row(
        index, known_as, again, once, customer_id, event, lines, said, name is not None, tells, of_login, rules.page
    )


def _priced(lines: list[Event], rules: Rules) -> list[Event]:
    """The lines, where what is wished for without a price has the shop's of today: the wish list remembers what it cost."""
    if not lines or lines[0].name != WISHED or any(line.amount for line in lines):
        return lines
    prices = [rules.price(line.item_id) or 0 if line.item_id is not None else 0 for line in lines]
    return [line._replace(amount=round(price * line.quantity)) for line, price in zip(lines, prices, strict=True)]


# --- what is logged ---------------------------------------------------------------------------------------------------------------------


def _entries(row: Row, strange: Collection[str], counted: Collection[orders.Line], now: int) -> Iterator[Entry]:
    """The lines as they are logged: of a visit without a name nothing personal, and marked where the item is unknown."""
    for number, line in enumerate(row.lines):
        kept = line if row.named or not line.extra else line._replace(extra=impersonal(line.extra))
        body = encode(kept, **row.said, **{UNKNOWN_ITEM: True} if line.item_id in strange else NOTHING)
        folded = not counted or (row.customer_id, row.order_id, line.item_id) not in counted
        yield Entry(row.customer_id, _keys(row, line, number), line.at, body, received=now, folded=folded)


def _keys(row: Row, line: Event, number: int) -> tuple[str, ...]:
    """By what a line is known again. An order has an item once, but it may come back piece by piece: two refunds differ by event_id."""
    kind, by = ("page", (orders.PAGE,)) if row.page else ("event", ())
    keys = () if row.again is None else (f"{kind}:{row.again}:{number}" if number else f"{kind}:{row.again}",)
    return (*keys, digest([*by, line.name, line.order_id, line.item_id])) if row.once else keys


def summary(receipts: Iterable[Receipt]) -> dict[str, Any]:
    """Receipts in the shape of the contract."""
    listed, counts = [], {"accepted": 0, "repeated": 0, "refused": 0}
    for one in receipts:
        counts[one.status] += 1
        row = {"index": one.index, "status": one.status, "event_id": one.event_id, "errors": one.errors}
        listed.append(row | {"warnings": one.warnings} if one.warnings else row)
    return {**counts, "results": listed}
