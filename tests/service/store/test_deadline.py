"""A deadline: whoever waits for the store in its name waits no longer in all, on both stores, however often it asks and whatever it asks."""

from __future__ import annotations

import math
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.errors import StoreUnavailable
from service.store import Store, deadline
from service.store.open import open_store
from tests.conftest import start_redis

SLACK_S = 10.0  # of a machine that does much else beside; without a deadline it would be thirty


@pytest.fixture(autouse=True)
def _none() -> Iterator[None]:
    yield
    deadline.set_by(None)


def opened(url: str) -> Store:
    store = open_store(url)
    assert store is not None
    return store


def test_without_a_deadline_there_is_any_time_left_and_each_thread_has_its_own() -> None:
    assert deadline.left_s() == math.inf
    deadline.set_by(60.0)
    assert 30.0 < deadline.left_s() <= 60.0
    elsewhere: list[float] = []
    thread = threading.Thread(target=lambda: elsewhere.append(deadline.left_s()))
    thread.start()
    thread.join()
    assert elsewhere == [math.inf]
    deadline.set_by(-1.0)
    assert deadline.left_s() < 0
    deadline.set_by(None)
    assert deadline.left_s() == math.inf


def test_a_dead_redis_is_waited_for_no_longer_than_is_left_and_then_not_asked(tmp_path: Path) -> None:
    with start_redis(tmp_path) as server:
        store = opened(f"{server.url}?timeout_ms=30000")
        store.ping()
        server.process.send_signal(signal.SIGSTOP)
        try:
            began = time.monotonic()
            deadline.set_by(0.3)
            for _ in range(20):
                with pytest.raises(StoreUnavailable):
                    store.customer("ann")
            assert 0.1 < time.monotonic() - began < 0.3 + SLACK_S
            with pytest.raises(StoreUnavailable, match="time is up"):
                store.ping()
        finally:
            server.process.send_signal(signal.SIGCONT)
        deadline.set_by(None)
        store.ping()  # that somebody had no time does not open the breaker
        store.close()


def test_who_is_in_a_hurry_is_answered_by_a_redis_that_is_well(tmp_path: Path) -> None:
    with start_redis(tmp_path) as server:
        store = opened(f"{server.url}?timeout_ms=30000")
        store.put("kind", "key", b"document")
        deadline.set_by(30.0)
        assert store.get("kind", "key") == b"document"
        assert store.get_many("kind", ["key", "other"]) == [b"document", None]
        store.close()


def test_a_locked_sqlite_is_waited_for_no_longer_than_is_left(tmp_path: Path) -> None:
    store = opened(f"sqlite:///{tmp_path / 'valet.db'}?timeout_ms=30000")
    store.ping()
    other = sqlite3.connect(tmp_path / "valet.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    deadline.set_by(0.2)
    for _ in range(5):
        with pytest.raises(StoreUnavailable):
            store.put("kind", "key", b"document")
        assert store.get("kind", "key") is None  # who reads waits for nobody
    assert time.monotonic() - began < 0.2 + SLACK_S
    other.execute("ROLLBACK")
    other.close()
    assert store.put("kind", "key", b"document")  # nor does who finds it free
    store.close()
