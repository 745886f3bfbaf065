"""The timeline: what happened to a customer, what we decided, what came of it, what she allowed; newest first, by the page."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from models.event_log import decode
from models.profile import money, rfc3339
from service.decisions import ledger as ledger_of
from service.events import UNKNOWN_ITEM
from service.fields import digest
from service.people import facts as facts_of
from service.store import Customer, Entry, Store

UNKNOWN = f'"{UNKNOWN_ITEM}":true'.encode()


@dataclass(frozen=True, order=True)
class Mark:
    """A place in a timeline: a time, and a digest that orders what happened in the same second."""

    at: int
    digest: str

    def __str__(self) -> str:
        return f"{self.at}-{self.digest}"


def mark(text: str) -> Mark:
    """The mark that `next` gave; ValueError for what is none."""
    at, _, rest = text.partition("-")
    if not (at.isascii() and at.isdigit() and len(at) <= 12):
        raise ValueError(f"{text!r} is not a mark that `next` gave")
    return Mark(int(at), rest)


def timeline(store: Store, customer: Customer, *, limit: int, before: Mark | None) -> dict[str, Any]:
    """The newest `limit` entries before a mark; `next` is the mark to go on from, None at the end."""
    marked = ((Mark(entry["at"], digest(entry)[:12]), entry) for entry in _entries(store, customer))
    older = ((place, entry) for place, entry in marked if before is None or place < before)
    page = heapq.nlargest(limit + 1, older, key=lambda pair: pair[0])
    shown = [{**entry, "at": rfc3339(entry["at"])} for _, entry in page[:limit]]
    return {"entries": shown, "next": str(page[limit - 1][0]) if len(page) > limit else None}


def _entries(store: Store, customer: Customer) -> Iterator[dict[str, Any]]:
    yield from _events(store, customer.customer_id)
    for contact in ledger_of.load(customer.ledger).contacts:
        decided = {"id": contact.decision_id, "channel": contact.channel, "actions": list(contact.actions)}
        yield {"at": contact.at, "kind": "decision", **decided}
        for action_id, outcomes in contact.outcomes.items():
            for outcome, at in outcomes.items():
                told = {"id": contact.decision_id, "action_id": action_id, "outcome": outcome}
                yield {"at": at, "kind": "outcome", **told}
    for consent in facts_of.load(customer.facts)["consents"]:
        yield {"kind": "consent", "id": digest(consent), **consent}


def _id(entry: Entry) -> str:
    """The event's id, with the number of the line behind it; of what has no such key, the id that its body names."""
    named = (name for kind, _, name in (key.partition(":") for key in entry.keys) if name)
    return next(named, None) or orjson.loads(entry.body).get("event_id") or str(entry.sequence)


def _events(store: Store, customer_id: str) -> Iterator[dict[str, Any]]:
    for entry in store.events(customer_id=customer_id):
        event = decode(entry.body)
        yield {
            "at": event.at,
            "kind": "event",
            "id": _id(entry),
            "event": event.name,
            "item_id": event.item_id,
            "quantity": event.quantity,
            "amount": money(event.amount),
            "order_id": event.order_id,
            **({UNKNOWN_ITEM: True} if UNKNOWN in entry.body else {}),
        }
