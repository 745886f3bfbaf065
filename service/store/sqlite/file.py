"""The SQLite file under the store: its connections, its transactions with their deadline, its schema.

Readers never wait for writers (WAL). Writers take turns: threads of a process by a lock, processes by asking again every half
millisecond (SQLite's own waiting grows its pauses to 100 ms, and starves). Every wait ends at the deadline.
"""

from __future__ import annotations

import itertools
import os
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Literal

from models.errors import InputError, StoreUnavailable
from service.store import deadline

TURN_S = 0.0005  # how soon a waiting writer asks again
CHECKPOINT_PAGES = 4000  # 16 MB of write-ahead log between two syncs; SQLite's own 1,000 took twice the time in bulk

# One tuple of statements a version: MIGRATIONS[n] brings a file of version n to n + 1. What stands is never edited, only added to.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE customers (
            customer_id TEXT NOT NULL UNIQUE, profile BLOB, facts BLOB, ledger BLOB, sequence INTEGER NOT NULL DEFAULT 0)""",
        """CREATE TABLE events (
            sequence INTEGER PRIMARY KEY AUTOINCREMENT, customer_id TEXT NOT NULL, at INTEGER NOT NULL, keys TEXT NOT NULL,
            body BLOB NOT NULL)""",
        "CREATE INDEX events_of_customer ON events (customer_id)",
        "CREATE TABLE event_keys (digest BLOB PRIMARY KEY) WITHOUT ROWID",  # a key lives as long as its event
        """CREATE TABLE documents (
            kind TEXT NOT NULL, key TEXT NOT NULL, document BLOB NOT NULL, expires_at INTEGER, customer_id TEXT,
            UNIQUE (kind, key))""",
        "CREATE INDEX documents_of_customer ON documents (customer_id) WHERE customer_id IS NOT NULL",
        "CREATE INDEX documents_by_expiry ON documents (expires_at) WHERE expires_at IS NOT NULL",
        "CREATE TABLE versions (name TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID",
        "CREATE TABLE items (item_id TEXT NOT NULL UNIQUE, document BLOB NOT NULL, version INTEGER NOT NULL)",
        "CREATE INDEX items_by_version ON items (version)",
    ),
    (
        "CREATE TABLE aliases (alias TEXT PRIMARY KEY, customer_id TEXT NOT NULL) WITHOUT ROWID",
        "CREATE INDEX aliases_of_customer ON aliases (customer_id)",
    ),
    (
        "ALTER TABLE events ADD COLUMN received INTEGER NOT NULL DEFAULT 0",
        "UPDATE events SET received = at",
        "CREATE TABLE findable (digest TEXT NOT NULL, customer_id TEXT NOT NULL, PRIMARY KEY (digest, customer_id)) WITHOUT ROWID",
        "CREATE INDEX findable_of_customer ON findable (customer_id)",
    ),
    (
        """CREATE TABLE counters (
            name TEXT PRIMARY KEY, tries REAL NOT NULL, positives REAL NOT NULL, version INTEGER NOT NULL) WITHOUT ROWID""",
        "CREATE INDEX counters_by_version ON counters (version)",
    ),
    (
        "CREATE TABLE pools (name TEXT PRIMARY KEY, used INTEGER NOT NULL, price REAL NOT NULL, at INTEGER NOT NULL, ends INTEGER NOT NULL)",
        """CREATE TABLE held (
            pool TEXT NOT NULL, holder TEXT NOT NULL, tokens INTEGER NOT NULL, until INTEGER NOT NULL,
            PRIMARY KEY (pool, holder)) WITHOUT ROWID""",
        "CREATE INDEX held_until ON held (pool, until)",
    ),
)
SCHEMA = len(MIGRATIONS)

Synchronous = Literal["NORMAL", "FULL"]
Use = Literal["readers", "writers"]


class SqliteFile:
    """A file and the connections to it. A connection serves one thread at a time, and never a process that did not open it.

    `synchronous=NORMAL` survives a killed process, `FULL` a power cut too. Deleted bytes are overwritten (`secure_delete`).
    """

    def __init__(self, path: Path, *, timeout_s: float, synchronous: Synchronous) -> None:
        self._path = path
        self._timeout_s = timeout_s
        self._synchronous = synchronous
        self._inherited: list[dict[Use, deque[sqlite3.Connection]]] = []
        self._start()

    def reading(self) -> AbstractContextManager[sqlite3.Connection]:
        """A connection for this thread alone. What the driver raises becomes StoreUnavailable, what it cannot keep InputError."""
        return self._lent("readers")

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that holds the write lock from its beginning: committed whole, or not at all (who rolls it back has nothing done).

        Threads take turns, so that one connection writes for all of them; it asks other processes by itself, and never waits in SQLite.
        """
        wait_s = min(self._timeout_s, max(deadline.left_s(), 0.0))
        until = time.monotonic() + wait_s
        self._own()
        if not self._lock.acquire(timeout=wait_s):
            raise StoreUnavailable(f"{self._path}: others have been writing for {wait_s:g} s. Try again.")
        try:
            with self._lent("writers") as db:
                _patiently(db, "BEGIN IMMEDIATE", until)
                try:
                    yield db
                    if db.in_transaction:
                        db.execute("COMMIT")
                finally:
                    if db.in_transaction:
                        db.execute("ROLLBACK")
        finally:
            self._lock.release()

    def truncate(self, *, patience_s: float) -> None:
        """Move the write-ahead log into the file and empty it, so that no old page is left.

        It waits for those who read; StoreUnavailable where they do not come to an end.
        """
        deadline = time.monotonic() + patience_s
        with self.reading() as db:
            while db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                if time.monotonic() > deadline:
                    raise StoreUnavailable(f"{self._path}: others have been reading for {patience_s:g} s. Try again.")
                time.sleep(TURN_S)

    def close(self) -> None:
        """Close the idle connections."""
        for idle in self._idle.values():
            while idle:
                idle.pop().close()

    def _start(self) -> None:
        """Begin with no connection: at the start, and in the child of a fork, which must neither use nor close its parent's."""
        self._pid = os.getpid()
        self._idle: dict[Use, deque[sqlite3.Connection]] = {"readers": deque(), "writers": deque()}
        self._lock = threading.Lock()

    @contextmanager
    def _lent(self, use: Use) -> Iterator[sqlite3.Connection]:
        db = self._take(use)
        idle = self._idle[use]
        try:
            yield db
        except sqlite3.Error as error:
            db.close()
            raise self._unavailable(error) from error
        except (UnicodeEncodeError, OverflowError) as error:
            idle.append(db)
            raise InputError(
                f"a value cannot be stored ({error.__class__.__name__}): send UTF-8, and numbers of 64 bits"
            ) from None
        except BaseException:
            idle.append(db)
            raise
        idle.append(db)

    def _own(self) -> None:
        """Leave a parent's connections and lock to it."""
        if self._pid != os.getpid():
            self._inherited.append(self._idle)
            self._start()

    def _take(self, use: Use) -> sqlite3.Connection:
        self._own()
        try:
            return self._idle[use].pop()
        except IndexError:
            return self._connect(use)

    def _connect(self, use: Use) -> sqlite3.Connection:
        try:
            db = sqlite3.connect(self._path, timeout=self._timeout_s, isolation_level=None, check_same_thread=False)
        except sqlite3.Error as error:
            raise self._unavailable(error) from error
        try:
            self._prepare(db, time.monotonic() + self._timeout_s)
            if use == "writers":
                db.execute("PRAGMA busy_timeout = 0")
        except BaseException as error:
            db.close()
            if isinstance(error, sqlite3.Error):
                raise self._unavailable(error) from error
            raise
        return db

    def _prepare(self, db: sqlite3.Connection, deadline: float) -> None:
        version = self._version(db)
        _patiently(db, "PRAGMA journal_mode = WAL", deadline)
        db.execute(f"PRAGMA synchronous = {self._synchronous}")
        db.execute("PRAGMA secure_delete = ON")
        db.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        if version < SCHEMA:
            _patiently(db, "BEGIN IMMEDIATE", deadline)
            for statement in itertools.chain.from_iterable(
                MIGRATIONS[self._version(db) :]
            ):  # another may have been first
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {SCHEMA}")
            db.execute("COMMIT")

    def _version(self, db: sqlite3.Connection) -> int:
        """The version of the file's schema; raises InputError where it is newer than ours, or the file is no database."""
        try:
            version: int = db.execute("PRAGMA user_version").fetchone()[0]
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_NOTADB:
                raise InputError(f"{self._path} is not a SQLite database. Name another file.") from error
            raise
        if version > SCHEMA:
            raise InputError(
                f"{self._path} has schema version {version}, this Valet knows {SCHEMA}: a newer Valet wrote it. "
                "Install that one, or name another file."
            )
        return version

    def _unavailable(self, error: sqlite3.Error) -> StoreUnavailable:
        return StoreUnavailable(f"{self._path}: {error} ({getattr(error, 'sqlite_errorname', 'SQLITE_ERROR')})")


def _patiently(db: sqlite3.Connection, statement: str, deadline: float) -> None:
    """Run a statement that needs a lock, asking again until the deadline (monotonic seconds)."""
    while True:
        try:
            db.execute(statement)
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() >= deadline:
                raise
        else:
            return
        time.sleep(TURN_S)
