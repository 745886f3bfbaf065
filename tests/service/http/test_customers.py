"""/customers through the real app, on both stores."""

from pathlib import Path
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from service.http.customers import ProfileSchema
from tests.service.http.apps import tiny_app

STRANGE = ["a b", "a/b", "a%2Fb", "a/timeline", "ลูกค้า", "🛍️?#", "x" * 1000]


@pytest.fixture
def client(store_url: str, tmp_path: Path) -> FlaskClient:
    return tiny_app(tmp_path, store=store_url).test_client()


def buy(client: FlaskClient, customer_id: str = "anna", *, day: int = 20, price: float = 1500, **more) -> None:
    item = {"item_id": "DR-001", "price": price}
    bought = {"event": "purchase", "customer_id": customer_id, "order_id": f"{customer_id}-{day}", "items": [item]}
    answer = client.post("/events", json={**bought, "time": f"2025-12-{day:02}T10:00:00Z", **more})
    assert answer.json["accepted"] == 1, answer.json


def test_the_shared_picture_has_the_shape_of_the_contract(client):
    buy(client)
    answer = client.get("/customers/anna")
    assert answer.status_code == 200
    assert ProfileSchema().validate(answer.json) == {}
    assert (answer.json["tier"]["name"], answer.json["lifecycle"], answer.json["orders"]["count"]) == (
        "silver",
        "first_time",
        1,
    )
    assert (answer.json["tier"]["next"], answer.json["tier"]["missing"]) == ("gold", 3500.0)


def test_as_of_a_later_time_she_has_lapsed(client):
    buy(client)
    assert client.get("/customers/anna?at=2026-06-01T00:00:00Z").json["lifecycle"] == "lapsed"


@pytest.mark.parametrize(
    ("path", "field"), [("?at=tomorrow", "at"), ("?at=1989-01-01T00:00:00Z", "at"), ("?when=1", "when")]
)
def test_a_wrong_time_is_named(client, path, field):
    buy(client)
    answer = client.get(f"/customers/anna{path}")
    assert (answer.status_code, list(answer.json["errors"])) == (422, [field])


@pytest.mark.parametrize("path", ["", "/timeline"])
def test_nobody_knows_a_stranger_even_when_something_was_decided_for_her(client, path):
    client.post("/next-best-action", json={"customer_id": "anna", "channel": "website"})
    assert client.get(f"/customers/anna{path}").status_code == 404


@pytest.mark.parametrize("customer_id", STRANGE)
def test_ids_are_opaque_in_paths(client, customer_id):
    buy(client, customer_id)
    path = f"/customers/{quote(customer_id, safe='')}"
    assert client.get(path).json["customer_id"] == customer_id
    assert client.get(f"{path}/timeline").json["entries"][0]["kind"] == "event"


def test_attributes_are_set_and_taken_away_one_by_one(client):
    for attributes in ({"city": "Bangkok", "size": 38}, {"size": None, "vip": True}):
        answer = client.patch("/customers/anna", json={"attributes": attributes})
    assert answer.json["attributes"] == {"city": "Bangkok", "vip": True}


def test_a_channel_she_asked_not_to_use_is_not_used(client):
    answer = client.patch("/customers/anna", json={"do_not_contact": ["email"]})
    assert [c["do_not_contact"] for c in answer.json["channels"] if c["channel"] == "email"] == [True]
    decided = client.post("/next-best-action", json={"customer_id": "anna", "channel": "email"}).json
    assert decided["dropped"].get("DO_NOT_CONTACT", 0) + decided["dropped"]["CONSENT"] >= 1


def test_consents_are_kept_as_a_history_and_the_newest_counts(client):
    for at, status in (("2025-12-02T00:00:00Z", "withdrawn"), ("2025-12-01T00:00:00Z", "granted")):
        said = {
            "purpose": "marketing",
            "channel": "email",
            "status": status,
            "at": at,
            "source": "form",
            "proof": "f-1",
        }
        answer = client.put("/customers/anna/consents", json={"consents": [said]})
    assert [(c["at"], c["status"]) for c in answer.json["consents"]] == [
        ("2025-12-02T00:00:00Z", "withdrawn"),
        ("2025-12-01T00:00:00Z", "granted"),
    ]
    assert [c["marketing"] for c in answer.json["channels"]] == ["unknown", "no", "unknown"]


