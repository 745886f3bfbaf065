"""What only the SQLite store promises: its file, its locks, its schema, its bytes."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from models.errors import InputError, StoreUnavailable
from service.store import Settlement, Store
from service.store.open import open_store
from service.store.sqlite import SqliteStore
from service.store.sqlite.file import MIGRATIONS, SCHEMA
from tests.service.store.conftest import event, fold, folded


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "valet.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(path, timeout_s=0.1)
    yield opened
    opened.close()


WRITES: dict[str, Callable[[Store], object]] = {
    "record": lambda store: store.record([event("ann", "b")], fold),
    "change": lambda store: store.change("ann", "facts", lambda _: b"1"),
    "settle": lambda store: store.settle("ann", lambda _: Settlement(b"1", counts={"a": (1.0, 0.0)}), now=1),
    "publish": lambda store: store.publish([("ann", b"[]")], sequence=0, fold=fold),
    "put": lambda store: store.put("decision", "1", b""),
    "erase": lambda store: store.erase("ann"),
    "bump": lambda store: store.bump("actions"),
    "upsert_items": lambda store: store.upsert_items({"shoe": b""}),
}


@pytest.fixture
def locked(store: SqliteStore, path: Path) -> Iterator[SqliteStore]:
    """A store with one event, whose write lock another process's connection holds."""
    store.record([event("ann", "a")], fold)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    yield store
    holder.close()


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_write_to_a_locked_file_is_refused_at_the_deadline(
    locked: SqliteStore, write: Callable[[Store], object]
) -> None:
    began = time.monotonic()
    with pytest.raises(StoreUnavailable, match="locked"):
        write(locked)
    assert 0.1 <= time.monotonic() - began < 4.0  # sqlite3 itself waits for five seconds


@pytest.mark.usefixtures("locked")
def test_a_locked_file_is_read_without_waiting(path: Path) -> None:
    patient = SqliteStore(path, timeout_s=60.0)
    began = time.monotonic()
    assert folded(patient, "ann") == ["a"]
    assert time.monotonic() - began < 30.0  # it would wait for sixty
    patient.close()


def test_threads_wait_for_one_another_no_longer_than_the_deadline(store: SqliteStore) -> None:
    inside, leave = threading.Event(), threading.Event()

    def slowly(_: bytes | None) -> bytes:
        inside.set()
        leave.wait(60)
        return b"1"

    holder = threading.Thread(target=store.change, args=("ann", "facts", slowly))
    holder.start()
    inside.wait(60)
    began = time.monotonic()
    with pytest.raises(StoreUnavailable, match="others have been writing"):
        store.bump("actions")
    assert time.monotonic() - began < 30.0  # the other stays for sixty
    leave.set()
    holder.join()
    assert store.bump("actions") == 1


def test_a_store_that_was_locked_works_again_afterwards(store: SqliteStore, path: Path) -> None:
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable):
        store.bump("actions")
    holder.close()
    assert store.bump("actions") == 1


def test_a_full_disk_is_said_and_loses_nothing_that_stood(path: Path) -> None:
    store = SqliteStore(path, timeout_s=5)
    store.record([event("ann", "a")], fold)
    with store._file.writing() as db:  # a connection whose file may not grow
        db.execute(f"PRAGMA max_page_count = {db.execute('PRAGMA page_count').fetchone()[0]}")
    big = event("ann", "x" * 100_000, "big")
    with pytest.raises(StoreUnavailable, match="full"):
        store.record([big], fold)
    assert folded(store, "ann") == ["a"]
    assert store.record([big], fold) == ["accepted"], "a new connection, whose file may grow"
    store.close()


def test_a_broken_file_is_unavailable(path: Path, store: SqliteStore) -> None:
    store.record([event("ann", "a")], fold)
    store.close()
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
    with pytest.raises(StoreUnavailable, match="malformed"):
        store.customer("ann")


def test_a_document_is_gone_when_it_has_expired_and_its_place_is_free(path: Path) -> None:
    now = [1_000.0]
    store = SqliteStore(path, timeout_s=5, clock=lambda: now[0])
    assert store.put("decision", "1", b"first", expires_s=60)
    assert store.put("decision", "2", b"for good")
    now[0] += 59
    assert not store.put("decision", "1", b"second", expires_s=60)
    assert store.get("decision", "1") == b"first"
    now[0] += 1
    assert store.get("decision", "1") is None
    assert store.put("decision", "1", b"second", expires_s=60)
    now[0] += 1e9
    store.put("decision", "3", b"sweeps")
    with store._file.reading() as db:
        assert db.execute("SELECT key FROM documents ORDER BY key").fetchall() == [("2",), ("3",)]
    store.close()


