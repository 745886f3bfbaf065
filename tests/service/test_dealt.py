"""Who was dealt when, and what she bought since."""

from __future__ import annotations

import pytest

from models.event_log import encode
from models.profile import Event
from service.dealt import WITHIN_DAYS
from service.decisions.record import dump
from service.evidence import Evidence
from service.store import Customer, Entry
from tests.fakes import FakeStore

NOW, DAY = 1_764_000_000, 86_400


def decided(store: FakeStore, key: str, customer: str, *, arm: str = "full", at: int = NOW) -> None:
    store.put("decision", key, dump({"customer_id": customer, "arm": arm, "now": at}), customer_id=customer)


def bought(customer: str, at: int, *, name: str = "purchase", order: str = "o1") -> Entry:
    return Entry(
        customer, (f"{customer}{at}{name}",), at, encode(Event(name, at, item_id="A", amount=500, order_id=order))
    )


def test_her_arm_and_time_are_those_of_her_first_decision():
    store = FakeStore()
    decided(store, "d1", "ann", arm="holdout", at=NOW + DAY)
    decided(store, "d2", "ann", arm="full", at=NOW)
    decided(store, "d3", "bea", arm="holdout")
    found = Evidence(b"").dealt(store)
    assert found["full"].at.tolist() == [NOW]
    assert len(found["holdout"].at) == 1


@pytest.mark.parametrize(
    ("entry", "orders", "spent"),
    [
        (bought("ann", NOW + 1), 1, 500),
        (bought("ann", NOW + WITHIN_DAYS * DAY), 1, 500),
        (bought("ann", NOW + WITHIN_DAYS * DAY + 1), 0, 0),
        (bought("ann", NOW), 0, 0),
        (bought("ann", NOW + 1, name="add_to_cart"), 0, 0),
        (bought("bea", NOW + 1), 0, 0),
    ],
)
def test_purchases_count_from_her_first_decision_on_and_for_so_long(entry, orders, spent):
    store = FakeStore()
    decided(store, "d1", "ann")
    store.record([entry], lambda *_: b"")
    full = Evidence(b"").dealt(store)["full"]
    assert (full.orders.tolist(), full.spent.tolist()) == ([orders], [spent])


def test_lines_of_one_order_are_one_order_and_a_visitor_who_said_who_she_is_counts_once():
    store = FakeStore()
    store.people["ann"] = Customer("ann")
    decided(store, "d1", "session:1", at=NOW - DAY)
    decided(store, "d2", "ann")
    store.aliases["session:1"] = "ann"
    store.record([bought("ann", NOW + at) for at in (1, 2)], lambda *_: b"")
    full = Evidence(b"").dealt(store)["full"]
    assert [column.tolist() for column in vars(full).values()] == [[NOW - DAY], [1], [1_000]]
