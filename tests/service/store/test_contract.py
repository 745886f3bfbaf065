"""The laws of service.store.Store, over both stores."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Sequence

import pytest

from models.errors import InputError
from service.store import Customer, Entry, Part, Store
from service.store.open import open_store
from tests.service.store.conftest import event, fold, folded

ODD_IDS = [
    "a b",
    "ลูกค้า",
    "🦊",
    "a/b?c#d%20",
    "'; DROP TABLE customers;--",
    "x" * 1000,
    "line\nbreak",
    "nul\0inside",
    "",
]


def test_nothing_is_known_of_a_stranger(store: Store) -> None:
    assert store.customer("ann") is None
    assert store.customers(["ann", "bob"]) == [None, None]
    assert store.customers([]) == []
    assert list(store.events()) == []
    assert store.get("decision", "1") is None
    assert store.erase("ann") == 0
    assert store.versions() == {}
    assert store.items() == (0, {})


@pytest.mark.parametrize("customer_id", ODD_IDS)
def test_any_text_is_an_id(store: Store, customer_id: str) -> None:
    entry = event(customer_id, "seen", f"key of {customer_id}", at=-5)
    assert store.record([entry], fold) == ["accepted"]
    assert store.record([entry], fold) == ["repeated"]
    assert folded(store, customer_id) == ["seen"]
    [logged] = store.events(customer_id=customer_id)
    assert (logged.customer_id, logged.keys, logged.at, logged.body) == (customer_id, entry.keys, -5, b"seen")
    assert store.put("decision", customer_id, b"1", customer_id=customer_id)
    assert store.get("decision", customer_id) == b"1"
    assert store.erase(customer_id) == 3
    assert store.customer(customer_id) is None


@pytest.mark.parametrize(
    "use",
    [
        lambda store: store.customer("\ud800"),
        lambda store: store.get("decision", "\ud800"),
        lambda store: store.record([event("\ud800", "a")], fold),
        lambda store: store.record([event("ann", "a", "\ud800")], fold),
        lambda store: store.record([event("ann", "a", at=2**70)], fold),
        lambda store: store.bump("\ud800"),
        lambda store: store.upsert_items({"\ud800": b""}),
        lambda store: store.item("\ud800"),
    ],
)
def test_a_value_that_no_store_can_keep_is_an_input_error_and_leaves_no_mark(store: Store, use) -> None:
    with pytest.raises(InputError):
        use(store)
    assert list(store.events()) == []
    assert store.customer("ann") is None


def test_what_cannot_be_kept_of_one_of_many_customers_is_said_before_any_is_written(store: Store) -> None:
    many = [event(f"c{number}", f"e{number}", at=1_000 if number < 149 else 2**70) for number in range(150)]
    with pytest.raises(InputError):
        store.record(many, fold)
    assert (list(store.events()), store.customer_ids()) == ([], [])
    assert set(store.record(many[:-1], fold)) == {"accepted"}


# The log


@pytest.mark.parametrize(
    ("calls", "statuses", "profile"),
    [
        ([[("a", "a")]], ["accepted"], ["a"]),
        ([[("a", "a"), ("b", "b")]], ["accepted", "accepted"], ["a", "b"]),
        ([[("a", "k"), ("b", "k")]], ["accepted", "repeated"], ["a"]),
        ([[("a", "k")], [("b", "k")]], ["accepted", "repeated"], ["a"]),
        ([[("a", "k l")], [("b", "l m")]], ["accepted", "repeated"], ["a"]),
        ([[("a", "k")], [("b", "k l")], [("c", "l")]], ["accepted", "repeated", "accepted"], ["a", "c"]),
        ([[("a", "k"), ("b", "k l"), ("c", "l")]], ["accepted", "repeated", "accepted"], ["a", "c"]),
        ([[("a", "k k")]], ["accepted"], ["a"]),
        ([[("a", ""), ("a", "")], [("a", "")]], ["accepted"] * 3, ["a", "a", "a"]),
        ([[]], [], None),
    ],
)
def test_an_entry_counts_once_by_any_of_its_keys(
    store: Store, calls: list[list[tuple[str, str]]], statuses: list[str], profile: list[str] | None
) -> None:
    batches = [[Entry("ann", tuple(keys.split()), 0, body.encode()) for body, keys in call] for call in calls]
    assert [status for batch in batches for status in store.record(batch, fold)] == statuses
    assert folded(store, "ann") == profile
    assert [entry.body.decode() for entry in store.events()] == (profile or [])


def test_a_key_is_seen_whoever_the_customer_is(store: Store) -> None:
    assert store.record([event("ann", "order-1"), event("bob", "order-1")], fold) == ["accepted", "repeated"]
    assert store.record([event("cid", "order-1")], fold) == ["repeated"]
    assert store.customers(["ann", "bob", "cid"])[1:] == [None, None]


@pytest.mark.parametrize("parts", [("facts",), ("ledger",), ("facts", "ledger")])
def test_a_profile_that_grows_at_its_end_leaves_what_lies_beside_it(store: Store, parts: Sequence[Part]) -> None:
    def growing(_: str, profile: bytes | None, new: Sequence[Entry]) -> bytes:
        return b"".join((profile or b"", *(entry.body for entry in new)))

    store.record([event("ann", "a")], growing)
    for part in parts:
        store.change("ann", part, lambda _, part=part: part.encode())
    for body in ("b", "c"):
        store.record([event("ann", body)], growing)
    found = store.customer("ann")
    assert found is not None
    assert found.profile == b"abc"
    assert [found.facts, found.ledger] == [part.encode() if part in parts else None for part in ("facts", "ledger")]
    assert found.sequence == store.newest()


def test_events_of_one_customer_are_folded_and_logged_in_the_order_they_came(store: Store) -> None:
    bodies = [f"e{number}" for number in range(60)]
    store.record([event("ann" if number % 2 else "bob", body) for number, body in enumerate(bodies)], fold)
    assert folded(store, "ann") == bodies[1::2]
    assert folded(store, "bob") == bodies[0::2]
    assert [entry.body.decode() for entry in store.events(customer_id="ann")] == bodies[1::2]


def test_sequences_rise_and_the_log_is_read_on_from_any_of_them(store: Store) -> None:
    for start in range(0, 2_400, 400):
        store.record([event(f"c{number % 7}", f"e{number}") for number in range(start, start + 400)], fold)
    entries = list(store.events())
    sequences = [entry.sequence for entry in entries]
    assert len(entries) == 2_400
    assert sequences == sorted(set(sequences))
    for after in (sequences[0], sequences[998], sequences[999], sequences[1_000], sequences[-1]):
        assert list(store.events(after=after)) == [entry for entry in entries if entry.sequence > after]
    hers = [entry for entry in entries if entry.customer_id == "c3"]
    assert list(store.events(after=hers[9].sequence, customer_id="c3")) == hers[10:]


def test_the_customer_says_which_of_her_events_are_in_the_profile(store: Store) -> None:
    store.record([event("ann", "a1"), event("bob", "b1"), event("ann", "a2"), event("bob", "b2")], fold)
    for customer_id in ("ann", "bob"):
        customer = store.customer(customer_id)
        assert customer is not None
        assert customer.sequence == [entry.sequence for entry in store.events(customer_id=customer_id)][-1]


def test_a_fold_that_fails_leaves_no_mark(store: Store) -> None:
    def failing(customer_id: str, profile: bytes | None, entries: Sequence[Entry]) -> bytes:
        raise InputError("no")

    with pytest.raises(InputError, match="no"):
        store.record([event("ann", "a")], failing)
    assert store.customer("ann") is None
    assert list(store.events()) == []
    assert store.record([event("ann", "a")], fold) == ["accepted"]


# The parts of a customer


def test_parts_change_apart_and_are_read_together(store: Store) -> None:
    assert store.change("ann", "facts", lambda facts: (facts or b"none") + b" f") == b"none f"
    assert store.change("ann", "ledger", lambda ledger: b"") == b""
    store.record([event("ann", "a")], fold)
    assert store.change("ann", "facts", lambda facts: (facts or b"none") + b" g") == b"none f g"
    sequence = next(store.events()).sequence
    assert store.customer("ann") == Customer("ann", b'["a"]', b"none f g", b"", sequence)
    assert store.customers(["bob", "ann", "ann"]) == [None, store.customer("ann"), store.customer("ann")]


def test_a_change_to_none_leaves_the_part(store: Store) -> None:
    assert store.change("ann", "ledger", lambda _: None) is None
    assert store.customer("ann") is None
    store.change("ann", "ledger", lambda _: b"1")
    assert store.change("ann", "ledger", lambda _: None) == b"1"


def test_a_change_that_meets_another_is_made_again_on_what_stands(store: Store, store_url: str) -> None:
    other = open_store(store_url)
    assert other is not None
    seen: list[bytes | None] = []

    def slowly(part: bytes | None) -> bytes:
        seen.append(part)
        if len(seen) == 1:
            thread = threading.Thread(
                target=other.change, args=("ann", "facts", lambda part: (part or b"") + b"other ")
            )
            thread.start()
            thread.join(0.05)  # on Redis it is done by now, on SQLite it waits for us
            threads.append(thread)
        return (part or b"") + b"mine "

    threads: list[threading.Thread] = []
    store.change("ann", "facts", slowly)
    threads[0].join()
    customer = store.customer("ann")
    assert customer is not None
    assert sorted((customer.facts or b"").split()) == [b"mine", b"other"]
    other.close()


# Publishing


def test_publishing_sets_profiles_and_leaves_the_rest(store: Store) -> None:
    store.change("ann", "facts", lambda _: b"consent")
    store.change("ann", "ledger", lambda _: b"mailed")
    assert store.publish([("ann", b"[]"), ("bob", b"[]")], sequence=0, fold=fold) == 2
    assert store.customer("ann") == Customer("ann", b"[]", b"consent", b"mailed", 0)
    assert store.customer("bob") == Customer("bob", b"[]", None, None, 0)


def test_publishing_folds_what_came_since_training_read_the_log(store: Store) -> None:
    store.record([event("ann", "a1"), event("bob", "b1")], fold)
    read = max(entry.sequence for entry in store.events())
    store.record([event("ann", "a2"), event("ann", "a3")], fold)
    store.change("ann", "facts", lambda _: b"consent")
    profiles = {"ann": b'["trained a1"]', "bob": b'["trained b1"]', "cid": b'["trained"]'}
    assert store.publish(profiles.items(), sequence=read, fold=fold) == 3
    assert folded(store, "ann") == ["trained a1", "a2", "a3"]
    assert folded(store, "bob") == ["trained b1"]
    assert folded(store, "cid") == ["trained"]
    ann = store.customer("ann")
    assert ann is not None
    assert ann.facts == b"consent"
    assert ann.sequence == max(entry.sequence for entry in store.events())
    store.record([event("ann", "a4"), event("cid", "c1")], fold)
    assert folded(store, "ann") == ["trained a1", "a2", "a3", "a4"]
    assert folded(store, "cid") == ["trained", "c1"]


def test_publishing_twice_or_an_older_training_late_gives_what_that_training_knew_and_all_since(store: Store) -> None:
    store.record([event("ann", "a1")], fold)
    first = max(entry.sequence for entry in store.events())
    store.record([event("ann", "a2")], fold)
    second = max(entry.sequence for entry in store.events())
    for _ in range(2):
        store.publish([("ann", b'["to a2"]')], sequence=second, fold=fold)
        assert folded(store, "ann") == ["to a2"]
    store.publish([("ann", b'["to a1"]')], sequence=first, fold=fold)
    assert folded(store, "ann") == ["to a1", "a2"]


def test_more_profiles_than_a_chunk_are_all_set(store: Store) -> None:
    profiles = ((f"c{number}", b"%d" % number) for number in range(2_345))
    assert store.publish(profiles, sequence=0, fold=fold) == 2_345
    found = store.customers([f"c{number}" for number in range(0, 2_345, 100)])
    assert [customer and customer.profile for customer in found] == [b"%d" % number for number in range(0, 2_345, 100)]


def test_a_log_that_never_came_so_far_is_not_the_one_that_training_read(store: Store) -> None:
    store.record([event("ann", "a1")], fold)
    with pytest.raises(InputError, match="has not come to 99"):
        store.publish([("ann", b"[]")], sequence=99, fold=fold)
    assert folded(store, "ann") == ["a1"]


# Documents


def test_a_document_stands_as_it_was_first_put(store: Store) -> None:
    assert store.put("decision", "1", b"first")
    assert not store.put("decision", "1", b"second")
    assert store.put("outcome", "1", b"another kind")
    assert store.get("decision", "1") == b"first"
    assert store.get("outcome", "1") == b"another kind"
    assert store.get("decision", "2") is None


# Erasure


def test_erasing_removes_the_customer_her_events_and_her_documents_and_nobody_else(store: Store) -> None:
    store.record([event("ann", "a1", "k1", "k2"), event("bob", "b1"), event("ann", "a2")], fold)
    store.change("ann", "facts", lambda _: b"consent")
    store.put("decision", "1", b"hers", customer_id="ann")
    store.put("decision", "2", b"hers too", customer_id="ann", expires_s=60)
    store.put("decision", "3", b"his", customer_id="bob")
    store.put("decision", "4", b"nobody's")
    assert store.erase("ann") == 1 + 2 + 2
    assert store.erase("ann") == 0
    assert store.customer("ann") is None
    assert [entry.body for entry in store.events()] == [b"b1"]
    assert list(store.events(customer_id="ann")) == []
    assert [store.get("decision", key) for key in "1234"] == [None, None, b"his", b"nobody's"]
    assert folded(store, "bob") == ["b1"]
    assert store.record([event("cid", "c1", "k2"), event("cid", "c2", "b1")], fold) == ["accepted", "repeated"]


def test_after_an_erasure_sequences_go_on_where_they_were(store: Store) -> None:
    store.record([event("ann", "a1"), event("ann", "a2")], fold)
    last = max(entry.sequence for entry in store.events())
    store.erase("ann")
    store.record([event("bob", "b1")], fold)
    assert [entry.sequence for entry in store.events()] == [last + 1]
    assert store.publish([("bob", b"[]")], sequence=last, fold=fold) == 1
    assert folded(store, "bob") == ["b1"]


# What jobs and reports walk through


def test_everybody_is_named_once_in_order_and_an_erased_customer_is_not(store: Store) -> None:
    names = [f"c{number:04}" for number in range(1_200)]
    store.publish([(name, b"[]") for name in reversed(names)], sequence=0, fold=fold)
    store.record([event("ลูกค้า *[?]", "a"), event("session:1", "b")], fold)
    store.erase("c0001")
    assert store.customer_ids() == sorted({*names, "ลูกค้า *[?]", "session:1"} - {"c0001"})


def test_blocks_say_how_many_events_are_left_in_each(store: Store) -> None:
    assert store.blocks() == {}
    store.record([event("ann", "a"), event("bob", "b")], fold)
    store.record([event(f"c{nth}", f"{nth}") for nth in range(1_000)], fold)
    assert store.blocks() == {0: 1_000, 1: 2}
    store.erase("bob")
    assert store.blocks() == {0: 999, 1: 2}


def test_keys_are_those_of_the_documents_of_a_kind_that_there_are(store: Store) -> None:
    store.put("decision", "a:b", b"1", customer_id="ann")
    store.put("decision", "c", b"2")
    store.put("outcome", "d", b"3")
    assert sorted(store.keys("decision")) == ["a:b", "c"]
    store.erase("ann")
    assert store.keys("decision") == ["c"]


def test_documents_of_a_kind_are_listed_and_those_of_others_are_not(store: Store) -> None:
    kept = {f"{number:04}": b"%d" % number for number in range(600)} | {"ลูกค้า *": b"x"}
    for key, document in kept.items():
        store.put("out*come", key, document)
    store.put("outcome", "1", b"another kind")
    assert dict(store.documents("out*come")) == kept
    assert list(store.documents("nothing")) == []


def test_the_newest_event_s_sequence_is_known_even_when_it_was_erased(store: Store) -> None:
    assert store.newest() == 0
    store.record([event("ann", "a1"), event("ann", "a2")], fold)
    assert store.newest() == max(entry.sequence for entry in store.events())
    last = store.newest()
    store.erase("ann")
    assert store.newest() == last


# What the shop changes


def test_versions_count_up_one_by_one(store: Store) -> None:
    assert [store.bump("actions"), store.bump("actions"), store.bump("keys")] == [1, 2, 1]
    assert dict(store.versions()) == {"actions": 2, "keys": 1}


def test_a_worker_learns_which_items_changed_since_it_asked(store: Store) -> None:
    assert store.upsert_items({"shoe": b"1", "dress": b"1"}) == 1
    version, documents = store.items()
    assert (version, documents) == (1, {"shoe": b"1", "dress": b"1"})
    assert store.upsert_items({"shoe": b"2", "หมวก": b"1"}) == 2
    assert store.items(after_version=version) == (2, {"shoe": b"2", "หมวก": b"1"})
    assert store.items(after_version=2) == (2, {})
    assert store.items() == (2, {"shoe": b"2", "dress": b"1", "หมวก": b"1"})
    assert dict(store.versions()) == {"items": 2}


def test_changes_of_items_come_in_the_order_they_were_made(store: Store) -> None:
    store.upsert_items({"b": b"1", "a": b"1", "c": b"1"})
    store.upsert_items({"a": b"2"})
    assert list(store.items()[1]) == ["b", "c", "a"]


def test_an_item_is_changed_from_what_stands(store: Store) -> None:
    assert store.item("shoe") is None
    assert store.change_item("shoe", lambda document: b"1" if document is None else b"?") == b"1"
    assert store.change_item("shoe", lambda document: (document or b"") + b"2") == b"12"
    assert store.change_item("shoe", lambda _: None) == b"12"
    assert store.change_item("hat", lambda _: None) is None
    assert store.item("shoe") == b"12"
    assert store.items() == (2, {"shoe": b"12"})


def test_two_who_change_an_item_at_once_lose_nothing(store: Store) -> None:
    def count() -> None:
        for _ in range(20):
            store.change_item("shoe", lambda document: b"%d" % (int(document or 0) + 1))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.item("shoe") == b"80"
    assert dict(store.versions()) == {"items": 80}


# Forks


def test_the_child_of_a_fork_opens_connections_of_its_own(store: Store) -> None:
    store.record([event("ann", "before")], fold)
    child = os.fork()
    if child == 0:  # pragma: no cover  (measured in the parent)
        status = 1
        try:
            status = 0 if store.record([event("ann", f"child{n}") for n in range(20)], fold) == ["accepted"] * 20 else 2
        finally:
            os._exit(status)
    statuses = [store.record([event("ann", f"parent{n}")], fold) for n in range(20)]
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert statuses == [["accepted"]] * 20
    customer = store.customer("ann")
    assert customer is not None
    assert len(json.loads(customer.profile or b"")) == 41


def test_what_may_be_kept_of_an_event_is_asked_with_the_facts_of_whom_it_is_about(store: Store) -> None:
    def sift(facts: bytes, entry: Entry) -> Entry:
        assert facts == b"refuses"
        return entry._replace(folded=False) if entry.body == b"owed" else entry._replace(customer_id="nobody")

    store.change("ann", "facts", lambda _: b"refuses")
    store.merge("her phone", "ann", lambda known, _: known)
    told = [event("ann", "owed"), event("bob", "free"), event("her phone", "seen"), event("ann", "seen")]
    assert store.record(told, fold, sift) == ["accepted", "accepted", "accepted", "repeated"]
    assert [(one.customer_id, one.body) for one in store.events()] == [
        ("ann", b"owed"),
        ("bob", b"free"),
        ("nobody", b"seen"),
    ]
    assert [folded(store, name) for name in ("ann", "bob", "nobody")] == [[], ["free"], ["seen"]]
    assert store.record([event("bob", "more")], fold, sift) == ["accepted"]
