"""/next-best-action, /decisions and /outcomes through the real app, on both stores."""

import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from service.decisions.chain import verify
from service.decisions.record import plain
from service.http.decide import DecisionSchema, LoggedSchema
from service.http.receipts import ReceiptsSchema
from tests.service.http.apps import tiny_app

ASK = {"customer_id": "anna", "channel": "website"}
BOUGHT = {
    "event": "purchase",
    "customer_id": "anna",
    "order_id": "o1",
    "time": "2025-12-20T10:00:00Z",
    "items": [{"item_id": "DR-001", "price": 1990}],
}
LIMITED = """
[[limits]]
channel = "email"
contacts = 2
days = 7

[[actions]]
id = "offer"
issue = "i"
group = "g"
class = "growth"
value = 1

[[actions.treatments]]
channel = "email"
"""


@pytest.fixture
def app(store_url: str, tmp_path: Path):
    return tiny_app(tmp_path, store=store_url)


@pytest.fixture
def client(app) -> FlaskClient:
    return app.test_client()


@pytest.mark.parametrize("channel", ["website", "email", "agent"])
@pytest.mark.parametrize("lang", ["en", "th"])
def test_answers_in_the_shape_of_the_contract(client, channel, lang):
    client.post("/events", json=BOUGHT)
    answer = client.post("/next-best-action", json={**ASK, "channel": channel, "explain": "full", "lang": lang})
    assert answer.status_code == 200
    assert DecisionSchema().validate(answer.json) == {}
    assert (answer.json["degraded"], answer.json["arm"]) == (False, "full")
    for action in answer.json["actions"]:
        factors = action["factors"]
        product = math.prod(factors[name] for name in ("propensity", "value", "context", "lever", "fatigue", "recency"))
        assert action["priority"] == pytest.approx(product - factors["cost"], abs=1e-9)
        assert action["why"]


def test_the_query_answers_as_the_body_does(client):
    by_query = client.get("/next-best-action?customer_id=anna&channel=agent&n=2&dry_run=true&decision_id=x")
    by_body = client.post(
        "/next-best-action", json={**ASK, "channel": "agent", "n": 2, "dry_run": True, "decision_id": "x"}
    )
    assert by_query.json == by_body.json


def test_the_black_shoes_come_with_the_black_dress(client):
    client.post("/events", json=BOUGHT)
    (action,) = client.post("/next-best-action", json=ASK).json["actions"]
    assert (action["action_id"], action["items"][0]["item_id"]) == ("second_purchase", "SH-014")
    assert action["items"][0]["item"]["title"] == "Black court shoes"


def test_a_stranger_gets_no_marketing_mail(client):
    answer = client.post("/next-best-action", json={**ASK, "channel": "email"}).json
    assert [action["action_id"] for action in answer["actions"]] == ["do_nothing"]
    assert answer["dropped"]["CONSENT"] > 0


def test_a_consent_counts_in_the_next_decision_and_so_does_its_withdrawal(client):
    def mail() -> str:
        ask = {**ASK, "channel": "email", "dry_run": True}
        return client.post("/next-best-action", json=ask).json["actions"][0]["action_id"]

    def say(status: str) -> None:
        consent = {"purpose": "marketing", "channel": "email", "status": status}
        assert client.put("/customers/anna/consents", json={"consents": [consent]}).status_code == 200

    client.post("/events", json=BOUGHT)
    seen = [mail()]
    for status in ("granted", "withdrawn"):
        say(status)
        seen.append(mail())
    assert seen[0] == seen[2] == "do_nothing"
    assert seen[1] in ("second_purchase", "review_request", "for_you")  # any may be drawn for who has just bought


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"channel": "fax"}, "channel"),
        ({"channel": None}, "channel"),
        ({"customer_id": None}, "customer_id"),
        ({"customer_id": ""}, "customer_id"),
        ({"n": 0}, "n"),
        ({"n": 21}, "n"),
        ({"explain": "all"}, "explain"),
        ({"lang": "fr"}, "lang"),
        ({"dry_run": "perhaps"}, "dry_run"),
        ({"context": {"page": ["cart"]}}, "context"),
        ({"custom": 1}, "custom"),
    ],
)
def test_a_wrong_field_is_named(client, change, field):
    answer = client.post("/next-best-action", json={**ASK, **change})
    assert (answer.status_code, list(answer.json["errors"])) == (422, [field])


def test_a_decision_is_idempotent_logged_and_belongs_to_its_customer(client):
    first, second = (client.post("/next-best-action", json={**ASK, "decision_id": "ก/1 %2F"}).json for _ in range(2))
    assert first == second
    logged = client.get("/decisions/%E0%B8%81%2F1%20%252F").json
    assert (logged["decision_id"], logged["customer_id"], logged["answer"]) == ("ก/1 %2F", "anna", plain(first))
    assert logged["replay"]["same"]
    assert LoggedSchema().validate(logged) == {}
    other = client.post("/next-best-action", json={**ASK, "customer_id": "ben", "decision_id": "ก/1 %2F"})
    assert (other.status_code, list(other.json["errors"])) == (422, ["decision_id"])


