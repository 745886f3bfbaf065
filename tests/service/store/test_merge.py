"""The laws of Store.merge, over both stores: two names, one customer."""

from __future__ import annotations

import json
import threading

import pytest

from service.store import Customer, Store
from tests.service.store.conftest import event, fold, folded

ODD = ["session:s1", "ลูกค้า/%2F", "x" * 1000, "nul\0inside"]


def join(known: Customer, other: Customer) -> Customer:
    lists = [json.loads(customer.profile or b"[]") for customer in (known, other)]
    return known._replace(
        profile=json.dumps([*lists[0], *lists[1]]).encode(), facts=(known.facts or b"") + b"+" + (other.facts or b"")
    )


@pytest.mark.parametrize("name", ODD)
def test_what_was_kept_under_the_name_is_hers(store: Store, name: str) -> None:
    store.record([event(name, "seen"), event("ann", "bought"), event(name, "carted")], fold)
    store.put("decision", "1", b"d", customer_id=name)
    assert store.merge(name, "ann", join)
    assert folded(store, "ann") == ["bought", "seen", "carted"]
    assert [entry.body for entry in store.events(customer_id="ann")] == [b"bought", b"seen", b"carted"]
    assert {entry.customer_id for entry in store.events()} == {"ann"}
    assert store.erase("ann") == 1 + 3 + 1
    assert list(store.events()) == []
    assert store.customer(name) is None


def test_from_then_on_both_names_are_hers(store: Store) -> None:
    store.merge("s", "ann", join)
    assert store.record([event("s", "a"), event("ann", "b"), event("s", "c")], fold) == ["accepted"] * 3
    assert folded(store, "ann") == ["a", "b", "c"]
    assert store.customer("s") == store.customer("ann") == store.customers(["bob", "s"])[1]
    store.change("s", "ledger", lambda _: b"said")
    customer = store.customer("ann")
    assert customer is not None
    assert (customer.customer_id, customer.ledger) == ("ann", b"said")
    assert [entry.body for entry in store.events(customer_id="s")] == [b"a", b"b", b"c"]
    store.put("decision", "1", b"d", customer_id="s")
    assert store.erase("ann") == 1 + 3 + 1


def test_merging_again_changes_nothing(store: Store) -> None:
    store.record([event("s", "a")], fold)
    assert [store.merge("s", "ann", join) for _ in range(3)] == [True, False, False]
    assert not store.merge("ann", "s", join)
    assert not store.merge("ann", "ann", join)
    assert folded(store, "ann") == ["a"]


def test_an_event_that_was_known_is_known_under_either_name(store: Store) -> None:
    store.record([event("s", "a")], fold)
    store.merge("s", "ann", join)
    assert store.record([event("s", "a"), event("ann", "a")], fold) == ["repeated"] * 2


def test_names_of_a_name_follow_it(store: Store) -> None:
    store.record([event("s", "a"), event("t", "b")], fold)
    store.merge("s", "t", join)
    store.merge("t", "ann", join)
    store.record([event("s", "c")], fold)
    assert folded(store, "ann") == ["b", "a", "c"]
    assert store.customer("t") == store.customer("s") == store.customer("ann")


def test_the_next_who_says_the_visit_is_hers_has_it_from_now_on_alone(store: Store) -> None:
    store.record([event("s", "a")], fold)
    store.merge("s", "ann", join)
    assert store.merge("s", "bob", join)
    store.record([event("s", "b")], fold)
    assert (folded(store, "ann"), folded(store, "bob")) == (["a"], ["b"])
    store.erase("ann")
    assert folded(store, "s") == ["b"]


def test_a_name_that_was_erased_is_nobody_s_again(store: Store) -> None:
    store.record([event("ann", "a")], fold)
    store.merge("s", "ann", join)
    assert store.erase("s") == 0
    store.record([event("s", "b")], fold)
    store.erase("ann")
    assert folded(store, "s") == ["b"]


def test_profiles_published_from_before_the_merge_lose_nothing(store: Store) -> None:
    store.record([event("s", "a"), event("ann", "b")], fold)
    read = max(entry.sequence for entry in store.events())
    store.merge("s", "ann", join)
    store.publish([("ann", b'["b"]'), ("s", b'["a"]')], sequence=read, fold=fold)
    assert folded(store, "ann") == ["b", "a"]
    assert store.customer("s") == store.customer("ann")


def test_events_that_come_while_names_are_merged_are_neither_lost_nor_doubled(store: Store) -> None:
    def post(name: str) -> None:
        for number in range(30):
            store.record([event(name, f"{name}{number}")], fold)

    threads = [threading.Thread(target=post, args=(name,)) for name in ("s", "ann")]
    threads.append(threading.Thread(target=lambda: store.merge("s", "ann", join)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    everything = sorted(f"{name}{number}" for name in ("s", "ann") for number in range(30))
    assert sorted(folded(store, "ann") or []) == everything
    assert sorted(entry.body.decode() for entry in store.events(customer_id="ann")) == everything
