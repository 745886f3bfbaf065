"""Many threads of several processes, over both stores: nothing acknowledged is lost, nothing counts twice."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from service.store import Entry, Store
from service.store.open import open_store
from tests.service.store.conftest import event, fold, folded

ROOT = Path(__file__).resolve().parents[3]


def start_writer(url: str, name: str, threads: int, events: int) -> subprocess.Popen[bytes]:
    """A writer that says when it is ready and waits for `go`."""
    command = [sys.executable, "-m", "tests.service.store.writer", url, name, str(threads), str(events)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)


def go(*writers: subprocess.Popen[bytes]) -> None:
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write(b"go\n")
        writer.stdin.flush()


def test_two_processes_of_eight_threads_on_one_customer_lose_nothing_and_fold_each_once(
    store: Store, store_url: str
) -> None:
    writers = [start_writer(store_url, name, threads=8, events=10) for name in ("p", "q")]
    go(*writers)
    acknowledged = [line for writer in writers for line in writer.communicate(timeout=60)[0].decode().split()]
    assert len(acknowledged) == 160
    assert Counter(folded(store, "ann")) == Counter(acknowledged)
    logged = [entry.body.decode() for entry in store.events(customer_id="ann")]
    assert folded(store, "ann") == logged, "the profile has the order of the log"
    assert [entry.body.decode() for entry in store.events()] == logged


def test_kill_9_of_a_writer_loses_nothing_acknowledged_and_leaves_nothing_half_done(
    store: Store, store_url: str
) -> None:
    writer = start_writer(store_url, "p", threads=4, events=100_000)
    go(writer)
    assert writer.stdout is not None
    acknowledged = [writer.stdout.readline().decode().strip() for _ in range(100)]
    writer.kill()
    acknowledged += writer.communicate(timeout=60)[0].decode().split("\n")[:-1]
    logged = [entry.body.decode() for entry in store.events()]
    assert set(acknowledged) <= set(logged)
    assert folded(store, "ann") == logged
    assert store.record([event("ann", body) for body in logged], fold) == ["repeated"] * len(logged)


def test_publishing_while_events_come_keeps_them_all(store: Store, store_url: str) -> None:
    other = open_store(store_url)
    assert other is not None
    names = [f"c{number}" for number in range(40)]
    done = threading.Event()

    def customers_act() -> None:
        for number in range(300):
            other.record([event(names[number % 40], f"e{number}"), event(names[number * 7 % 40], f"f{number}")], fold)
        done.set()

    acting = threading.Thread(target=customers_act)
    acting.start()
    rounds = 0
    while not done.is_set() or rounds == 0:
        log = list(store.events())
        trained: dict[str, list[str]] = {name: [] for name in names}
        for entry in log:
            trained[entry.customer_id].append(entry.body.decode())
        profiles = [(name, json.dumps(bodies).encode()) for name, bodies in trained.items()]
        store.publish(profiles, sequence=log[-1].sequence if log else 0, fold=fold)
        rounds += 1
    acting.join()
    other.close()
    for name in names:
        assert folded(store, name) == [entry.body.decode() for entry in store.events(customer_id=name)]


def test_of_many_that_put_one_document_one_was_first(store: Store) -> None:
    first: list[bytes] = []

    def put(document: bytes) -> None:
        if store.put("decision", "1", document, customer_id="ann"):
            first.append(document)

    threads = [threading.Thread(target=put, args=(b"%d" % number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [store.get("decision", "1")] == first


def test_an_erasure_while_events_come_leaves_only_what_came_after_it(store: Store) -> None:
    stop = threading.Event()

    def customer_acts() -> None:
        number = 0
        while not stop.is_set():
            store.record([event("ann", f"e{number}")], fold)
            number += 1

    acting = threading.Thread(target=customer_acts)
    acting.start()
    for _ in range(10):
        time.sleep(0.01)
        store.erase("ann")
    stop.set()
    acting.join()
    store.record([event("ann", "last")], fold)
    assert folded(store, "ann") == [entry.body.decode() for entry in store.events(customer_id="ann")]
    assert folded(store, "ann") == [entry.body.decode() for entry in store.events()]


@pytest.mark.parametrize("part", ["facts", "ledger"])
def test_changes_by_many_threads_all_count(store: Store, part) -> None:
    def count() -> None:
        for _ in range(10):
            store.change("ann", part, lambda number: b"%d" % (int(number or 0) + 1))

    threads = [threading.Thread(target=count) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    customer = store.customer("ann")
    assert customer is not None
    assert getattr(customer, part) == b"60"


def test_of_many_customers_that_send_one_key_at_once_one_is_accepted(store: Store) -> None:
    statuses: list[str] = []
    together = threading.Barrier(6)

    def slow_fold(customer_id: str, profile: bytes | None, entries: Sequence[Entry]) -> bytes:
        time.sleep(0.002)  # all have read before the first writes
        return fold(customer_id, profile, entries)

    def send(customer_id: str) -> None:
        for number in range(10):
            together.wait(60)
            statuses.extend(store.record([event(customer_id, f"e{number}")], slow_fold))

    threads = [threading.Thread(target=send, args=(f"c{number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(statuses) == {"accepted": 10, "repeated": 50}
    assert sorted(entry.body for entry in store.events()) == [b"e%d" % number for number in range(10)]
