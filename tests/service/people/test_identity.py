"""Merge at login, over both stores."""

from __future__ import annotations

import pytest

from models.profile import load
from service import events
from service.events import Rules
from service.people.facts import load as load_facts
from service.people.identity import merge
from service.store import Store
from tests.worlds import NOW

VIEW = {"event": "view_item", "session_id": "s1", "item_id": "DR-001"}
LOGIN = {"event": "login", "session_id": "s1", "customer_id": "anna"}


def record(store: Store, *rows: dict[str, object]) -> list[str]:
    receipts = events.record(list(rows), store=store, rules=Rules(), now=NOW, new_id=iter(map(str, range(99))).__next__)
    return [receipt.status for receipt in receipts]


def items(store: Store, customer_id: str) -> dict[str, int]:
    """How often she viewed what."""
    customer = store.customer(customer_id)
    return (
        {}
        if customer is None
        else {name: item.events["view_item"] for name, item in load(customer.profile).items.items()}
    )


def test_a_login_gives_her_the_visit_and_all_that_follows_in_it(store: Store) -> None:
    record(store, {**VIEW, "event_id": "v1"})
    record(store, {**LOGIN, "event_id": "l1"})
    record(store, {**VIEW, "item_id": "SH-014", "event_id": "v2"})
    assert items(store, "anna") == {"DR-001": 1, "SH-014": 1}
    assert items(store, "session:s1") == items(store, "anna")


def test_a_login_told_twice_counts_once(store: Store) -> None:
    record(store, {**VIEW, "event_id": "v1"})
    assert [record(store, {**LOGIN, "event_id": "l1"}) for _ in range(2)] == [["accepted"], ["repeated"]]
    assert items(store, "anna") == {"DR-001": 1}


@pytest.mark.parametrize(
    "login", [{"event": "login", "customer_id": "anna"}, {**LOGIN, "event": "view_item", "item_id": "x"}]
)
def test_only_a_login_that_names_both_says_who_she_is(store: Store, login: dict[str, object]) -> None:
    record(store, {**VIEW, "event_id": "v1"}, {**login, "event_id": "l1"})
    assert "DR-001" not in items(store, "anna")


def test_a_session_and_an_anonymous_customer_of_that_name_are_hers(store: Store) -> None:
    record(
        store,
        {**VIEW, "event_id": "v1"},
        {"event": "view_item", "customer_id": "s1", "item_id": "SH-014", "event_id": "v2"},
    )
    assert merge(store, anonymous="s1", known="anna")
    assert items(store, "anna") == {"DR-001": 1, "SH-014": 1}
    assert not merge(store, anonymous="s1", known="anna")


def test_what_she_refused_before_she_said_who_she_is_stays_refused_and_her_own_words_win(store: Store) -> None:
    refusal = {
        "event": "consent",
        "session_id": "s1",
        "purpose": "marketing",
        "channel": "email",
        "status": "denied",
        "event_id": "c",
    }
    record(store, refusal)
    store.change("anna", "facts", lambda _: b'{"attributes": {"city": "Bangkok"}}')
    store.change(
        "session:s1",
        "facts",
        lambda document: (document or b"{}").replace(b'"attributes":{}', b'"attributes":{"city":"?","size":38}'),
    )
    record(store, {**LOGIN, "event_id": "l1"})
    customer = store.customer("anna")
    assert customer is not None
    facts = load_facts(customer.facts)
    assert facts["attributes"] == {"city": "Bangkok", "size": 38}
    assert [consent["status"] for consent in facts["consents"]] == ["denied"]
    assert facts["aliases"] == ["s1"]
