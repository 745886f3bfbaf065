"""The log of events, each known again by its keys."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Sequence
from itertools import chain

import orjson

from service.store import BLOCK, Entry
from service.store.sqlite.text import by_pages, insert, marks


def unknown(db: sqlite3.Connection, entries: Sequence[Entry]) -> list[bool]:
    """Which entries are no repeats, of what is in the log or of one before; their keys are known from now on."""
    digests = [[_digest(key) for key in entry.keys] for entry in entries]
    known = {
        digest
        for part in by_pages(chain.from_iterable(digests))
        for (digest,) in db.execute(f"SELECT digest FROM event_keys WHERE digest IN ({marks(part)})", part)
    }
    learnt: set[bytes] = set()
    new = []
    for keys in digests:
        new.append(not keys or (known.isdisjoint(keys) and learnt.isdisjoint(keys)))
        if keys and new[-1]:
            learnt.update(keys)
    insert(db, "event_keys", ((digest,) for digest in sorted(learnt)))  # in the order of the table
    return new


def log(db: sqlite3.Connection, entries: Sequence[Entry]) -> dict[str, int]:
    """Log events that are no repeats; the sequence of the newest one of each customer."""
    numbered = list(enumerate(entries, start=newest(db) + 1))
    rows = (
        (sequence, one.customer_id, one.at, orjson.dumps(one.keys).decode(), one.body, one.received or one.at)
        for sequence, one in numbered
    )
    insert(db, "events (sequence, customer_id, at, keys, body, received)", rows)
    return {one.customer_id: sequence for sequence, one in numbered}


def newest(db: sqlite3.Connection) -> int:
    """The sequence of the newest event; 0 for none."""
    found = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone()
    return int(found[0]) if found else 0


def page(db: sqlite3.Connection, after: int, customer_id: str | None, limit: int) -> list[Entry]:
    """Events above `after`, at most `limit` (-1: all), in the order of their sequence."""
    hers, values = ("", (after, limit)) if customer_id is None else ("AND customer_id = ?", (after, customer_id, limit))
    query = f"SELECT customer_id, keys, at, body, sequence, received FROM events WHERE sequence > ? {hers} ORDER BY sequence LIMIT ?"
    return [Entry(owner, tuple(json.loads(keys)), *rest) for owner, keys, *rest in db.execute(query, values)]


def blocks(db: sqlite3.Connection) -> dict[int, int]:
    """How many events each block holds; in the order of the table, so that nothing is sorted."""
    return dict(db.execute(f"SELECT (sequence - 1) / {BLOCK}, COUNT(*) FROM events NOT INDEXED GROUP BY 1").fetchall())


def move(db: sqlite3.Connection, name: str, known: str) -> int:
    """Log the events of a name again as a customer's; the newest sequence, 0 where there are none."""
    query = "SELECT sequence, at, keys, body, received FROM events WHERE customer_id = ? ORDER BY sequence"
    sequence = 0
    for old, *rest in db.execute(query, (name,)).fetchall():
        db.execute("DELETE FROM events WHERE sequence = ?", (old,))
        cursor = db.execute(
            "INSERT INTO events (customer_id, at, keys, body, received) VALUES (?, ?, ?, ?, ?)", (known, *rest)
        )
        sequence = cursor.lastrowid or 0
    return sequence


def drop(db: sqlite3.Connection, entries: Sequence[Entry]) -> int:
    """Take events with their keys out of the log; how many were there."""
    query = "DELETE FROM events WHERE sequence = ?"
    gone = [entry for entry in entries if db.execute(query, (entry.sequence,)).rowcount == 1]
    forget(db, chain.from_iterable(entry.keys for entry in gone))
    return len(gone)


def forget(db: sqlite3.Connection, keys: Iterable[str]) -> None:
    """Know some keys no longer."""
    db.executemany("DELETE FROM event_keys WHERE digest = ?", [(_digest(key),) for key in keys])


def _digest(key: str) -> bytes:
    """16 bytes that stand for an event's key: short, and no id in the clear."""
    return hashlib.blake2b(key.encode(), digest_size=16).digest()
