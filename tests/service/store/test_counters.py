"""Counters over both stores: added to together with a ledger, atomically, and read from a version on."""

from __future__ import annotations

import threading
from collections.abc import Mapping

import pytest

from service.store import COUNTERS, Settlement, Store
from service.store.open import open_store
from tests.service.store.conftest import event, fold


def learn(store: Store, customer_id: str, ledger: bytes, counts: Mapping[str, tuple[float, float]]) -> None:
    store.settle(customer_id, lambda stands: Settlement((stands or b"") + ledger, counts=counts), now=1_000)


def test_what_is_counted_adds_up_beside_the_ledger(store: Store) -> None:
    assert store.counters() == (0, {})
    learn(store, "ann", b"1", {"a b:c": (1.0, 0.5), "ลูกค้า": (2.0, 0.0)})
    learn(store, "ann", b"2", {"a b:c": (0.1, -0.5)})
    assert store.counters() == (2, {"a b:c": (1.1, 0.0), "ลูกค้า": (2.0, 0.0)})
    customer = store.customer("ann")
    assert customer is not None
    assert customer.ledger == b"12"


def test_only_what_was_added_to_since_a_version_is_read(store: Store) -> None:
    learn(store, "ann", b"", {"a": (1.0, 0.0)})
    learn(store, "bob", b"", {"b": (1.0, 1.0)})
    assert store.counters(after_version=1) == (2, {"b": (1.0, 1.0)})
    assert store.counters(after_version=2) == (2, {})
    assert store.versions() == {COUNTERS: 2}


def test_a_ledger_without_counts_leaves_the_version(store: Store) -> None:
    learn(store, "ann", b"1", {})
    assert (store.counters(), store.versions()) == ((0, {}), {})


def test_sums_of_any_size_keep_their_digits(store: Store) -> None:
    for addend in (1e250, 1 / 3, -1e250, 2e-7):
        learn(store, "ann", b"", {"big": (addend, 0.0), "small": (abs(addend) % 1, 1 / 3)})
    sums = store.counters()[1]
    assert sums["big"][0] == pytest.approx(2e-7)
    assert sums["small"] == pytest.approx((1 / 3 + 2e-7, 4 / 3), rel=1e-15)


def test_nothing_is_counted_where_the_ledger_cannot_be_made(store: Store) -> None:
    def fails(_: bytes | None) -> Settlement:
        raise KeyError("ledger")

    with pytest.raises(KeyError):
        store.settle("ann", fails, now=1_000)
    assert store.counters() == (0, {})
    assert store.customer("ann") is None


def test_the_rest_of_her_stays(store: Store) -> None:
    store.record([event("ann", "a")], fold)
    store.change("ann", "facts", lambda _: b"facts")
    learn(store, "ann", b"ledger", {"a": (1.0, 1.0)})
    ann = store.customer("ann")
    assert ann is not None
    assert (ann.facts, ann.ledger, ann.sequence) == (b"facts", b"ledger", 1)
    assert store.erase("ann") == 2
    assert store.counters()[1] == {"a": (1.0, 1.0)}, "counters name nobody"


def test_a_name_of_hers_is_her(store: Store) -> None:
    store.record([event("ann", "a")], fold)
    store.merge("visit", "ann", lambda hers, _: hers)
    learn(store, "visit", b"1", {})
    ann = store.customer("ann")
    assert ann is not None
    assert ann.ledger == b"1"


def test_many_at_once_lose_no_count_and_no_ledger(store: Store, store_url: str) -> None:
    def work() -> None:
        own = open_store(store_url)
        assert own is not None
        for _ in range(25):
            learn(own, "ann", b"x", {"a": (1.0, 1.0), "b": (0.5, 0.0)})
        own.close()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.counters()[1] == {"a": (150.0, 150.0), "b": (75.0, 0.0)}
    ann = store.customer("ann")
    assert ann is not None
    assert ann.ledger == b"x" * 150
