"""The embedded store: one SQLite file, for the workers of one machine."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, compress, islice
from pathlib import Path
from typing import TypeVar

from models.budgets import Level
from models.errors import InputError
from service.store import (
    COUNTERS,
    ITEMS,
    NOTHING,
    TOMBSTONE,
    Customer,
    Entry,
    Fold,
    Join,
    Paper,
    PaperTakenError,
    Part,
    Settle,
    Status,
)
from service.store import sqlite_pools as pools
from service.store.sqlite_file import SqliteFile, Synchronous
from service.store.sqlite_groups import Groups

T = TypeVar("T")
TIMEOUT_S = 0.2
CHUNK = 500  # profiles a transaction: about 10 ms of the write lock
PAUSE_S = 0.002  # what a bulk writer leaves to others between two chunks: longer than sqlite_file.TURN_S
PAGE = 500
ONE = "SELECT customer_id, profile, facts, ledger, sequence FROM customers WHERE customer_id = ?"
SCRUB_S = 5.0  # how long an erasure waits until nobody reads what it erased
SET_PROFILE = """INSERT INTO customers (customer_id, profile, sequence) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET profile = excluded.profile, sequence = excluded.sequence"""
ADD = """INSERT INTO counters VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET
    tries = tries + excluded.tries, positives = positives + excluded.positives, version = excluded.version"""


class SqliteStore:
    """See service.store.Store. `clock` gives seconds since 1970, for the expiry of documents."""

    capped = False

    def __init__(
        self,
        path: Path,
        *,
        timeout_s: float = TIMEOUT_S,
        synchronous: Synchronous = "NORMAL",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._file = SqliteFile(path, timeout_s=timeout_s, synchronous=synchronous)
        self._records = Groups[list[Status]](self._file)
        self._clock = clock

    def customer(self, customer_id: str) -> Customer | None:
        with self._file.reading() as db:
            row = db.execute(ONE, (customer_id,)).fetchone()
            if row is None:  # nobody is kept under another name of hers
                return _customers(db, (customer_id,)).get(customer_id)
        return Customer(*row)

    def customers(self, customer_ids: Sequence[str]) -> list[Customer | None]:
        with self._file.reading() as db:
            found = _customers(db, customer_ids)
        return [found.get(customer_id) for customer_id in customer_ids]

    def record(self, entries: Sequence[Entry], fold: Fold) -> list[Status]:
        return self._records.write(lambda db: _record(db, entries, fold))

    def change(self, customer_id: str, part: Part, change: Callable[[bytes | None], bytes | None]) -> bytes | None:
        with self._file.writing() as db:
            customer_id = _owner(db, customer_id)
            stands = _part(db, customer_id, part)
            changed = change(stands)
            if changed is None:
                return stands
            _set_part(db, customer_id, part, changed)
            return changed

    def settle(self, customer_id: str, settle: Settle, *, now: int) -> list[str]:
        with self._file.writing() as db:
            customer_id = _owner(db, customer_id)
            settled = settle(_part(db, customer_id, "ledger"))
            if settled is None:
                return []
            if any(not _put(db, paper, customer_id, int(self._clock())) for paper in settled.papers):
                raise PaperTakenError(settled.papers[0].key)
            refused = pools.move(db, settled.moves, now=now)
            if refused:
                db.execute("ROLLBACK")
                return refused
            if settled.ledger is not None:
                _set_part(db, customer_id, "ledger", settled.ledger)
            _count(db, settled.counts)
            return []

    def levels(self, pools_: Sequence[str], *, now: int) -> dict[str, Level]:
        with self._file.reading() as db:
            return pools.levels(db, pools_, now=now)

    def counters(self, *, after_version: int = 0) -> tuple[int, dict[str, tuple[float, float]]]:
        version = self.versions().get(COUNTERS, 0)  # first: what is added in between is read twice, never missed
        with self._file.reading() as db:
            rows = db.execute("SELECT name, tries, positives FROM counters WHERE version > ?", (after_version,))
            return version, {name: (tries, positives) for name, tries, positives in rows}

    def merge(self, anonymous: str, known: str, join: Join) -> bool:
        with self._file.writing() as db:
            known = _owner(db, known)
            if known in (anonymous, _owner(db, anonymous)):
                return False
            hers = _customers(db, (known,)).get(known, Customer(known))
            other = _customers(db, (anonymous,)).get(anonymous) if _owner(db, anonymous) == anonymous else None
            parts = join(hers, other or Customer(anonymous))
            _rename(db, anonymous, known)
            _set_parts(
                db, replace(parts, customer_id=known, sequence=_move_events(db, anonymous, known) or hers.sequence)
            )
            return True

    def publish(self, profiles: Iterable[tuple[str, bytes]], *, sequence: int, fold: Fold) -> int:
        rows, count = iter(profiles), 0
        while chunk := list(islice(rows, CHUNK)):
            with self._file.writing() as db:
                _publish(db, chunk, sequence, fold)
            count += len(chunk)
            time.sleep(PAUSE_S)
        return count

    def events(self, *, after: int = 0, customer_id: str | None = None) -> Iterator[Entry]:
        while True:
            with self._file.reading() as db:
                customer_id = customer_id if customer_id is None else _owner(db, customer_id)
                page = _events(db, after, customer_id, PAGE)
            yield from page
            if len(page) < PAGE:
                return
            after = page[-1].sequence

    def drop(self, entries: Sequence[Entry]) -> int:
        with self._file.writing() as db:
            gone = [entry for entry in entries if _unlog(db, entry.sequence)]
            db.executemany("DELETE FROM event_keys WHERE digest = ?", _digests(key for one in gone for key in one.keys))
            return len(gone)

    def newest(self) -> int:
        with self._file.reading() as db:
            return _newest(db)

    def customer_ids(self) -> list[str]:
        with self._file.reading() as db:
            return sorted(customer_id for (customer_id,) in db.execute("SELECT customer_id FROM customers"))

    def names(self) -> dict[str, str]:
        with self._file.reading() as db:
            return dict(db.execute("SELECT alias, customer_id FROM aliases"))

    def names_of(self, customer_id: str) -> list[str]:
        query = "SELECT alias FROM aliases WHERE customer_id = ? ORDER BY alias"
        with self._file.reading() as db:
            return [alias for (alias,) in db.execute(query, (customer_id,))]

    def put(
        self, kind: str, key: str, document: bytes, *, expires_s: int | None = None, customer_id: str | None = None
    ) -> bool:
        with self._file.writing() as db:
            owner = None if customer_id is None else _owner(db, customer_id)
            return _put(db, Paper(kind, key, document, expires_s), owner, int(self._clock()))

    def get(self, kind: str, key: str) -> bytes | None:
        return self.get_many(kind, (key,))[0]

    def get_many(self, kind: str, keys: Sequence[str]) -> list[bytes | None]:
        query = (
            f"SELECT key, document FROM documents WHERE kind = ? AND key IN ({_marks(keys)}) "
            "AND (expires_at IS NULL OR expires_at > ?)"
        )
        with self._file.reading() as db:
            found: dict[str, bytes] = dict(db.execute(query, (kind, *keys, int(self._clock()))))
        return [found.get(key) for key in keys]

    def papers(self, customer_id: str) -> list[tuple[str, str, bytes]]:
        query = (
            "SELECT kind, key, document FROM documents WHERE customer_id = ? AND (expires_at IS NULL OR expires_at > ?) "
            "ORDER BY kind, key"
        )
        with self._file.reading() as db:
            return db.execute(query, (_owner(db, customer_id), int(self._clock()))).fetchall()

    def documents(self, kind: str) -> Iterator[tuple[str, bytes]]:
        query = "SELECT key, document FROM documents WHERE kind = ? AND key > ? AND (expires_at IS NULL OR expires_at > ?) ORDER BY key LIMIT ?"
        last = ""
        while True:
            with self._file.reading() as db:
                page = db.execute(query, (kind, last, int(self._clock()), PAGE)).fetchall()
            yield from page
            if len(page) < PAGE:
                return
            last = page[-1][0]

    def findable(self, customer_id: str, digests: Iterable[str], *, no_longer: Iterable[str] = ()) -> None:
        with self._file.writing() as db:
            owner = _owner(db, customer_id)
            pairs = [(digest, owner) for digest in no_longer]
            db.executemany("DELETE FROM findable WHERE digest = ? AND customer_id = ?", pairs)
            db.executemany("INSERT OR IGNORE INTO findable VALUES (?, ?)", [(digest, owner) for digest in digests])

    def find(self, digest: str) -> list[str]:
        query = "SELECT customer_id FROM findable WHERE digest = ? ORDER BY customer_id"
        with self._file.reading() as db:
            return [customer_id for (customer_id,) in db.execute(query, (digest,))]

    def erase(self, customer_id: str, *, leaving: Mapping[str, bytes] = NOTHING) -> int:
        with self._file.writing() as db:
            rows = db.execute("SELECT keys FROM events WHERE customer_id = ?", (customer_id,)).fetchall()
            digests = _digests(key for (keys,) in rows for key in json.loads(keys))
            db.executemany("DELETE FROM event_keys WHERE digest = ?", digests)
            count = sum(
                db.execute(f"DELETE FROM {table} WHERE customer_id = ?", (customer_id,)).rowcount
                for table in ("customers", "events", "documents")
            )
            db.execute("DELETE FROM aliases WHERE ? IN (customer_id, alias)", (customer_id,))
            db.execute("DELETE FROM findable WHERE customer_id = ?", (customer_id,))
            db.executemany(
                "INSERT INTO documents (kind, key, document) VALUES (?, ?, ?) "
                "ON CONFLICT DO UPDATE SET document = excluded.document",
                [(TOMBSTONE, key, document) for key, document in leaving.items()],
            )
        return count

    def scrub(self) -> None:
        self._file.truncate(patience_s=SCRUB_S)

    def versions(self) -> Mapping[str, int]:
        with self._file.reading() as db:
            return dict(db.execute("SELECT name, version FROM versions"))

    def bump(self, name: str) -> int:
        with self._file.writing() as db:
            return _bump(db, name)

    def upsert_items(self, documents: Mapping[str, bytes]) -> int:
        with self._file.writing() as db:
            return _upsert_items(db, documents)

    def change_item(self, item_id: str, change: Callable[[bytes | None], bytes | None]) -> bytes | None:
        with self._file.writing() as db:
            stands = _item(db, item_id)
            changed = change(stands)
            if changed is None:
                return stands
            _upsert_items(db, {item_id: changed})
            return changed

    def item(self, item_id: str) -> bytes | None:
        with self._file.reading() as db:
            return _item(db, item_id)

    def items(self, *, after_version: int = 0) -> tuple[int, dict[str, bytes]]:
        version = self.versions().get(ITEMS, 0)  # first: a change that comes in between is read twice, never missed
        with self._file.reading() as db:
            rows = db.execute(
                "SELECT item_id, document FROM items WHERE version > ? ORDER BY version, item_id", (after_version,)
            )
            return version, dict(rows)

    def ping(self) -> None:
        with self._file.reading() as db:
            db.execute("SELECT 1 FROM customers LIMIT 1").fetchone()

    def close(self) -> None:
        self._file.close()


def _owner(db: sqlite3.Connection, name: str) -> str:
    """Under which id the customer of this name is kept."""
    row = db.execute("SELECT customer_id FROM aliases WHERE alias = ?", (name,)).fetchone()
    return name if row is None else row[0]


def _owners(db: sqlite3.Connection, names: Collection[str]) -> dict[str, str]:
    """Under which id those are kept whose name is another one."""
    query = "SELECT alias, customer_id FROM aliases WHERE alias IN"
    return dict(chain.from_iterable(db.execute(f"{query} ({_marks(part)})", part) for part in _by_pages(names)))


def _profiles(db: sqlite3.Connection, customer_ids: Collection[str]) -> dict[str, bytes | None]:
    """The profile of each customer who is known."""
    query = "SELECT customer_id, profile FROM customers WHERE customer_id IN"
    parts = _by_pages(customer_ids)
    return dict(chain.from_iterable(db.execute(f"{query} ({_marks(part)})", part) for part in parts))


def _customers(db: sqlite3.Connection, names: Sequence[str]) -> dict[str, Customer]:
    """The customers of these names; who is unknown is left out."""
    owners = _owners(db, names)
    ids = [owners.get(name, name) for name in names]
    query = f"SELECT customer_id, profile, facts, ledger, sequence FROM customers WHERE customer_id IN ({_marks(ids)})"
    found = {row[0]: Customer(*row) for row in db.execute(query, ids)}
    return {name: found[owner] for name, owner in zip(names, ids, strict=True) if owner in found}


def _put(db: sqlite3.Connection, paper: Paper, owner: str | None, now: int) -> bool:
    """Keep a document unless one stands in its place; whether it is new."""
    db.execute("DELETE FROM documents WHERE expires_at <= ?", (now,))
    expires_at = None if paper.expires_s is None else now + paper.expires_s
    cursor = db.execute(
        "INSERT INTO documents (kind, key, document, expires_at, customer_id) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (paper.kind, paper.key, paper.document, expires_at, owner),
    )
    return cursor.rowcount == 1


def _rename(db: sqlite3.Connection, name: str, known: str) -> None:
    """Let a name, and all that were names of it, be names of a customer."""
    db.execute("UPDATE aliases SET customer_id = ? WHERE customer_id = ?", (known, name))
    db.execute(
        "INSERT INTO aliases VALUES (?, ?) ON CONFLICT DO UPDATE SET customer_id = excluded.customer_id", (name, known)
    )
    db.execute("UPDATE documents SET customer_id = ? WHERE customer_id = ?", (known, name))
    db.execute("INSERT OR IGNORE INTO findable SELECT digest, ? FROM findable WHERE customer_id = ?", (known, name))
    db.execute("DELETE FROM findable WHERE customer_id = ?", (name,))
    db.execute("DELETE FROM customers WHERE customer_id = ?", (name,))


def _move_events(db: sqlite3.Connection, name: str, known: str) -> int:
    """Log the events of a name again as a customer's; the newest sequence, 0 where there are none."""
    query = "SELECT sequence, at, keys, body, received FROM events WHERE customer_id = ? ORDER BY sequence"
    events = db.execute(query, (name,))
    sequence = 0
    for old, *rest in events.fetchall():
        db.execute("DELETE FROM events WHERE sequence = ?", (old,))
        cursor = db.execute(
            "INSERT INTO events (customer_id, at, keys, body, received) VALUES (?, ?, ?, ?, ?)", (known, *rest)
        )
        sequence = cursor.lastrowid or 0
    return sequence


