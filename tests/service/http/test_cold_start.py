"""The chain for a customer whom nobody knows: her visit, then her segment, then what is popular. Over both stores."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from flask.testing import FlaskClient

from tests.service.http.apps import tiny_client

SHOES = {"SH-014", "SH-015"}


@pytest.fixture
def client(store_url: str, tmp_path: Path) -> FlaskClient:
    return tiny_client(tmp_path, store=store_url)


def ask(client: FlaskClient, **asked: object) -> tuple[list[str], str | None]:
    answer = client.post("/recommend", json={"intent": "for_you", "n": 2, **asked}).json
    return [item["item_id"] for item in answer["items"]], answer["fallback"]


def test_a_stranger_gets_what_is_popular(client):
    assert ask(client, customer_id="stranger", n=3) == (ask(client, intent="popular", n=3)[0], "popular")


def test_a_stranger_in_a_visit_gets_what_the_visit_says(client):
    client.post("/events", json={"event": "view_item", "session_id": "s1", "item_id": "DR-002"})
    visit = ask(client, session_id="s1")
    assert visit[0][0] == "SH-015"
    assert ask(client, customer_id="stranger", session_id="s1") == visit
    page = client.post(
        "/recommend/batch",
        json={"requests": [{"customer_id": "stranger", "session_id": "s1", "n": 2, "intent": "for_you"}]},
    )
    assert [item["item_id"] for item in page.json["results"][0]["items"]] == visit[0]
    line = orjson.dumps({"customer_id": "stranger", "session_id": "s1", "n": 2, "intent": "for_you"})
    lines = client.post("/recommend/batch", data=line, content_type="application/x-ndjson").data.splitlines()
    assert [item["item_id"] for item in orjson.loads(lines[0])["items"]] == visit[0]


def test_of_a_customer_who_is_known_her_own_history_counts(client):
    client.post("/events", json={"event": "view_item", "session_id": "s1", "item_id": "DR-002"})
    client.post("/events", json={"event": "purchase", "customer_id": "anna", "item_id": "DR-001", "order_id": "o"})
    assert ask(client, customer_id="anna", session_id="s1") == ask(client, customer_id="anna")


def test_a_stranger_of_whom_something_is_said_gets_what_is_popular_among_what_suits_it(client):
    landed, fallback = ask(client, customer_id="stranger", context={"category": "Women > Shoes"})
    assert (set(landed), fallback) == (SHOES, "popular")
    client.patch("/customers/anna", json={"attributes": {"brand": "Suan", "category": "Women > Shoes"}})
    assert set(ask(client, customer_id="anna")[0]) == SHOES
    refusal = {"purpose": "profiling", "channel": "all", "status": "denied"}
    client.put("/customers/anna/consents", json={"consents": [refusal]})
    assert ask(client, customer_id="anna") == ask(client, customer_id="stranger")


def test_who_looked_at_a_newcomer_alone_gets_what_is_like_it(client):
    new = {"item_id": "SH-900", "title": "Pumps", "category": "Women > Shoes", "colour": "red", "brand": "Novel"}
    client.put("/items", json={"items": [new, {**new, "item_id": "SH-901"}]})
    client.post("/events", json={"event": "view_item", "session_id": "s1", "item_id": "SH-900"})
    answer = client.get("/recommend?session_id=s1&intent=for_you&n=3&exclude=SH-900").json
    assert [item["item_id"] for item in answer["items"]][:2] == ["SH-901", "SH-015"]
    assert answer["fallback"] is None
    assert answer["items"][0]["reason"]["because"] == ["SH-900"]
    similar = client.get("/recommend?item_id=SH-900&intent=similar&n=2").json["items"]
    assert [(item["item_id"], item["source"], item["reason"]["code"]) for item in similar] == [
        ("SH-901", "attributes", "similar"),
        ("SH-015", "attributes", "similar"),
    ]
