"""Profiles, as events are logged and folded into them, and as training computed them."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import chain, compress

from models.errors import InputError
from service.store import Entry, Fold, Status
from service.store.sqlite import events, names
from service.store.sqlite.text import by_pages, marks

SET = """INSERT INTO customers (customer_id, profile, sequence) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET profile = excluded.profile, sequence = excluded.sequence"""


def record(db: sqlite3.Connection, entries: Sequence[Entry], fold: Fold) -> list[Status]:
    """See service.store.Store.record."""
    owners = names.owners(db, {entry.customer_id for entry in entries})
    entries = [_of(entry, owners) for entry in entries]
    is_new = events.unknown(db, entries)
    accepted = list(compress(entries, is_new))
    hers: dict[str, list[Entry]] = {}
    for entry in accepted:
        hers.setdefault(entry.customer_id, []).append(entry)
    last = events.log(db, accepted)
    kept = _several(db, list(hers))
    db.executemany(SET, ((name, fold(name, kept.get(name), new), last[name]) for name, new in hers.items()))
    return ["accepted" if one else "repeated" for one in is_new]


def _of(entry: Entry, owners: Mapping[str, str]) -> Entry:
    """The entry as one of the customer whom it names."""
    owner = owners.get(entry.customer_id)
    return entry if owner is None else replace(entry, customer_id=owner)


def _several(db: sqlite3.Connection, customer_ids: Collection[str]) -> dict[str, bytes | None]:
    """The profile of each customer who is known."""
    query = "SELECT customer_id, profile FROM customers WHERE customer_id IN"
    parts = by_pages(customer_ids)
    return dict(chain.from_iterable(db.execute(f"{query} ({marks(part)})", part) for part in parts))


def publish(db: sqlite3.Connection, chunk: Sequence[tuple[str, bytes]], sequence: int, fold: Fold) -> None:
    """Set profiles that training computed from the log up to `sequence`, with what came since."""
    if sequence > events.newest(db):
        raise InputError(
            f"the event log has not come to {sequence}: it was emptied or exchanged since training read it. Train again."
        )
    ids = [customer_id for customer_id, _ in chunk]
    others = names.owners(db, ids)
    query = f"SELECT customer_id FROM customers WHERE sequence > ? AND customer_id IN ({marks(ids)})"
    late = {customer_id for (customer_id,) in db.execute(query, (sequence, *ids))}
    for customer_id, profile in chunk:
        if customer_id in others:
            continue
        if customer_id in late and (since := events.page(db, sequence, customer_id, -1)):
            db.execute(SET, (customer_id, fold(customer_id, profile, since), since[-1].sequence))
        else:
            db.execute(SET, (customer_id, profile, sequence))
