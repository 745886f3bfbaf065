"""POST /events through the real app, on both stores."""

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.service.http.apps import tiny_client

VIEW = {"event": "view_item", "customer_id": "anna", "item_id": "DR-001"}


@pytest.fixture
def client(store_url: str, tmp_path: Path) -> FlaskClient:
    return tiny_client(tmp_path, store=store_url)


def test_an_event_is_accepted_once_and_known_again(client):
    bought = {
        "event": "purchase",
        "customer_id": "anna",
        "order_id": "o",
        "items": [{"item_id": "VT-001", "price": 450}],
    }
    first, second = (client.post("/events", json={"events": [bought]}) for _ in range(2))
    assert (first.status_code, first.json["accepted"], second.json["repeated"]) == (200, 1, 1)
    assert client.get("/customers/anna").json["orders"]["value"] == 450.0


def test_good_rows_are_kept_beside_bad_ones_and_all_bad_is_a_problem(client):
    mixed = client.post("/events", json=[VIEW, {**VIEW, "quantity": -1}])
    assert (mixed.status_code, [row["status"] for row in mixed.json["results"]]) == (200, ["accepted", "refused"])
    bad = client.post("/events", json=[{**VIEW, "quantity": -1}])
    assert (bad.status_code, bad.content_type) == (422, "application/problem+json")
    assert "quantity" in bad.json["results"][0]["errors"]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"data": b"{", "content_type": "application/json"}, 400),
        ({"data": b'{"event": "\\ud800"}', "content_type": "application/json"}, 400),
        ({"data": b"x", "content_type": "text/html"}, 415),
        ({"json": []}, 422),
        ({"json": [VIEW] * 501}, 422),
        ({"data": b" " * (1 << 23), "content_type": "application/json"}, 413),
    ],
)
def test_what_is_no_list_of_events_is_a_problem(client, sent, status):
    answer = client.post("/events", **sent)
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")


def test_a_purchase_posted_now_changes_the_next_list_and_the_next_action(client):
    def asked() -> tuple[list[str], list[str]]:
        items = client.get("/recommend?customer_id=anna&intent=buy_again&strict=true").json["items"]
        actions = client.post(
            "/next-best-action", json={"customer_id": "anna", "channel": "website", "dry_run": True}
        ).json["actions"]
        return [item["item_id"] for item in items], [action["action_id"] for action in actions]

    assert asked() == ([], ["bestsellers"])
    client.post("/events", json={**VIEW, "event": "add_to_cart", "time": "2025-12-31T20:00:00Z"})
    assert asked()[1] == ["abandoned_cart"]
    client.post("/events", json={"event": "complaint", "customer_id": "anna"})
    assert asked()[1] == ["apologise"]


@pytest.mark.parametrize("path", ["/events", "/outcomes"])
def test_without_a_store_nothing_is_dropped_in_silence(tmp_path, path):
    answer = tiny_client(tmp_path, store="none").post(path, json=VIEW)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
