"""A store of each kind, and a fold whose profile is the list of what was folded, so that order and number are seen by eye."""

from __future__ import annotations

import json
from collections.abc import Sequence

from service.store import Entry, Store


def fold(customer_id: str, profile: bytes | None, entries: Sequence[Entry]) -> bytes:
    """The profile is the JSON list of the bodies, in the order folded."""
    return json.dumps([*json.loads(profile or b"[]"), *(entry.body.decode() for entry in entries)]).encode()


def event(customer_id: str, body: str, *keys: str, at: int = 1_000) -> Entry:
    """An event whose body is a word; by default the word is its key too."""
    return Entry(customer_id, keys or (body,), at, body.encode())


def folded(store: Store, customer_id: str) -> list[str] | None:
    """What the customer's profile is made of."""
    customer = store.customer(customer_id)
    return None if customer is None or customer.profile is None else json.loads(customer.profile)
