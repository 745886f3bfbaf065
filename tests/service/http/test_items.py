"""/items through the real app, on both stores: what is changed counts at once in masks, bodies and look-ups."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from service.http.items import ItemReceiptsSchema, PutSchema
from tests.service.http.apps import tiny_client
from tests.worlds import STRANGE

SHOES = {
    "item_id": "SH-900",
    "title": "Black pumps",
    "category": "Women > Shoes",
    "product_type": "shoes",
    "colour": "black",
    "brand": "Novel",
    "price": 990.5,
    "stock": 3,
    "image_url": "/sh-900.jpg",
    "attributes": {"heel_cm": 7},
}


@pytest.fixture
def client(store_url: str, tmp_path: Path) -> FlaskClient:
    return tiny_client(tmp_path, store=store_url)


def shown(client: FlaskClient, query: str) -> list[str]:
    answer = client.get(f"/recommend?{query}")
    assert answer.status_code == 200, answer.json
    return [item["item_id"] for item in answer.json["items"]]


def test_a_new_item_is_known_and_recommended_in_the_next_request(client):
    answer = client.put("/items", json={"items": [SHOES]})
    assert (answer.status_code, answer.json["accepted"]) == (200, 1)
    assert ItemReceiptsSchema().validate(answer.json) == {}
    stands = client.get("/items/SH-900").json
    assert PutSchema().validate(stands) == {}
    assert stands == {**SHOES, "available": True}
    assert "SH-900" in shown(client, "intent=popular&n=50")
    assert shown(client, "intent=popular&brand=Novel") == ["SH-900"]
    assert shown(client, "item_id=DR-001&intent=complementary&brand=Novel") == ["SH-900"]
    listed = client.get("/recommend?intent=popular&brand=Novel").json["items"][0]["item"]
    assert (listed["title"], listed["price"]) == ("Black pumps", 990.5)


def test_a_newcomer_may_be_asked_about_bought_viewed_and_ranked(client):
    client.put("/items", json={"items": [SHOES]})
    assert client.get("/recommend?item_id=SH-900").json["missing_ids"] == []
    assert len(shown(client, "item_id=SH-900&intent=similar&n=4")) == 4
    for event in ("view_item", "purchase"):
        assert (
            client.post("/events", json={"event": event, "customer_id": "anna", "item_id": "SH-900"}).status_code == 200
        )
    assert shown(client, "customer_id=anna&intent=recently_viewed&n=1") == ["SH-900"]
    assert "SH-900" not in shown(client, "customer_id=anna&intent=for_you&n=50")
    assert client.get("/recommend?customer_id=anna&intent=because_you").status_code == 200
    assert client.get("/recommend?customer_id=anna&intent=buy_again&explain=full").status_code == 200
    ranked = client.post("/rank", json={"item_ids": ["SH-900", "DR-001", "nobody's"], "customer_id": "anna"}).json
    assert {item["item_id"] for item in ranked["items"]} == {"SH-900", "DR-001", "nobody's"}
    assert ranked["missing_ids"] == ["nobody's"]


def test_out_of_stock_is_out_of_every_list_and_back_again(client):
    assert shown(client, "item_id=DR-001&n=1") == ["SH-014"]
    assert client.patch("/items/SH-014", json={"stock": 0}).json["stock"] == 0
    for query in ("item_id=DR-001&n=50", "intent=popular&n=50", "item_id=SH-015&intent=similar&n=50"):
        assert "SH-014" not in shown(client, query)
    client.patch("/items/SH-014", json={"stock": 1})
    assert shown(client, "item_id=DR-001&n=1") == ["SH-014"]


def test_a_patched_price_counts_in_filters_and_in_what_is_shown(client):
    answer = client.patch("/items/SH-014", json={"price": 10.25})
    assert (answer.status_code, answer.json["price"], answer.json["title"]) == (200, 10.25, "Black court shoes")
    listed = client.get("/recommend?intent=popular&price_max=10.25&price_min=10.25").json["items"]
    assert [(item["item_id"], item["item"]["price"]) for item in listed] == [("SH-014", 10.25)]


def test_patches_add_up_and_null_takes_away(client):
    client.put("/items", json={"items": [SHOES]})
    client.patch("/items/SH-900", json={"color": "red", "attributes": {"sole": "rubber", "heel_cm": None}})
    stands = client.patch("/items/SH-900", json={"brand": None, "available": "preorder"}).json
    assert (stands["colour"], stands["attributes"], stands["title"]) == ("red", {"sole": "rubber"}, "Black pumps")
    assert "brand" not in stands
    assert shown(client, "intent=popular&brand=Novel") == []


def test_a_deleted_item_is_never_shown_until_it_is_put_again(client):
    client.put("/items", json={"items": [SHOES]})
    for item_id in ("SH-900", "SH-014"):
        assert client.delete(f"/items/{item_id}").status_code == 204
        for answer in (
            client.get(f"/items/{item_id}"),
            client.patch(f"/items/{item_id}", json={"stock": 1}),
            client.delete(f"/items/{item_id}"),
        ):
            assert (answer.status_code, answer.content_type) == (404, "application/problem+json")
    assert not {"SH-900", "SH-014"} & {*shown(client, "intent=popular&n=50"), *shown(client, "item_id=DR-001&n=50")}
    client.put("/items", json={"items": [{"item_id": "SH-014", "title": "Again"}]})
    assert "SH-014" in shown(client, "intent=popular&n=50")


@pytest.mark.parametrize("item_id", [STRANGE, "a/b", "a%2Fb", "x" * 1000, "🛍️?#"])
def test_an_id_is_any_characters(client, item_id):
    assert client.put("/items", json={"items": [{"item_id": item_id, "title": "Odd"}]}).json["accepted"] == 1
    path = f"/items/{quote(item_id, safe='')}"
    assert client.get(path).json["item_id"] == item_id
    assert client.patch(path, json={"price": 1}).json["price"] == 1.0
    assert client.delete(path).status_code == 204


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({}, "item_id"),
        ({"item_id": ""}, "item_id"),
        ({"item_id": "x" * 4_001}, "item_id"),
        ({"item_id": ["x"]}, "item_id"),
        ({"item_id": "x", "price": -1}, "price"),
        ({"item_id": "x", "price": "cheap"}, "price"),
        ({"item_id": "x", "price": 1e15}, "price"),
        ({"item_id": "x", "currency": "baht"}, "currency"),
        ({"item_id": "x", "stock": -1}, "stock"),
        ({"item_id": "x", "stock": 2**31}, "stock"),
        ({"item_id": "x", "stock": "many"}, "stock"),
        ({"item_id": "x", "stock": True}, "stock"),
        ({"item_id": "x", "available": "perhaps"}, "available"),
        ({"item_id": "x", "adult": 7}, "adult"),
        ({"item_id": "x", "title": {"en": "X"}}, "title"),
        ({"item_id": "x", "title": "x" * 1_001}, "title"),
        ({"item_id": "x", "url": "javascript:alert(1)"}, "url"),
        ({"item_id": "x", "image_url": "data:image/png;base64,x"}, "image_url"),
        ({"item_id": "x", "published_at": "yesterday"}, "published_at"),
        ({"item_id": "x", "attributes": ["red"]}, "attributes"),
        ({"item_id": "x", "attributes": {"size": {"eu": 38}}}, "attributes"),
        ({"item_id": "x", "attributes": {"text": "x" * 20_000}}, "attributes"),
        ({"item_id": "x", "heel": 7}, "heel"),
    ],
)
def test_a_bad_row_is_refused_by_its_field_and_the_good_ones_are_kept(client, row, field):
    good = {"item_id": "good", "title": "Good"}
    answer = client.put("/items", json={"items": [row, good]})
    assert (answer.status_code, answer.json["accepted"], answer.json["refused"]) == (200, 1, 1)
    assert [(result["index"], result["status"]) for result in answer.json["results"]] == [
        (0, "refused"),
        (1, "accepted"),
    ]
    assert list(answer.json["results"][0]["errors"]) == [field]
    assert client.get("/items/good").status_code == 200
    alone = client.put("/items", json={"items": [row]})
    assert (alone.status_code, alone.content_type) == (422, "application/problem+json")
    if "item_id" not in field:
        patched = client.patch("/items/SH-014", json={name: value for name, value in row.items() if name != "item_id"})
        assert (patched.status_code, list(patched.json["errors"])) == (422, [field])


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"json": {}}, 422),
        ({"json": []}, 422),
        ({"json": {"items": []}}, 422),
        ({"json": {"items": {"item_id": "x"}}}, 422),
        ({"json": {"items": [{"item_id": "x"}] * 1_001}}, 422),
        ({"json": {"items": [{"item_id": "x"}], "mode": "fast"}}, 422),
        ({"data": b"{", "content_type": "application/json"}, 400),
        ({"data": b'{"items": [{"item_id": "\\ud800"}]}', "content_type": "application/json"}, 400),
        ({"data": b"x", "content_type": "text/csv"}, 415),
        ({"data": b" " * (17 << 20), "content_type": "application/json"}, 413),
    ],
)
def test_what_is_no_list_of_items_is_a_problem(client, sent, status):
    answer = client.put("/items", **sent)
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")


@pytest.mark.parametrize("body", [[], "x", {"item_id": "another"}])
def test_a_patch_that_is_no_change_of_this_item_is_a_problem(client, body):
    answer = client.patch("/items/SH-014", json=body)
    assert (answer.status_code, answer.content_type) == (422, "application/problem+json")


def test_a_row_of_a_google_merchant_feed_is_taken_as_it_comes(client):
    row = {
        "id": "G-1",
        "title": "Hat",
        "link": "https://shop.example/g-1",
        "image_link": "https://shop.example/g-1.jpg",
        "availability": "out_of_stock",
        "item_group_id": "g",
        "color": "red",
        "adult": "no",
    }
    assert client.put("/items", json={"items": [row]}).json["accepted"] == 1
    stands = client.get("/items/G-1").json
    assert (stands["url"], stands["available"], stands["group_id"], stands["colour"], stands["adult"]) == (
        "https://shop.example/g-1",
        False,
        "g",
        "red",
        False,
    )
    assert "G-1" not in shown(client, "intent=popular&n=50")


def test_before_anything_is_learnt_the_newest_items_answer_and_the_answer_says_so(store_url, tmp_path):
    client = tiny_client(tmp_path, store=store_url, models_dir=tmp_path / "none")
    empty = client.get("/recommend").json
    assert (empty["items"], empty["degraded"], empty["model_version"]) == ([], True, None)
    for number in range(3):
        client.put("/items", json={"items": [{"item_id": f"n{number}", "category": "Hats", "price": number}]})
    answer = client.get("/recommend").json
    assert [item["item_id"] for item in answer["items"]] == ["n2", "n1", "n0"]
    assert (answer["degraded"], answer["model_version"]) == (True, None)
    assert shown(client, "item_id=n2&intent=complementary") == ["n1", "n0"]
    assert shown(client, "intent=for_you&customer_id=anna&price_max=0") == ["n0"]
    assert client.get("/readyz").status_code == 503
    decided = client.post("/next-best-action", json={"customer_id": "anna", "channel": "website"})
    assert (decided.status_code, decided.json["model_version"]) == (200, None)


def test_without_a_store_items_can_be_read_and_not_written(tmp_path):
    client = tiny_client(tmp_path, store="none")
    assert client.get("/items/SH-014").json["title"] == "Black court shoes"
    for answer in (
        client.put("/items", json={"items": [SHOES]}),
        client.patch("/items/SH-014", json={"stock": 0}),
        client.delete("/items/SH-014"),
    ):
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