def _set_parts(db: sqlite3.Connection, customer: Customer) -> None:
    db.execute(
        "INSERT INTO customers (customer_id, profile, facts, ledger, sequence) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE "
        "SET profile = excluded.profile, facts = excluded.facts, ledger = excluded.ledger, sequence = excluded.sequence",
        (customer.customer_id, customer.profile, customer.facts, customer.ledger, customer.sequence),
    )


def _record(db: sqlite3.Connection, entries: Sequence[Entry], fold: Fold) -> list[Status]:
    owners = _owners(db, {entry.customer_id for entry in entries})
    entries = [_of(entry, owners) for entry in entries]
    new = _unknown(db, entries)
    accepted = list(compress(entries, new))
    hers: dict[str, list[Entry]] = {}
    for entry in accepted:
        hers.setdefault(entry.customer_id, []).append(entry)
    newest = _log(db, accepted)
    profiles = _profiles(db, list(hers))
    folded = ((name, fold(name, profiles.get(name), events), newest[name]) for name, events in hers.items())
    db.executemany(SET_PROFILE, folded)
    return ["accepted" if is_new else "repeated" for is_new in new]


def _of(entry: Entry, owners: Mapping[str, str]) -> Entry:
    """The entry as one of the customer whom it names."""
    owner = owners.get(entry.customer_id)
    return entry if owner is None else replace(entry, customer_id=owner)


