"""What the stores keep of who is found how, how long, and what an erasure leaves, on both."""

from __future__ import annotations

import pytest

from service.store import TOMBSTONE, Customer, Entry, Store
from tests.service.store.conftest import event, fold, folded


def join(known: Customer, other: Customer) -> Customer:
    return known


def test_who_is_findable_is_found_until_she_no_longer_is(store: Store) -> None:
    store.findable("ann", ["phone", "mail"])
    store.findable("bob", ["phone"])
    assert store.find("phone") == ["ann", "bob"]
    store.findable("ann", ["new phone"], no_longer=["phone"])
    assert (store.find("phone"), store.find("new phone"), store.find("mail")) == (["bob"], ["ann"], ["ann"])
    assert store.find("nothing") == []


def test_what_found_a_name_finds_the_customer_it_is_of(store: Store) -> None:
    store.findable("s", ["mail"])
    store.merge("s", "ann", join)
    assert store.find("mail") == ["ann"]
    store.findable("s", ["phone"])
    assert store.find("phone") == ["ann"]
    store.findable("s", [], no_longer=["phone"])
    assert store.find("phone") == []


def test_nothing_finds_who_was_erased(store: Store) -> None:
    store.findable("ann", ["phone"])
    store.findable("bob", ["phone"])
    store.erase("ann")
    assert store.find("phone") == ["bob"]


def test_an_erasure_leaves_what_it_is_told_to_leave_and_the_next_one_replaces_it(store: Store) -> None:
    store.record([event("ann", "a")], fold)
    store.erase("ann", leaving={"k": b"first", "l": b"other"})
    store.erase("ann", leaving={"k": b"second"})
    assert store.get_many(TOMBSTONE, ["k", "x", "l"]) == [b"second", None, b"other"]
    assert dict(store.documents(TOMBSTONE)) == {"k": b"second", "l": b"other"}


def test_many_documents_are_read_at_once_in_the_order_asked(store: Store) -> None:
    for key in "ab:c":
        store.put("kind", key, key.encode())
    assert store.get_many("kind", ["c", "none", ":", "a"]) == [b"c", None, b":", b"a"]
    assert store.get_many("kind", []) == []


def test_her_papers_are_those_that_name_her_under_any_name(store: Store) -> None:
    store.put("outcome", "o:1", b"1", customer_id="ann")
    store.put("decision", "d", b"2", customer_id="s")
    store.put("decision", "e", b"3", customer_id="bob")
    store.put("decision", "f", b"4")
    store.merge("s", "ann", join)
    hers = [("decision", "d", b"2"), ("outcome", "o:1", b"1")]
    assert store.papers("ann") == store.papers("s") == hers


def test_names_are_listed_with_whose_they_are_and_are_no_customers(store: Store) -> None:
    for name, whose in (("s", "ann"), ("ลูกค้า *", "ann"), ("t", "bob")):
        store.record([event(name, name)], fold)
        store.merge(name, whose, join)
    assert store.names() == {"s": "ann", "ลูกค้า *": "ann", "t": "bob"}
    assert (store.names_of("ann"), store.names_of("s")) == (["s", "ลูกค้า *"], [])
    assert store.customer_ids() == ["ann", "bob"]
    store.erase("ann")
    assert store.names() == {"t": "bob"}


def test_an_event_says_when_it_came_also_after_a_merge(store: Store) -> None:
    store.record([Entry("s", ("a",), 1_000, b"a", received=2_000), event("ann", "b", at=1_500)], fold)
    store.merge("s", "ann", join)
    came = {entry.body: (entry.at, entry.received) for entry in store.events()}
    assert came == {b"a": (1_000, 2_000), b"b": (1_500, 1_500)}


def test_what_is_dropped_is_in_no_log_and_in_the_profile_still(store: Store) -> None:
    store.record([event("ann", "a1"), event("bob", "b1"), event("ann", "a2")], fold)
    logged = {entry.body: entry for entry in store.events()}
    first, other = logged[b"a1"], logged[b"b1"]
    assert store.drop([first, other]) == 2
    assert store.drop([first]) == 0
    assert [entry.body for entry in store.events()] == [b"a2"]
    assert [entry.body for entry in store.events(customer_id="ann")] == [b"a2"]
    assert (folded(store, "ann"), folded(store, "bob")) == (["a1", "a2"], ["b1"])
    store.record([event("ann", "a3")], fold)
    assert [entry.body for entry in store.events(customer_id="ann")] == [b"a2", b"a3"]
    assert store.erase("ann") == 1 + 2


@pytest.mark.parametrize("part", ["profile", "facts", "ledger"])
def test_every_part_can_be_changed(store: Store, part) -> None:
    assert store.change("ann", part, lambda stands: (stands or b"") + b"1") == b"1"
    assert store.change("ann", part, lambda stands: (stands or b"") + b"2") == b"12"
    assert getattr(store.customer("ann"), part) == b"12"
