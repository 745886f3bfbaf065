"""What the shop changes of items that a customer knows, through the real app on both stores: PUT /items, and the next decision tells her."""

from pathlib import Path

import pytest
from flask.testing import FlaskClient

import service
from tests.service.http.apps import tiny_app

DEFAULT = Path(service.__file__).parent / "decisions" / "actions.toml"
ASK = {"customer_id": "anna", "channel": "email"}
SHOES = {"item_id": "SH-014", "title": "Black court shoes", "category": "Women > Shoes"}


@pytest.fixture
def client(store_url: str, tmp_path: Path) -> FlaskClient:
    """A client of the default catalogue, which tries nothing out; anna likes to hear from us."""
    text = DEFAULT.read_text(encoding="utf-8").replace('exploration = "thompson"', 'exploration = "none"')
    (tmp_path / "actions.toml").write_text(text, encoding="utf-8")
    client = tiny_app(tmp_path, store=store_url, actions=tmp_path / "actions.toml").test_client()
    consent = {"purpose": "marketing", "channel": "email", "status": "granted"}
    assert client.put("/customers/anna/consents", json={"consents": [consent]}).status_code == 200
    return client


def best(client: FlaskClient, **asked) -> tuple[str, list[str]]:
    (action,) = client.post("/next-best-action", json={**ASK, "dry_run": True, **asked}).json["actions"]
    return action["action_id"], [item["item_id"] for item in action["items"]]


def tell(client: FlaskClient, **event) -> None:
    assert client.post("/events", json={"customer_id": "anna", "item_id": "SH-014", **event}).status_code == 200


@pytest.mark.parametrize("priced", [{"price": 1_290}, {}], ids=["as the event says", "as the shop sold it then"])
def test_what_becomes_cheaper_on_the_wish_list_is_told_in_the_next_mail(client, priced):
    tell(client, event="add_to_wishlist", **priced)
    assert best(client)[0] == "welcome"
    assert client.put("/items", json={"items": [{**SHOES, "price": 990}]}).status_code == 200
    assert best(client) == ("price_drop", ["SH-014"])
    assert best(client, channel="website") == ("price_drop", ["SH-014"])
    tell(client, event="remove_from_wishlist")
    assert best(client)[0] == "welcome"


def test_a_wish_of_after_the_price_fell_is_no_news(client):
    client.put("/items", json={"items": [{**SHOES, "price": 990}]})
    tell(client, event="add_to_wishlist")
    assert best(client)[0] == "welcome"


def test_what_cannot_be_had_is_not_praised_for_its_price(client):
    tell(client, event="add_to_wishlist")
    client.put("/items", json={"items": [{**SHOES, "price": 990, "stock": 0}]})
    assert best(client)[0] == "welcome"


def test_what_she_looked_at_is_told_of_when_few_are_left(client):
    tell(client, event="view_item")
    assert best(client)[0] == "welcome"
    client.patch("/items/SH-014", json={"stock": 2})
    assert best(client) == ("low_stock", ["SH-014"])
    client.patch("/items/SH-014", json={"stock": 0})
    assert best(client)[0] == "welcome"


def test_the_mail_about_her_cart_shows_her_cart(client):
    tell(client, event="add_to_cart", price=1_290, time="2025-12-31T20:00:00Z")
    assert best(client) == ("abandoned_cart", ["SH-014"])


def test_a_no_and_its_reason_give_her_rest_and_are_learnt_from(client):
    tell(client, event="purchase", order_id="o1", time="2025-12-10T10:00:00Z")
    decided = client.post("/next-best-action", json={**ASK, "channel": "agent"}).json
    first = decided["actions"][0]
    told = {"decision_id": decided["decision_id"], "action_id": first["action_id"], "outcome": "rejected"}
    assert client.post("/outcomes", json=told).status_code == 422
    assert client.post("/outcomes", json={**told, "reason": "bad_moment"}).status_code == 200
    later = client.post("/next-best-action", json={**ASK, "channel": "agent"}).json
    assert {one["action_id"] for one in later["actions"]} <= {"offer_help", "consent_request"}
    assert later["dropped"]["SUPPRESSION"] > 0
    tell(client, customer_id="ben", event="purchase", order_id="o2", time="2025-12-10T10:00:00Z")
    other = client.post("/next-best-action", json={"customer_id": "ben", "channel": "agent"}).json
    chance = {one["action_id"]: one["factors"]["propensity"] for one in other["actions"]}
    assert chance[first["action_id"]] < first["factors"]["propensity"]