def _unknown(db: sqlite3.Connection, entries: Sequence[Entry]) -> list[bool]:
    """Which entries are no repeats, of what is in the log or of one before; their keys are known from now on."""
    digests = [[_digest(key) for key in entry.keys] for entry in entries]
    known = {
        digest
        for part in _by_pages(chain.from_iterable(digests))
        for (digest,) in db.execute(f"SELECT digest FROM event_keys WHERE digest IN ({_marks(part)})", part)
    }
    learnt: dict[bytes, None] = {}
    new = []
    for keys in digests:
        new.append(known.isdisjoint(keys) and learnt.keys().isdisjoint(keys))
        if new[-1]:
            learnt.update(dict.fromkeys(keys))
    db.executemany("INSERT INTO event_keys VALUES (?)", ((digest,) for digest in learnt))
    return new


def _log(db: sqlite3.Connection, entries: Sequence[Entry]) -> dict[str, int]:
    """Log events that are no repeats; the sequence of the newest one of each customer."""
    numbered = list(enumerate(entries, start=_newest(db) + 1))
    rows = (
        (sequence, one.customer_id, one.at, json.dumps(one.keys), one.body, one.received or one.at)
        for sequence, one in numbered
    )
    db.executemany(
        "INSERT INTO events (sequence, customer_id, at, keys, body, received) VALUES (?, ?, ?, ?, ?, ?)", rows
    )
    return {one.customer_id: sequence for sequence, one in numbered}


