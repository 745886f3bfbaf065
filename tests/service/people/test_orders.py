"""Orders that a page's tag and the shop's server both tell, through the real app with its keys, on both stores."""

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from service.customer_tokens import sign
from service.store import Store
from tests.service.http.apps import NOW, tiny_client
from training.people import bought_and_seen

KEYS = {"public": "p" * 24, "server": "s" * 24, "agent": "a" * 24}
SECRET = b"0123456789abcdef0123456789abcdef"
ANN = sign("ann", expires_at=NOW + 60, secret=SECRET)
ITEM, COAT = {"item_id": "DR-001", "price": 10}, {"item_id": "DR-002", "price": 5}
ORDER = {"event": "purchase", "order_id": "o-1", "items": [ITEM]}
FAKED = {**ORDER, "items": [{**ITEM, "price": 0}]}


@pytest.fixture
def client(store_url: str, tmp_path: Path) -> FlaskClient:
    keys = tuple((scope, text) for scope, text in KEYS.items() if scope != "agent")
    return tiny_client(
        tmp_path, store=store_url, keys=keys, agent_key=KEYS["agent"].encode(), customer_secrets=(SECRET,)
    )


def bearer(scope: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {KEYS[scope]}"}


def told(client: FlaskClient, scope: str, **event: Any) -> str:
    answer = client.post("/events", json=event, headers=bearer(scope))
    assert answer.status_code == 200, answer.text
    return str(answer.json["results"][0]["status"])


def orders(client: FlaskClient, customer_id: str) -> tuple[int, float]:
    found = client.get(f"/customers/{customer_id}", headers=bearer("server")).json["orders"]
    return found["count"], found["value"]


def learnt(store: Store) -> list[tuple[str, str, float]]:
    return [(row["customer_id"], row["item_id"], row["price"]) for row in bought_and_seen(store, store.newest())]


@pytest.mark.parametrize("whose", [{"session_id": "evil"}, {"customer_token": ANN}])
@pytest.mark.parametrize("named", [{}, {"event_id": "e-1"}])
def test_no_page_keeps_the_server_s_order_from_counting(client, store, whose, named):
    assert told(client, "public", **FAKED, **whose, **named) == "accepted"
    assert told(client, "server", **ORDER, customer_id="zoe", **named) == "accepted"
    assert orders(client, "zoe") == (1, 10.0)
    assert client.get("/customers?order_id=o-1", headers=bearer("agent")).json["customer_id"] == "zoe"
    assert learnt(store) == [("zoe", "DR-001", 10.0)]


@pytest.mark.parametrize("whose", [{"session_id": "aaa"}, {"customer_token": ANN}])
def test_what_the_server_told_is_no_news_from_a_page_and_the_call_centre_finds_whose_it_is(client, whose):
    assert told(client, "server", **ORDER, customer_id="zoe") == "accepted"
    assert told(client, "public", **{**ORDER, "items": [ITEM, COAT]}, **whose, event_id="new") == "repeated"
    found = client.get("/customers?order_id=o-1", headers=bearer("agent")).json
    assert (found["customer_id"], found["found"]) == ("zoe", ["zoe"])


@pytest.mark.parametrize("first", ["public", "server"])
@pytest.mark.parametrize("whose", [{"session_id": "visit"}, {"customer_token": ANN}])
def test_an_order_that_both_tell_of_the_same_customer_counts_once(client, store, first, whose):
    told(client, "server", event="login", customer_id="ann", session_id="visit")
    whole = {**ORDER, "items": [ITEM, COAT], "customer_id": "ann"}
    tag, feed = (lambda: told(client, "public", **ORDER, **whose)), (lambda: told(client, "server", **whole))
    statuses = [tag(), feed(), feed()] if first == "public" else [feed(), tag(), feed()]
    assert statuses == (["accepted", "accepted", "repeated"] if first == "public" else ["accepted", *["repeated"] * 2])
    assert orders(client, "ann") == (1, 15.0)
    assert learnt(store) == [("ann", "DR-001", 10.0), ("ann", "DR-002", 5.0)]


def test_an_order_that_pages_alone_tell_counts_once_and_nobody_is_found_by_it(client):
    assert [told(client, "public", **ORDER, customer_token=ANN) for _ in range(2)] == ["accepted", "repeated"]
    assert orders(client, "ann") == (1, 10.0)
    assert client.get("/customers?order_id=o-1", headers=bearer("agent")).status_code == 404


def test_no_page_keeps_another_event_of_the_server_from_counting(client):
    complaint = {"event": "complaint", "event_id": "e-1"}
    assert told(client, "public", event="view_item", item_id="DR-001", session_id="evil", event_id="e-1") == "accepted"
    assert [told(client, "server", **complaint, customer_id="zoe") for _ in range(2)] == ["accepted", "repeated"]


def test_of_those_who_told_an_order_the_named_ones_are_found_first(client):
    for whose in ({"session_id": "aaa"}, {"customer_id": "zoe"}):
        line = ITEM if "customer_id" in whose else COAT
        assert told(client, "server", **{**ORDER, "items": [line]}, **whose) == "accepted"
    found = client.get("/customers?order_id=o-1", headers=bearer("agent")).json
    assert (found["customer_id"], found["found"]) == ("zoe", ["zoe", "session:aaa"])