def test_the_child_of_a_fork_neither_uses_nor_closes_a_connection_of_its_parent(store: SqliteStore) -> None:
    with store._file.reading() as inherited:
        pass
    child = os.fork()
    if child == 0:
        with store._file.reading() as db:
            store.close()
            used = db is inherited
            inherited.execute("SELECT 1")  # raises where it was closed
        os._exit(used)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


# The schema


def test_a_file_of_a_newer_valet_is_refused_and_not_touched(path: Path, store: SqliteStore) -> None:
    store.ping()
    store.close()
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version = {SCHEMA + 1}")
    db.close()
    before = path.read_bytes()
    with pytest.raises(InputError, match=f"schema version {SCHEMA + 1}, this Valet knows {SCHEMA}"):
        open_store(f"sqlite:///{path}")
    assert path.read_bytes() == before


@pytest.mark.parametrize("version", range(SCHEMA))
def test_a_file_of_an_older_valet_is_brought_up_to_date(path: Path, version: int) -> None:
    with sqlite3.connect(path) as db:
        for statements in MIGRATIONS[:version]:
            for statement in statements:
                db.execute(statement)
        db.execute(f"PRAGMA user_version = {version}")
    db.close()
    store = open_store(f"sqlite:///{path}")
    assert store is not None
    assert store.record([event("ann", "a")], fold) == ["accepted"]
    store.close()
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (SCHEMA,)
    db.close()


def test_a_migration_that_fails_changes_nothing_and_the_next_start_tries_again(
    path: Path, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.record([event("ann", "a")], fold)
    store.close()
    added = ("CREATE TABLE added (n INTEGER)", "CREATE TABLE customers (n INTEGER)")
    with monkeypatch.context() as newer:
        newer.setattr("service.store.sqlite.file.MIGRATIONS", (*MIGRATIONS, added))
        newer.setattr("service.store.sqlite.file.SCHEMA", SCHEMA + 1)
        with pytest.raises(StoreUnavailable, match="already exists"):
            store.ping()
        newer.setattr("service.store.sqlite.file.MIGRATIONS", (*MIGRATIONS, added[:1]))
        assert folded(store, "ann") == ["a"]
    store.close()
    with pytest.raises(InputError, match="newer Valet"):
        store.ping()


def test_eight_threads_that_open_a_new_file_at_once_all_find_it_ready(path: Path) -> None:
    answers: list[object] = []
    barrier = threading.Barrier(8)

    def start(number: int) -> None:
        store = SqliteStore(path, timeout_s=5)
        barrier.wait()
        answers.extend(store.record([event("ann", f"e{number}")], fold))
        store.close()

    threads = [threading.Thread(target=start, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["accepted"] * 8


@pytest.mark.parametrize("synchronous", ["NORMAL", "FULL"])
def test_the_file_is_opened_as_durable_and_forgetful_as_promised(path: Path, synchronous: str) -> None:
    store = open_store(f"sqlite:///{path}?synchronous={synchronous}")
    assert isinstance(store, SqliteStore)
    with store._file.reading() as db:
        found = {
            name: db.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "secure_delete")
        }
    assert found == {"journal_mode": "wal", "synchronous": {"NORMAL": 1, "FULL": 2}[synchronous], "secure_delete": 1}
    store.close()


# The bytes


def test_an_erased_customer_is_in_no_byte_of_the_files(path: Path, store: SqliteStore) -> None:
    words = [b"ann@shop", b"word-of-an-event", b"word-of-a-fact", b"word-of-a-decision", b"word-of-a-key"]
    store.record([event("bob", f"e{number}") for number in range(50)], fold)
    for number in range(50):
        store.record([event("ann@shop", f"word-of-an-event {number}", f"word-of-a-key {number}")], fold)
    store.change("ann@shop", "facts", lambda _: b"word-of-a-fact" * 1_000)
    store.put("decision", "1", b"word-of-a-decision", customer_id="ann@shop")
    assert [word for word in words if word in _bytes(path)] == words, "they are there before"
    store.erase("ann@shop")
    store.scrub()
    assert [word for word in words if word in _bytes(path)] == []
    assert len(folded(store, "bob") or []) == 50


def _bytes(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(path.parent.iterdir()))