@pytest.mark.parametrize(
    "consent",
    [
        {},
        {"purpose": "marketing", "status": "maybe"},
        {"purpose": "marketing", "status": "granted", "at": "2037-01-01T00:00:00Z"},
    ],
)
def test_a_wrong_consent_changes_nothing(client, consent):
    assert client.put("/customers/anna/consents", json={"consents": [consent]}).status_code == 422
    assert client.get("/customers/anna").status_code == 404


def test_the_timeline_is_newest_first_and_paged_without_loss_or_repeat(client):
    for day in range(11, 18):
        buy(client, day=day)
    client.put(
        "/customers/anna/consents",
        json={"consents": [{"purpose": "marketing", "channel": "email", "status": "granted"}]},
    )
    decided = client.post("/next-best-action", json={"customer_id": "anna", "channel": "agent"}).json
    told = {
        "decision_id": decided["decision_id"],
        "action_id": decided["actions"][0]["action_id"],
        "outcome": "accepted",
    }
    client.post("/outcomes", json=told)
    whole = client.get("/customers/anna/timeline").json
    assert whole["next"] is None
    assert sorted(entry["kind"] for entry in whole["entries"]) == ["consent", "decision", *["event"] * 7, "outcome"]
    assert [entry["at"] for entry in whole["entries"]] == sorted(
        (entry["at"] for entry in whole["entries"]), reverse=True
    )
    paged, before = [], ""
    while before is not None:
        page = client.get(f"/customers/anna/timeline?limit=3{before and '&before=' + before}").json
        paged, before = paged + page["entries"], page["next"]
    assert paged == whole["entries"]


@pytest.mark.parametrize(("query", "field"), [("limit=0", "limit"), ("limit=501", "limit"), ("before=now", "before")])
def test_a_wrong_page_is_named(client, query, field):
    buy(client)
    answer = client.get(f"/customers/anna/timeline?{query}")
    assert (answer.status_code, list(answer.json["errors"])) == (422, [field])


def test_an_anonymous_visitor_who_says_who_she_is_keeps_what_she_did(client):
    client.post("/events", json={"event": "view_item", "session_id": "s/1", "item_id": "DR-002"})
    buy(client)
    for _ in range(2):
        answer = client.post("/customers/anna/merge", json={"from": "s/1"})
        assert (answer.status_code, answer.json["customer_id"], answer.json["aliases"]) == (200, "anna", ["s/1"])
    client.post("/events", json={"event": "view_item", "session_id": "s/1", "item_id": "VT-001"})
    for whose in ("customer_id=anna", "session_id=s%2F1"):
        viewed = client.get(f"/recommend?{whose}&intent=recently_viewed&n=2&strict=true").json["items"]
        assert {item["item_id"] for item in viewed} == {"DR-002", "VT-001"}
    assert client.get("/customers/session%3As%2F1").json["customer_id"] == "anna"
    assert client.get("/customers/anna").json["orders"]["count"] == 1


@pytest.mark.parametrize("body", [{}, {"from": ""}, {"from": "anna"}, {"from": 7}, {"from": "s1", "to": "anna"}])
def test_a_merge_that_names_nobody_else_is_a_problem(client, body):
    answer = client.post("/customers/anna/merge", json=body)
    assert (answer.status_code, answer.content_type) == (422, "application/problem+json")


def test_without_a_store_customers_are_unavailable(tmp_path):
    client = tiny_app(tmp_path, store="none").test_client()
    for answer in (client.get("/customers/anna"), client.patch("/customers/anna", json={"attributes": {}})):
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")


def test_without_a_bundle_what_needs_one_is_unknown(store_url, tmp_path):
    client = tiny_app(tmp_path, store=store_url, models_dir=tmp_path / "none").test_client()
    buy(client)
    shown = client.get("/customers/anna").json
    assert (shown["degraded"], shown["lifecycle"], shown["segment"], shown["tier"]["name"]) == (True, None, None, None)
    assert shown["orders"]["value"] == 1500.0