def test_an_unknown_decision_is_not_there(client):
    assert client.get("/decisions/nothing").status_code == 404


def test_whose_customer_was_erased_is_gone_and_says_so(client):
    client.post("/next-best-action", json={**ASK, "decision_id": "x"})
    assert client.delete("/customers/anna").status_code == 200
    assert client.get("/decisions/x").status_code == 410


def test_every_decision_stands_in_a_chain_that_holds_after_an_erasure(store_url, tmp_path):
    app = tiny_app(tmp_path, store=store_url, audit=tmp_path / "audit")
    client, kept = app.test_client(), app.extensions["valet"].store
    for customer in ("anna", "ben", "ben"):
        client.post("/next-best-action", json={**ASK, "customer_id": customer})
    client.post("/next-best-action", json={**ASK, "dry_run": True})
    assert verify(tmp_path / "audit", kept).records == {"whole": 3}
    client.delete("/customers/ben")
    found = verify(tmp_path / "audit", kept)
    assert (found.records, found.faults) == ({"whole": 1, "emptied": 2}, ())


def test_a_dry_run_leaves_no_trace(client):
    client.post("/next-best-action", json={**ASK, "dry_run": True, "decision_id": "x"})
    assert client.get("/decisions/x").status_code == 404


def test_outcomes_are_received_and_felt(client):
    client.post("/events", json=BOUGHT)
    decided = client.post("/next-best-action", json={**ASK, "channel": "agent"}).json
    action = decided["actions"][0]["action_id"]
    told = {"decision_id": decided["decision_id"], "action_id": action, "outcome": "rejected"}
    refused = client.post("/outcomes", json=told)
    assert (refused.status_code, list(refused.json["results"][0]["errors"])) == (422, ["reason"])
    accepted = client.post("/outcomes", json=[{**told, "reason": "price"}] * 2)
    assert (accepted.json["accepted"], accepted.json["repeated"]) == (1, 1)
    assert ReceiptsSchema().validate(accepted.json) == {}
    again = client.post("/next-best-action", json={**ASK, "channel": "agent"}).json
    assert action not in [one["action_id"] for one in again["actions"]]
    assert again["dropped"]["COOL_OFF"] == 1


def test_a_limit_of_two_is_never_three_whatever_races(store_url, tmp_path):
    (tmp_path / "actions.toml").write_text(LIMITED)
    app = tiny_app(tmp_path, store=store_url, actions=tmp_path / "actions.toml")
    consent = {"purpose": "marketing", "channel": "email", "status": "granted"}
    app.test_client().put("/customers/anna/consents", json={"consents": [consent]})

    def mail(_: int) -> dict:
        return app.test_client().post("/next-best-action", json={**ASK, "channel": "email"}).json

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(mail, range(40)))
    assert sum(bool(answer["actions"]) for answer in answers if not answer["degraded"]) == 2


def test_without_a_bundle_decisions_go_on_and_know_no_tier(store_url, tmp_path):
    client = tiny_app(tmp_path, store=store_url, models_dir=tmp_path / "none").test_client()
    client.post("/events", json=BOUGHT)
    answer = client.post("/next-best-action", json=ASK)
    assert (answer.status_code, answer.json["model_version"]) == (200, None)
    assert answer.json["dropped"]["TIER"] > 0


def test_without_a_store_service_is_all_that_is_offered(tmp_path):
    answer = tiny_app(tmp_path, store="none").test_client().post("/next-best-action", json=ASK).json
    assert (answer["degraded"], [action["action_id"] for action in answer["actions"]]) == (True, ["offer_help"])


def test_a_mail_waits_for_her_hour_on_her_clock_and_says_where_she_answers_more(client):
    client.patch("/customers/anna", json={"attributes": {"time_zone": "Asia/Bangkok"}})
    consent = {"purpose": "marketing", "channel": "email", "status": "granted"}
    client.put("/customers/anna/consents", json={"consents": [consent]})
    seen = [f"2025-12-{day}T11:30:00Z" for day in range(10, 20)]  # half past six in the evening, hers
    client.post(
        "/events", json=[{"event": "view_item", "item_id": "DR-001", "customer_id": "anna", "time": at} for at in seen]
    )
    answer = client.post("/next-best-action", json={**ASK, "channel": "email"}).json
    assert (answer["actions"][0]["not_before"], answer["better_channel"]) == ("2026-01-01T11:00:00Z", None)
    sent = [{"event": "email_sent", "customer_id": "anna", "time": at} for at in seen]
    client.post("/events", json=sent)
    again = client.post("/next-best-action", json={**ASK, "channel": "email", "decision_id": "x"}).json
    assert again["better_channel"] == "website"
    kept = client.get("/decisions/x").json
    assert (kept["replay"]["same"], kept["answer"]["better_channel"]) == (True, "website")
    assert client.post("/next-best-action", json=ASK).json["better_channel"] is None
