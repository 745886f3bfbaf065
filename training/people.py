"""What training reads from the store and tells it: the events that the service collected, everybody's profile, what the shop knows of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice, takewhile
from pathlib import Path
from typing import Any

import orjson

from models.changes import Change
from models.errors import InputError
from models.event_log import decode
from models.profile import Event
from models.settings import DAY_S
from service import events, items
from service.people import facts, orders
from service.people.erasure import Tombs
from service.people.lookup import change_facts
from service.people.pseudonyms import Pseudonyms
from service.store import Entry, Store
from training import rights
from training.archive import Archive
from training.history import EVENTS, History
from training.profiles import profiles

BATCH = 500
OF_HISTORY = frozenset(EVENTS) - {
    "other"
}  # what the history holds; the rest is folded into profiles as it stands in the log
MINOR = 100


@dataclass(frozen=True)
class Told:
    """What the service has collected up to event number `sequence`.

    also     events by customer that no history holds
    items    what the shop said of its items, by item; up to version `version` of the store of this name
    """

    sequence: int = 0
    also: Mapping[str, Sequence[Event]] | None = None
    items: Mapping[str, Change] = field(default_factory=dict)
    version: int = 0
    store: str | None = None

    @property
    def put(self) -> list[str]:
        """The ids of items that were put as a whole: they are in the catalogue, whatever else knows them."""
        return [item_id for item_id, change in self.items.items() if change.whole and not change.deleted]


def drained(store: Store | None, folder: Path, *, keep_days: int) -> Archive | None:
    """The archive of a store that keeps few events, with all that came since; None for a store that keeps them itself."""
    if store is None or not store.capped:
        return None
    archive = Archive(folder, Tombs(store, Pseudonyms(store)))
    archive.drain(store)
    archive.forget(keep_s=keep_days * DAY_S)
    return archive


def logged(store: Store, archive: Archive | None, *, upto: int) -> Iterator[Entry]:
    """Every event that the service has collected, up to a number: first what the log no longer holds."""
    if archive is not None:
        yield from archive.events(store)
    yield from takewhile(lambda entry: entry.sequence <= upto, store.events())


def _overruled(store: Store, pseudonyms: Pseudonyms, entry: Entry) -> bool:
    """Whether a page told this line of an order that the shop's server told too."""
    return orders.told_by_page(entry) and bool(orders.of_server(store, pseudonyms, [decode(entry.body).order_id or ""]))


def told(store: Store | None, archive: Archive | None = None) -> Told:
    """The log's newest number, its events that are not about buying an item, and what the shop said of its items."""
    if store is None:
        return Told()
    sequence, also, pseudonyms = store.newest(), dict[str, list[Event]](), Pseudonyms(store)
    for entry in logged(store, archive, upto=sequence):
        event = decode(entry.body)
        if not _of_history(event) and not _overruled(store, pseudonyms, entry):
            also.setdefault(entry.customer_id, []).append(event)
    version, documents = store.items()
    changes = {item_id: items.load(document) for item_id, document in documents.items()}
    return Told(sequence, also, changes, version, items.name(store))


def bought_and_seen(store: Store | None, upto: int, archive: Archive | None = None) -> Iterator[dict[str, Any]]:
    """The log's events about items up to a number, as flat rows that training.read takes; of an order, the server's word before a page's."""
    if store is None:
        return
    pseudonyms = Pseudonyms(store)
    for entry in logged(store, archive, upto=upto):
        event = decode(entry.body)
        if _of_history(event) and not _overruled(store, pseudonyms, entry):
            yield _flat(entry.customer_id, event)


def publish_profiles(store: Store, history: History, returned: History, known: Told, *, now: int) -> int:
    """Set the profile of everybody in the history, with what was `returned` (see training.read); returns how many.

    Events after `known` are folded in again by the store.
    """
    before = rights.erased(store)
    everybody = rights.publishable(store, profiles(history, now=now, returned=returned, also=known.also))
    count = store.publish(everybody, sequence=known.sequence, fold=events.fold)
    return count - rights.erase_again(store, _names(returned, known), before)


def _names(returned: History, known: Told) -> Iterator[str]:
    """Everybody's; who is in the history is among the customers of `returned`, too."""
    yield from returned.customers.texts(range(len(returned.customers)))
    yield from known.also or ()


def publish_attributes(store: Store, customers: Iterable[Mapping[str, Any]]) -> int:
    """Set what the shop's customer file says of each customer, but of none who was erased; returns how many.

    Rows without a customer id are refused by the reader.
    """
    gone, pseudonyms, count = rights.erased(store), Pseudonyms(store), 0
    for row in customers:
        customer_id = str(row["customer_id"])
        if customer_id in gone:
            continue
        said = {name: value for name, value in row.items() if name != "customer_id"}
        change_facts(store, pseudonyms, customer_id, partial(facts.with_attributes, changes=said))
        count += 1
    return count


def record_events(store: Store, path: Path, *, currency: str | None, now: int) -> int:
    """Post a file of events (JSON lines, as POST /events takes them) as the service would; known ones are not counted again."""
    accepted = 0
    with path.open("rb") as lines:
        while batch := list(islice(lines, BATCH)):
            receipts = events.record(
                [orjson.loads(line) for line in batch],
                store=store,
                rules=events.Rules(currency=currency, max_age_days=0),
                now=now,
                new_id=lambda: "",
            )
            refused = [one for one in receipts if one.status == "refused" and one.errors != events.ERASED]
            if refused:
                raise InputError(f"{path}: event {refused[0].index} of a batch is refused: {dict(refused[0].errors)}")
            accepted += sum(receipt.status == "accepted" for receipt in receipts)
    return accepted


def _of_history(event: Event) -> bool:
    return event.item_id is not None and event.name in OF_HISTORY


def _flat(customer_id: str, event: Event) -> dict[str, Any]:
    row: dict[str, Any] = {"event": event.name, "customer_id": customer_id, "item_id": event.item_id, "time": event.at}
    price = abs(event.amount) / MINOR / event.quantity if event.quantity else 0.0
    return row | {"order_id": event.order_id, "quantity": event.quantity, "price": price or None}
