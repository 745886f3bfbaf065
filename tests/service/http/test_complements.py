"""What goes with this, through the real app, on both stores: an item put in a second ago calls for others, and is called for."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.service.http.apps import tiny_client
from tests.wardrobe import EACH, shop
from tests.worlds import save

DRESS = {"item_id": "NEW-D", "title": "Red summer dress", "group_id": "summer"}
SHOE = {"item_id": "NEW-S", "title": "Red shoe"}
BLUE = {"item_id": "NEW-B", "title": "Blue shoe"}


@pytest.fixture
def client(store_url: str, tmp_path: Path) -> FlaskClient:
    save(tmp_path / "models", "20260101T000000-wardrobe", shop(together=1.0, complements=0.5))
    return tiny_client(tmp_path, store=store_url)


def asked(client: FlaskClient, item_id: str, n: int = 2 * EACH) -> list[dict]:
    answer = client.get(f"/recommend?item_id={item_id}&intent=complementary&strict=true&n={n}")
    assert answer.status_code == 200, answer.json
    return answer.json["items"]


def ids(items: list[dict]) -> set[str]:
    return {item["item_id"] for item in items}


def test_a_dress_put_in_a_second_ago_gets_shoes_of_its_colour_and_says_why(client):
    client.put("/items", json={"items": [DRESS]})
    first = asked(client, "NEW-D", n=EACH)
    assert all(item["item_id"].startswith("shoe-red") for item in first)
    for item in first:
        assert item["reason"]["because"] == ["NEW-D"]
        assert item["reason"]["text"] == "Goes with Red summer dress: red with red"


def test_shoes_put_in_a_second_ago_go_with_dresses_of_their_colour_known_and_new(client):
    client.put("/items", json={"items": [DRESS, SHOE, BLUE]})
    for dress in ("dress-red-0", "dress-red-5", "NEW-D"):
        assert "NEW-S" in ids(asked(client, dress))
        assert "NEW-B" not in ids(asked(client, dress))
    assert "NEW-B" in ids(asked(client, "dress-blue-0"))


def test_a_newcomer_is_no_complement_of_its_own_variant_or_of_its_own_type(client):
    client.put("/items", json={"items": [DRESS, {**SHOE, "group_id": "summer"}, {**DRESS, "item_id": "NEW-E"}]})
    assert not {"NEW-S", "NEW-E"} & ids(asked(client, "NEW-D", n=50))


def test_a_newcomer_that_is_gone_or_sold_out_completes_nothing(client):
    client.put("/items", json={"items": [SHOE]})
    client.patch("/items/NEW-S", json={"stock": 0})
    assert "NEW-S" not in ids(asked(client, "dress-red-0"))
    client.patch("/items/NEW-S", json={"stock": 1})
    assert "NEW-S" in ids(asked(client, "dress-red-0"))
    client.delete("/items/NEW-S")
    assert "NEW-S" not in ids(asked(client, "dress-red-0"))


def test_a_newcomer_that_becomes_blue_goes_with_blue(client):
    client.put("/items", json={"items": [SHOE]})
    client.put("/items", json={"items": [{**BLUE, "item_id": "NEW-S"}]})
    assert "NEW-S" not in ids(asked(client, "dress-red-0"))
    assert "NEW-S" in ids(asked(client, "dress-blue-0"))


def test_a_shop_that_explores_tries_newcomers_that_go_with_the_item_and_no_substitutes(client):
    client.put("/items", json={"items": [DRESS, SHOE, BLUE]})
    tried = set()
    for session_id in "abcdef":
        query = f"item_id=dress-red-0&intent=complementary&n=4&exploration=1&session_id={session_id}"
        tried |= {
            item["item_id"]
            for item in client.get(f"/recommend?{query}").json["items"]
            if item["source"] == "exploration"
        }
    assert tried == {"NEW-S", "shoe-red-5"}