def _events(db: sqlite3.Connection, after: int, customer_id: str | None, limit: int) -> list[Entry]:
    """Events above `after`, at most `limit` (-1: all), in the order of their sequence."""
    hers, values = ("", (after, limit)) if customer_id is None else ("AND customer_id = ?", (after, customer_id, limit))
    query = f"SELECT customer_id, keys, at, body, sequence, received FROM events WHERE sequence > ? {hers} ORDER BY sequence LIMIT ?"
    return [Entry(owner, tuple(json.loads(keys)), *rest) for owner, keys, *rest in db.execute(query, values)]


def _unlog(db: sqlite3.Connection, sequence: int) -> bool:
    return db.execute("DELETE FROM events WHERE sequence = ?", (sequence,)).rowcount == 1


def _newest(db: sqlite3.Connection) -> int:
    newest = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone()
    return int(newest[0]) if newest else 0


def _publish(db: sqlite3.Connection, chunk: list[tuple[str, bytes]], sequence: int, fold: Fold) -> None:
    if sequence > _newest(db):
        raise InputError(
            f"the event log has not come to {sequence}: it was emptied or exchanged since training read it. Train again."
        )
    ids = [customer_id for customer_id, _ in chunk]
    names = {name for (name,) in db.execute(f"SELECT alias FROM aliases WHERE alias IN ({_marks(ids)})", ids)}
    query = f"SELECT customer_id FROM customers WHERE sequence > ? AND customer_id IN ({_marks(ids)})"
    late = {customer_id for (customer_id,) in db.execute(query, (sequence, *ids))}
    for customer_id, profile in chunk:
        if customer_id in names:
            continue
        if customer_id in late and (events := _events(db, sequence, customer_id, -1)):
            db.execute(SET_PROFILE, (customer_id, fold(customer_id, profile, events), events[-1].sequence))
        else:
            db.execute(SET_PROFILE, (customer_id, profile, sequence))


