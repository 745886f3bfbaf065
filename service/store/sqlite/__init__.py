"""The embedded store: one SQLite file, for the workers of one machine. Here stands what is one transaction; the SQL lies with its noun."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

from models.budgets import Level
from service.store import (
    COUNTERS,
    ITEMS,
    NOTHING,
    Customer,
    Entry,
    Fold,
    Found,
    Join,
    Paper,
    Part,
    Settle,
    Settled,
    Settling,
    Sift,
    Status,
    refused,
)
from service.store.groups import Call, recorded
from service.store.sqlite import counters, customers, events, items, names, papers, pools, profiles, settlement
from service.store.sqlite.file import SqliteFile, Synchronous
from service.store.sqlite.text import PAGE
from service.store.together import Together

TIMEOUT_S = 0.2
CHUNK = 500  # profiles a transaction: about 10 ms of the write lock
PAUSE_S = 0.002  # what a bulk writer leaves to others between two chunks: longer than file.TURN_S
SCRUB_S = 5.0  # how long an erasure waits until nobody reads what it erased


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
        self._records: Together[Call, list[Status]] = Together()
        self._clock = clock
        self._swept = 0

    def customer(self, customer_id: str) -> Customer | None:
        with self._file.reading() as db:
            return customers.one(db, customer_id)

    def customers_with(self, customer_ids: Sequence[str], pools_: Sequence[str], *, now: int) -> list[Found]:
        with self._file.reading() as db:
            found, levels = customers.several(db, customer_ids), pools.levels(db, pools_, now=now)
        return [Found(found.get(customer_id), levels) for customer_id in customer_ids]

    def customers(self, customer_ids: Sequence[str]) -> list[Customer | None]:
        with self._file.reading() as db:
            found = customers.several(db, customer_ids)
        return [found.get(customer_id) for customer_id in customer_ids]

    def record(self, entries: Sequence[Entry], fold: Fold, sift: Sift | None = None) -> list[Status]:
        return self._records.make(Call(entries, fold, sift), self._record)

    def change(self, customer_id: str, part: Part, change: Callable[[bytes | None], bytes | None]) -> bytes | None:
        with self._file.writing() as db:
            customer_id, stands = customers.part(db, customer_id, part)
            changed = change(stands)
            if changed is None:
                return stands
            customers.set_part(db, customer_id, part, changed)
            return changed

    def settle(self, customer_id: str, settle: Settle, *, now: int) -> list[str]:
        return refused(self.settle_all([Settling(customer_id, settle)], now=now)[0])

    def settle_all(self, several: Sequence[Settling], *, now: int) -> list[Settled]:
        with self._file.writing() as db:
            clock = self._now(db)
            return [settlement.settle(db, one, now=now, clock=clock) for one in several]

    def levels(self, pools_: Sequence[str], *, now: int) -> dict[str, Level]:
        with self._file.reading() as db:
            return pools.levels(db, pools_, now=now)

    def counters(self, *, after_version: int = 0) -> tuple[int, dict[str, tuple[float, float]]]:
        version = self.versions().get(COUNTERS, 0)  # first: what is added in between is read twice, never missed
        with self._file.reading() as db:
            return version, counters.since(db, after_version)

    def merge(self, anonymous: str, known: str, join: Join) -> bool:
        with self._file.writing() as db:
            return customers.merge(db, anonymous, known, join)

    def publish(self, profiles_: Iterable[tuple[str, bytes]], *, sequence: int, fold: Fold) -> int:
        rows, count = iter(profiles_), 0
        while chunk := list(islice(rows, CHUNK)):
            with self._file.writing() as db:
                profiles.publish(db, chunk, sequence, fold)
            count += len(chunk)
            time.sleep(PAUSE_S)
        return count

    def events(self, *, after: int = 0, customer_id: str | None = None) -> Iterator[Entry]:
        while True:
            with self._file.reading() as db:
                customer_id = customer_id if customer_id is None else names.owner(db, customer_id)
                page = events.page(db, after, customer_id, PAGE)
            yield from page
            if len(page) < PAGE:
                return
            after = page[-1].sequence

    def blocks(self) -> dict[int, int]:
        with self._file.reading() as db:
            return events.blocks(db)

    def drop(self, entries: Sequence[Entry]) -> int:
        with self._file.writing() as db:
            return events.drop(db, entries)

    def newest(self) -> int:
        with self._file.reading() as db:
            return events.newest(db)

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
            owner = None if customer_id is None else names.owner(db, customer_id)
            return papers.put(db, Paper(kind, key, document, expires_s), owner, self._now(db))

    def get(self, kind: str, key: str) -> bytes | None:
        return self.get_many(kind, (key,))[0]

    def get_many(self, kind: str, keys: Sequence[str]) -> list[bytes | None]:
        with self._file.reading() as db:
            found = papers.several(db, kind, keys, int(self._clock()))
        return [found.get(key) for key in keys]

    def papers(self, customer_id: str) -> list[tuple[str, str, bytes]]:
        with self._file.reading() as db:
            return papers.of(db, names.owner(db, customer_id), int(self._clock()))

    def keys(self, kind: str) -> list[str]:
        with self._file.reading() as db:
            return papers.keys_of(db, kind, int(self._clock()))

    def documents(self, kind: str) -> Iterator[tuple[str, bytes]]:
        last = ""
        while True:
            with self._file.reading() as db:
                page = papers.page(db, kind, last, int(self._clock()))
            yield from page
            if len(page) < PAGE:
                return
            last = page[-1][0]

    def findable(self, customer_id: str, digests: Iterable[str], *, no_longer: Iterable[str] = ()) -> None:
        with self._file.writing() as db:
            names.findable(db, names.owner(db, customer_id), digests, no_longer)

    def find(self, digest: str) -> list[str]:
        query = "SELECT customer_id FROM findable WHERE digest = ? ORDER BY customer_id"
        with self._file.reading() as db:
            return [customer_id for (customer_id,) in db.execute(query, (digest,))]

    def erase(self, customer_id: str, *, leaving: Mapping[str, bytes] = NOTHING) -> int:
        with self._file.writing() as db:
            return customers.erase(db, customer_id, leaving)

    def scrub(self) -> None:
        self._file.truncate(patience_s=SCRUB_S)

    def versions(self) -> Mapping[str, int]:
        with self._file.reading() as db:
            return dict(db.execute("SELECT name, version FROM versions"))

    def bump(self, name: str) -> int:
        with self._file.writing() as db:
            return counters.bump(db, name)

    def upsert_items(self, documents: Mapping[str, bytes]) -> int:
        with self._file.writing() as db:
            return items.upsert(db, documents)

    def change_item(self, item_id: str, change: Callable[[bytes | None], bytes | None]) -> bytes | None:
        with self._file.writing() as db:
            stands = items.one(db, item_id)
            changed = change(stands)
            if changed is None:
                return stands
            items.upsert(db, {item_id: changed})
            return changed

    def item(self, item_id: str) -> bytes | None:
        with self._file.reading() as db:
            return items.one(db, item_id)

    def items(self, *, after_version: int = 0) -> tuple[int, dict[str, bytes]]:
        version = self.versions().get(ITEMS, 0)  # first: a change that comes in between is read twice, never missed
        with self._file.reading() as db:
            return version, items.since(db, after_version)

    def ping(self) -> None:
        with self._file.reading() as db:
            db.execute("SELECT 1 FROM customers LIMIT 1").fetchone()

    def close(self) -> None:
        self._file.close()

    def _record(self, calls: Sequence[Call]) -> list[list[Status]]:
        with self._file.writing() as db:
            return recorded(calls, partial(profiles.record, db))

    def _now(self, db: sqlite3.Connection) -> int:
        """The time of a write; once a second what has expired by then is removed."""
        now = int(self._clock())
        if now != self._swept:
            papers.sweep(db, now)
            self._swept = now
        return now
