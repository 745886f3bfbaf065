"""Profiles, as events are logged and folded into them, and as training computed them."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from itertools import chain, compress

from models.errors import InputError
from service.store import Entry, Fold, Sift, Status
from service.store.sqlite import events, names
from service.store.sqlite.text import by_pages, insert, marks

Parts = tuple[bytes | None, bytes | None]  # the profile and the facts
NOTHING: Parts = (None, None)
INTO = "customers (customer_id, profile, sequence)"
THEN = "ON CONFLICT DO UPDATE SET profile = excluded.profile, sequence = excluded.sequence"


def record(db: sqlite3.Connection, entries: Sequence[Entry], fold: Fold, sift: Sift | None) -> list[Status]:
    """See service.store.Store.record."""
    owners = names.owners(db, {entry.customer_id for entry in entries})
    if owners:
        entries = [_of(entry, owners) for entry in entries]
    kept = _several(db, {entry.customer_id for entry in entries})
    if sift is not None and any(facts is not None for _, facts in kept.values()):
        entries = [_sifted(entry, kept, sift) for entry in entries]
        kept |= _several(db, {entry.customer_id for entry in entries} - kept.keys())
    is_new = events.unknown(db, entries)
    accepted = list(compress(entries, is_new))
    last = events.log(db, accepted)
    hers: dict[str, list[Entry]] = {name: [] for name in last}
    for entry in accepted:
        if entry.folded:
            hers[entry.customer_id].append(entry)
    folded = ((name, fold(name, kept.get(name, NOTHING)[0], new), last[name]) for name, new in hers.items())
    insert(db, INTO, folded, then=THEN)
    return ["accepted" if one else "repeated" for one in is_new]


def _of(entry: Entry, owners: Mapping[str, str]) -> Entry:
    """The entry as one of the customer whom it names."""
    owner = owners.get(entry.customer_id)
    return entry if owner is None else entry._replace(customer_id=owner)


def _sifted(entry: Entry, kept: Mapping[str, Parts], sift: Sift) -> Entry:
    facts = kept.get(entry.customer_id, NOTHING)[1]
    return entry if facts is None else sift(facts, entry)


def _several(db: sqlite3.Connection, customer_ids: Collection[str]) -> dict[str, Parts]:
    """The profile and the facts of each customer who is known."""
    query = "SELECT customer_id, profile, facts FROM customers WHERE customer_id IN"
    rows = (db.execute(f"{query} ({marks(part)})", part) for part in by_pages(customer_ids))
    return {name: (profile, facts) for name, profile, facts in chain.from_iterable(rows)}


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
    rows: list[tuple[str, bytes, int]] = []
    for customer_id, profile in chunk:
        if customer_id in others:
            continue
        if customer_id in late and (since := events.page(db, sequence, customer_id, -1)):
            rows.append((customer_id, fold(customer_id, profile, since), since[-1].sequence))
        else:
            rows.append((customer_id, profile, sequence))
    insert(db, INTO, rows, then=THEN)