def _part(db: sqlite3.Connection, customer_id: str, part: Part | str) -> bytes | None:
    row = db.execute(f"SELECT {part} FROM customers WHERE customer_id = ?", (customer_id,)).fetchone()
    return None if row is None else row[0]


def _set_part(db: sqlite3.Connection, customer_id: str, part: Part | str, document: bytes) -> None:
    query = (
        f"INSERT INTO customers (customer_id, {part}) VALUES (?, ?) ON CONFLICT DO UPDATE SET {part} = excluded.{part}"
    )
    db.execute(query, (customer_id, document))


def _count(db: sqlite3.Connection, counts: Mapping[str, tuple[float, float]]) -> None:
    """Add to counters, with their next version."""
    if counts:
        version = _bump(db, COUNTERS)
        db.executemany(ADD, [(name, tries, positives, version) for name, (tries, positives) in counts.items()])


def _upsert_items(db: sqlite3.Connection, documents: Mapping[str, bytes]) -> int:
    query = "INSERT INTO items VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET document = excluded.document, version = excluded.version"
    version = _bump(db, ITEMS)
    db.executemany(query, ((item_id, document, version) for item_id, document in documents.items()))
    return version


def _item(db: sqlite3.Connection, item_id: str) -> bytes | None:
    row = db.execute("SELECT document FROM items WHERE item_id = ?", (item_id,)).fetchone()
    return None if row is None else row[0]


def _bump(db: sqlite3.Connection, name: str) -> int:
    query = "INSERT INTO versions VALUES (?, 1) ON CONFLICT DO UPDATE SET version = version + 1 RETURNING version"
    version: int = db.execute(query, (name,)).fetchone()[0]
    return version


def _digest(key: str) -> bytes:
    """16 bytes that stand for an event's key: short, and no id in the clear."""
    return hashlib.blake2b(key.encode(), digest_size=16).digest()


def _digests(keys: Iterable[str]) -> list[tuple[bytes]]:
    return [(_digest(key),) for key in keys]


def _by_pages(values: Iterable[T]) -> Iterator[list[T]]:
    """The values in parts of a length that a statement takes."""
    left = iter(values)
    while part := list(islice(left, PAGE)):
        yield part


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))
