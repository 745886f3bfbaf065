"""Calls that come at the same time are written as one: none is refused for the others, and none is harmed by what is wrong with another."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from models.errors import InputError, StoreUnavailable
from service.store import Entry
from service.store.open import open_store
from service.store.sqlite import SqliteStore
from tests.service.store.conftest import event, fold, folded

DEADLINE_S = 1.0
SLOW_S = 0.2  # eight of them one behind the other take longer


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    return SqliteStore(tmp_path / "valet.db", timeout_s=DEADLINE_S)


def slowly(customer_id: str, profile: bytes | None, entries: list[Entry]) -> bytes:
    time.sleep(SLOW_S)
    return fold(customer_id, profile, entries)


def test_eight_calls_at_once_are_kept_though_all_take_longer_than_the_deadline(store: SqliteStore) -> None:
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda number: store.record([event("ann", f"e{number}")], slowly), range(16)))
    assert told == [["accepted"]] * 16
    assert sorted(folded(store, "ann")) == sorted(f"e{number}" for number in range(16))


def test_who_came_first_is_told_of_the_repeats_of_who_waited_with_her(store_url: str) -> None:
    store = open_store(store_url)
    assert store is not None
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda _: store.record([event("ann", "once")], slowly), range(8)))
    assert sorted(status for (status,) in told) == ["accepted"] + ["repeated"] * 7
    assert folded(store, "ann") == ["once"]
    store.close()


def test_what_cannot_be_kept_harms_none_of_those_who_waited_with_it(store: SqliteStore) -> None:
    first, names = threading.Event(), ["first", "ann", "b\ud800b", "cid"]

    def send(name: str) -> object:
        def waiting(customer_id: str, profile: bytes | None, entries: list[Entry]) -> bytes:
            first.set()
            return slowly(customer_id, profile, entries)

        if name != "first":
            first.wait(60)
        try:
            return store.record([event(name, f"of {name!r}")], waiting)
        except InputError as error:
            return type(error)

    with ThreadPoolExecutor(4) as pool:
        told = dict(zip(names, pool.map(send, names), strict=True))
    assert told.pop("b\ud800b") is InputError
    assert set(map(str, told.values())) == {"['accepted']"}


def test_what_breaks_is_told_to_its_caller_and_the_next_is_written(store: SqliteStore) -> None:
    def broken(*_: object) -> bytes:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.record([event("ann", "lost")], broken)
    assert store.record([event("ann", "kept")], fold) == ["accepted"]
    assert folded(store, "ann") == ["kept"]


def test_a_file_that_another_process_holds_is_told_to_all_who_wait_in_time(store: SqliteStore, tmp_path: Path) -> None:
    store.ping()
    other = SqliteStore(tmp_path / "valet.db")
    began = time.monotonic()
    with other._file.writing(), ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(store.record, [event("ann", f"e{number}")], fold) for number in range(8)]
        assert {type(one.exception()) for one in waiting} == {StoreUnavailable}
        assert time.monotonic() - began < 6 * DEADLINE_S
    assert store.record([event("ann", "later")], fold) == ["accepted"]
