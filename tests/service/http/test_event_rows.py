"""What a batch of events may hold, through the real app on both stores: every name, bad rows beside good ones, late ones, a page's."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from models.profile import load
from models.profile.fold import EVENTS
from tests.service.http.apps import tiny_app

VIEW = {"event": "view_item", "customer_id": "anna", "item_id": "DR-001"}


@pytest.fixture
def client(store_url: str, tmp_path: Path) -> FlaskClient:
    return tiny_app(tmp_path, store=store_url).test_client()


def counts(client: FlaskClient, customer_id: str = "anna") -> dict[str, int]:
    customer = client.application.extensions["valet"].store.customer(customer_id)
    return {} if customer is None else dict(load(customer.profile).counts)


def test_every_name_of_an_event_counts_under_its_own_name_and_others_count_for_nothing(client):
    rows = [{"event": name, "customer_id": "anna", "item_id": "DR-001", "status": "granted"} for name in sorted(EVENTS)]
    answer = client.post("/events", json=[*rows, {"event": "spun_the_wheel", "customer_id": "anna"}])
    assert answer.json["accepted"] == len(EVENTS) + 1
    assert {name: counts(client)[name] for name in EVENTS} == dict.fromkeys(EVENTS, 1)
    told = [entry["event"] for entry in client.get("/customers/anna/timeline").json["entries"] if "event" in entry]
    assert sorted(told) == sorted([*EVENTS, "spun_the_wheel"])


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        ({"time": "2026-02-01T00:00:00Z"}, "time"),
        ({"time": "2025-11-01T00:00:00Z"}, "time"),
        ({"time": "1989-12-31T00:00:00Z"}, "time"),
        ({"quantity": -1}, "quantity"),
        ({"note": "x" * 1_000_000}, "extra"),
        ({"customer_id": "x" * 1_000_000}, "customer_id"),
        ({"event": "x" * 1_000_000}, "event"),
        ({"items": [{"item_id": "A", "currency": "EUR"}], "currency": "THB"}, "items.0.currency"),
        ({"currency": "EUR"}, "currency"),
    ],
)
def test_a_bad_row_is_refused_with_its_field_and_all_others_are_kept(client, bad, field):
    good = {**VIEW, "currency": "THB"}
    answer = client.post("/events", json=[good, {**VIEW, **bad}, good])
    assert (answer.status_code, [row["status"] for row in answer.json["results"]]) == (
        200,
        ["accepted", "refused", "accepted"],
    )
    assert list(answer.json["results"][1]["errors"]) == [field]
    assert len(answer.data) < 2_000, "what was sent is not sent back"
    assert counts(client) == {"view_item": 2}


def month(customer_id: str) -> list[dict[str, object]]:
    """A look a day and two orders, in the order in which they happened."""
    told = [
        {"event": "view_item", "item_id": f"i{day % 3}", "time": f"2025-12-{day:02}T10:00:00Z"} for day in range(3, 29)
    ]
    order = {"event": "purchase", "item_id": "DR-001", "price": 9}
    told += [{**order, "order_id": f"{customer_id} {day}", "time": f"2025-12-{day}T09:00:00Z"} for day in (10, 20)]
    return [{**row, "customer_id": customer_id} for row in sorted(told, key=lambda row: str(row["time"]))]


def test_late_and_out_of_order_gives_what_in_time_would_have_given(client):
    client.post("/events", json=month("anna"))
    late = month("bob")
    for part in (late[1::2], late[::2][::-1]):
        assert client.post("/events", json=part).json["refused"] == 0
    anna, bob = (client.get(f"/customers/{name}").json for name in ("anna", "bob"))
    assert {**bob, "customer_id": "anna"} == anna


@pytest.mark.parametrize(
    "row",
    [VIEW, {**VIEW, "event_id": "mine"}, {**VIEW, "event": "purchase", "order_id": "7"}],
    ids=["by nothing", "by its id", "by its order"],
)
def test_the_timeline_names_an_event_as_its_receipt_did(client, row):
    [receipt] = client.post("/events", json=row).json["results"]
    [entry] = client.get("/customers/anna/timeline").json["entries"]
    assert entry["id"] == receipt["event_id"]


def test_an_unknown_item_is_kept_and_marked(client):
    answer = client.post("/events", json=[VIEW, {**VIEW, "item_id": "new one"}]).json
    assert ["warnings" in row for row in answer["results"]] == [False, True]
    assert "new one" in answer["results"][1]["warnings"]["item_id"][0]
    entries = client.get("/customers/anna/timeline").json["entries"]
    assert {entry["item_id"]: entry.get("unknown_item", False) for entry in entries} == {
        "DR-001": False,
        "new one": True,
    }
    client.put("/items", json={"items": [{"item_id": "new one", "title": "New"}]})
    assert "warnings" not in client.post("/events", json={**VIEW, "item_id": "new one"}).json["results"][0]


def test_a_page_sends_little_and_a_server_much(client):
    body = b'[{"event": "view_item", "session_id": "s"}]' + b" " * (1 << 16)
    as_page = {"Origin": "http://localhost", "Content-Type": "text/plain"}
    assert client.post("/events", data=body, headers=as_page).status_code == 413
    assert client.post("/events", data=body, content_type="application/json").status_code == 200
