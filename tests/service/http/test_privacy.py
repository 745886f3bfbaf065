"""What a customer may ask for, through the real app, on both stores: access, erasure, no profile; and who may find her."""

from __future__ import annotations

import json
import re
from pathlib import Path

import orjson
import pytest
from flask.testing import FlaskClient

from models.event_log import encode
from models.profile import Event
from service.events import fold
from service.http.privacy import ErasedSchema
from service.http.services import store
from service.people import facts
from service.store import Entry
from tests.service.http.apps import tiny_app

HER = "anna-4711@shop"
AGENT = {"Authorization": "Bearer a-key-of-an-agent"}
REFUSAL = {"purpose": "profiling", "channel": "all", "status": "denied"}
VIEW = {"event": "view_item", "item_id": "DR-002"}


@pytest.fixture
def client(store_url: str, tmp_path: Path) -> FlaskClient:
    return tiny_app(tmp_path, store=store_url, agent_key=b"a-key-of-an-agent").test_client()


def live_through_it_all(client: FlaskClient) -> None:
    """A visit, a login, an order, attributes, consents, a decision and what came of it."""
    client.post("/events", json={**VIEW, "session_id": f"visit of {HER}", "event_id": f"v {HER}"})
    client.post("/events", json={"event": "login", "session_id": f"visit of {HER}", "customer_id": HER})
    bought = {"event": "purchase", "customer_id": HER, "order_id": f"order of {HER}", "items": [{"item_id": "DR-001"}]}
    client.post("/events", json=[bought, {**VIEW, "customer_id": HER, "note": f"by {HER}"}])
    client.patch(f"/customers/{HER}", json={"attributes": {"email": f"{HER}.example", "phone": "081 234 5678"}})
    consent = {"purpose": "marketing", "channel": "email", "status": "granted", "source": "form", "proof": f"by {HER}"}
    client.put(f"/customers/{HER}/consents", json={"consents": [consent]})
    decided = client.post("/next-best-action", json={"customer_id": HER, "channel": "agent"}).json
    told = {"decision_id": decided["decision_id"], "action_id": decided["actions"][0]["action_id"]}
    assert client.post("/outcomes", json={**told, "outcome": "accepted"}).json["accepted"] == 1


# --- access -----------------------------------------------------------------------------------------------------------------------------


def test_the_export_holds_all_that_is_kept_of_her(client):
    live_through_it_all(client)
    document = client.get(f"/customers/{HER}/export").json
    assert [event["event"] for event in document["events"]] == ["view_item", "login", "purchase", "view_item"]
    assert document["events"][3]["extra"] == {"note": f"by {HER}"}
    assert document["names"] == [f"session:visit of {HER}"]
    assert document["attributes"] == {"email": f"{HER}.example", "phone": "081 234 5678"}
    assert [consent["proof"] for consent in document["consents"]] == [f"by {HER}"]
    assert [decision["customer_id"] for decision in document["decisions"]] == [HER]
    assert [outcome["name"] for outcome in document["outcomes"]] == ["accepted"]
    assert document["contacts"][0]["decision_id"] == document["decisions"][0]["decision_id"]
    assert document["picture"] == client.get(f"/customers/{HER}").json


@pytest.mark.parametrize("channel", ["website", "agent"])
def test_of_whom_only_decisions_are_kept_the_export_holds_them(client, channel):
    decided = client.post("/next-best-action", json={"customer_id": "new", "channel": channel}).json
    for form in ("json", "html"):
        answer = client.get(f"/customers/new/export?format={form}")
        assert (answer.status_code, decided["decision_id"] in answer.text) == (200, True)
    assert client.get("/customers/new").status_code == 404
    client.delete("/customers/new")
    assert client.get("/customers/new/export").status_code == 404


def test_the_export_says_where_older_events_lie_if_training_drains_the_log(client, store_url):
    client.patch("/customers/anna", json={"attributes": {"city": "Bangkok"}})
    about = client.get("/customers/anna/export").json["about"]["events"]
    assert ("archive" in about) is store_url.startswith("redis")
    assert about in client.get("/customers/anna/export?format=html").text.replace("&#x27;", "'")


def test_people_read_the_export_as_a_page_that_runs_nothing(client):
    client.patch("/customers/anna", json={"attributes": {"city": "<script>alert(1)</script>"}})
    for answer in (
        client.get("/customers/anna/export?format=html"),
        client.get("/customers/anna/export", headers={"Accept": "text/html"}),
    ):
        assert answer.content_type == "text/html; charset=utf-8"
        assert "&lt;script&gt;" in answer.text
        assert "<script" not in answer.text
    assert client.get("/customers/anna/export?format=xml").status_code == 422
    assert client.get("/customers/nobody/export").status_code == 404


@pytest.mark.parametrize("levels", [17, 251, 300])
def test_what_is_nested_too_deep_is_refused_by_its_name_and_never_stands_in_the_way_of_the_export(client, levels):
    def told(levels: int) -> list[tuple[int, str]]:
        deep = orjson.loads(b"[" * levels + b"]" * levels)
        event = {**VIEW, "customer_id": HER}
        answers = [
            client.post("/events", json={**event, "x": deep}),
            client.post("/events", json={**event, "items": [{"item_id": "DR-002", "y": deep}]}),
            client.patch(f"/customers/{HER}", json={"attributes": {"z": deep}}),
        ]
        return [(answer.status_code, answer.text) for answer in answers]

    assert [status for status, _ in told(16)] == [200] * 3
    for (status, text), name in zip(told(levels), ("x", "items.0.y", "z"), strict=True):
        assert (status, f'"{name}":["' in text, "16 levels" in text) == (422, True, True)
    for form in ("json", "html"):
        assert client.get(f"/customers/{HER}/export?format={form}").status_code == 200


def test_the_export_shows_what_was_kept_however_deep_it_is_nested(client):
    deep = orjson.loads(b"[" * 240 + b'"hers"' + b"]" * 240)
    with client.application.app_context():
        kept = store()
        kept.record([Entry(HER, (), 1, encode(Event("view_item", 1, extra={"x": deep})))], fold)
        kept.change(HER, "facts", lambda _: facts.dump(facts.with_attributes(facts.load(None), {"x": deep})))
    for form in ("json", "html"):
        answer = client.get(f"/customers/{HER}/export?format={form}")
        assert answer.status_code == 200
        assert answer.text.count("hers") == 3  # the event's, her attribute, and that of the picture


# --- erasure ----------------------------------------------------------------------------------------------------------------------------


def test_a_dry_run_counts_what_would_go_and_leaves_it(client):
    live_through_it_all(client)
    looked = client.delete(f"/customers/{HER}?dry_run=1")
    assert (looked.status_code, ErasedSchema().validate(looked.json)) == (200, {})
    assert looked.json["counts"] == {
        "customers": 1,
        "names": 1,
        "attributes": 2,
        "consents": 1,
        "contacts": 1,
        "events": 4,
        "documents": 2,
    }
    assert (looked.json["dry_run"], looked.json["erased_at"]) == (True, None)
    assert client.get(f"/customers/{HER}").status_code == 200


@pytest.mark.parametrize("name", [HER, f"visit of {HER}", f"session:visit of {HER}"])
def test_whatever_name_of_hers_is_erased_she_is_gone_under_all_and_again_says_the_same(client, name):
    live_through_it_all(client)
    path = f"/customers/{name}"
    looked, first, again, looked_again = (
        client.delete(path + query).json for query in ("?dry_run=1", "", "", "?dry_run=1")
    )
    assert first["counts"] == looked["counts"]
    assert first["counts"]["events"] == 4
    assert again == first
    assert looked_again == {**first, "dry_run": True}
    for kept in (HER, f"visit of {HER}", f"session:visit of {HER}"):
        assert client.get(f"/customers/{kept}").status_code == 404


def test_who_was_never_known_is_erased_with_nothing_and_stays_away(client):
    answer = client.delete("/customers/nobody").json
    assert set(answer["counts"].values()) == {0}
    late = {**VIEW, "customer_id": "nobody", "time": "2025-12-30T00:00:00Z"}
    assert "erased" in client.post("/events", json=late).json["results"][0]["errors"]["time"][0]


def test_what_comes_late_is_not_taken_back_and_what_she_does_now_begins_anew(client):
    late = {**VIEW, "customer_id": "anna", "time": "2025-12-30T00:00:00Z", "event_id": "late"}
    client.post("/events", json=late)
    client.delete("/customers/anna")
    mixed = client.post("/events", json=[late, {**VIEW, "customer_id": "bob"}]).json
    assert [row["status"] for row in mixed["results"]] == ["refused", "accepted"]
    assert client.get("/customers/anna").status_code == 404
    assert client.post("/events", json={**VIEW, "customer_id": "anna"}).json["accepted"] == 1
    assert len(client.get("/customers/anna/timeline").json["entries"]) == 1
    assert client.delete("/customers/anna").json["counts"]["events"] == 1


def test_the_audit_names_nobody_in_log_and_store(client, capsys):
    live_through_it_all(client)
    capsys.readouterr()
    erased = client.delete(f"/customers/{HER}").json
    client.delete(f"/customers/{HER}")
    lines = [line for line in capsys.readouterr().err.splitlines() if "erased" in line]
    assert [json.loads(line)["erasure_id"] for line in lines] == [erased["erasure_id"]]
    store = client.application.extensions["valet"].store
    audits = dict(store.documents("audit"))
    assert orjson.loads(audits[erased["erasure_id"]])["counts"] == erased["counts"]
    assert HER not in "".join(lines) + str(audits)


def test_a_failure_is_logged_without_what_came_in(client, capsys, monkeypatch):
    client.application.testing = False
    monkeypatch.setattr("service.http.customers.shared", lambda *_, **__: {}[HER])
    client.patch(f"/customers/{HER}", json={"attributes": {"city": "Bangkok"}})
    assert client.get(f"/customers/{HER}").status_code == 500
    logged = capsys.readouterr().err
    assert '"error":"KeyError"' in logged
    assert HER not in logged


# --- no profile -------------------------------------------------------------------------------------------------------------------------


def test_who_refuses_to_be_profiled_has_no_profile_kept_and_her_clicks_lead_to_nobody(client):
    client.post("/events", json={**VIEW, "customer_id": "anna"})
    client.post("/events", json={"event": "complaint", "customer_id": "anna"})
    client.put("/customers/anna/consents", json={"consents": [REFUSAL]})
    for _ in range(2):
        sent = client.post("/events", json={**VIEW, "customer_id": "anna", "event_id": "after", "email": "a@b.example"})
    assert sent.json["repeated"] == 1
    bought = {"event": "purchase", "customer_id": "anna", "order_id": "o", "item_id": "DR-001", "price": 10}
    assert client.post("/events", json=bought).json["accepted"] == 1
    shown = client.get("/customers/anna/export").json
    assert [event["event"] for event in shown["events"]] == ["complaint", "purchase"]
    assert shown["picture"]["orders"]["count"] == 0
    store = client.application.extensions["valet"].store
    strangers = [name for name in store.customer_ids() if name != "anna"]
    assert [name.startswith("session:") for name in strangers] == [True]
    assert [b"email" in entry.body for entry in store.events(customer_id=strangers[0])] == [False]
    dropped = client.post("/next-best-action", json={"customer_id": "anna", "channel": "website"}).json["dropped"]
    assert dropped["OPEN_COMPLAINT"] >= 1


def test_who_allows_it_again_is_profiled_from_what_was_kept(client):
    client.put("/customers/anna/consents", json={"consents": [{**REFUSAL, "at": "2025-12-31T00:00:00Z"}]})
    bought = {"event": "purchase", "customer_id": "anna", "order_id": "o", "item_id": "DR-001", "price": 10}
    client.post("/events", json=bought)
    granted = {**REFUSAL, "status": "granted"}
    client.put("/customers/anna/consents", json={"consents": [granted]})
    assert client.get("/customers/anna").json["orders"]["count"] == 1


def test_a_visit_of_who_refused_is_profiled_no_longer_once_it_is_hers(client):
    client.put("/customers/anna/consents", json={"consents": [REFUSAL]})
    client.post("/events", json={**VIEW, "session_id": "s1"})
    client.post("/customers/anna/merge", json={"from": "s1"})
    assert client.get("/customers/anna/export").json["events"] == []
    assert client.get("/recommend?customer_id=anna&intent=recently_viewed&strict=true").json["items"] == []


# --- visits without a name --------------------------------------------------------------------------------------------------------------


def test_a_visit_without_a_name_is_given_nothing_personal(client):
    told = {"email": "a@b.example", "user_data": {"phone_number": "1"}, "colour": "red", "deep": {"Phone": 1, "x": 2}}
    told["people"] = [{"email": "a@b.example"}, [{"phone": 1, "age": 30}], 7]
    client.post("/events", json={**VIEW, "session_id": "s1", **told})
    [event] = client.get("/customers/session%3As1/export").json["events"]
    assert event["extra"] == {"colour": "red", "deep": {"x": 2}, "people": [{}, [{"age": 30}], 7]}
    for name in ("s1", "session%3As1"):
        answer = client.patch(f"/customers/{name}", json={"attributes": {"Email": "a@b.example", "size": 38}})
        assert (answer.status_code, list(answer.json["errors"]["attributes"])) == (422, ["Email"])
        answer = client.patch(f"/customers/{name}", json={"attributes": {"family": [{"email": "a@b.example"}]}})
        assert (answer.status_code, list(answer.json["errors"]["attributes"])) == (422, ["family"])
        assert client.patch(f"/customers/{name}", json={"attributes": {"size": 38}}).status_code == 200


def test_once_a_visit_has_a_name_it_may_be_told_personal_things(client):
    client.post("/events", json={**VIEW, "session_id": "s1"})
    client.post("/customers/anna/merge", json={"from": "s1"})
    assert client.patch("/customers/s1", json={"attributes": {"email": "a@b.example"}}).status_code == 200
    assert client.get("/customers/anna").json["attributes"] == {"email": "a@b.example"}


# --- identity ---------------------------------------------------------------------------------------------------------------------------


def test_a_merge_of_somebody_unknown_is_a_problem_and_makes_nobody(client):
    answer = client.post("/customers/anna/merge", json={"from": "nobody"})
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["from"])
    assert client.get("/customers/anna").status_code == 404


def test_merging_in_a_circle_does_no_harm(client):
    for name in ("anna", "bob", "cid"):
        client.post("/events", json={**VIEW, "customer_id": name})
    for known, other in (("anna", "bob"), ("bob", "cid"), ("cid", "anna"), ("bob", "anna"), ("anna", "bob")):
        assert client.post(f"/customers/{known}/merge", json={"from": other}).status_code == 200
    pictures = [client.get(f"/customers/{name}").json for name in ("anna", "bob", "cid")]
    assert pictures[0] == pictures[1] == pictures[2]
    assert len(client.get("/customers/cid/timeline").json["entries"]) == 3


def test_history_consents_ledger_and_decisions_move_and_both_ids_answer_as_one(client):
    client.post("/events", json={**VIEW, "customer_id": "old"})
    client.put("/customers/old/consents", json={"consents": [{**REFUSAL, "purpose": "marketing"}]})
    asked = {"channel": "agent", "decision_id": "d1"}
    decided = client.post("/next-best-action", json={"customer_id": "old", **asked}).json
    client.post("/customers/anna/merge", json={"from": "old"})
    kinds = [entry["kind"] for entry in client.get("/customers/anna/timeline").json["entries"]]
    assert sorted(kinds) == ["consent", "decision", "event"]
    assert client.get("/customers/anna").json == client.get("/customers/old").json
    for name in ("anna", "old"):
        assert client.post("/next-best-action", json={"customer_id": name, **asked}).json == decided


# --- found by the agent -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    [
        "phone=%2B66 81-234-5678",
        "phone=0812345678",
        "email=ANNA-4711@shop.example ",
        "order_id=order of anna-4711@shop",
    ],
)
def test_the_agent_finds_her_by_what_she_says(client, query):
    live_through_it_all(client)
    answer = client.get(f"/customers?{query}", headers=AGENT)
    assert (answer.status_code, answer.json["customer_id"], answer.json["found"]) == (200, HER, [HER])
    client.delete(f"/customers/{HER}")
    assert client.get(f"/customers?{query}", headers=AGENT).status_code == 404


def test_a_number_that_changed_finds_her_no_longer_and_one_of_two_finds_both(client):
    client.patch("/customers/anna", json={"attributes": {"phone": "0811111111"}})
    client.patch("/customers/bob", json={"attributes": {"phone": "0822222222"}})
    client.patch("/customers/anna", json={"attributes": {"phone": "0822222222"}})
    assert client.get("/customers?phone=0811111111", headers=AGENT).status_code == 404
    assert client.get("/customers?phone=0822222222", headers=AGENT).json["found"] == ["anna", "bob"]


@pytest.mark.parametrize(
    ("headers", "query", "status"),
    [
        ({}, "phone=0812345678", 401),
        ({"Authorization": "Bearer other"}, "phone=0812345678", 401),
        ({"Authorization": "Basic YTpi"}, "phone=0812345678", 401),
        (AGENT, "", 422),
        (AGENT, "phone=0812345678&email=a", 422),
        (AGENT, "name=anna", 422),
        (AGENT, "phone=1", 404),
    ],
)
def test_nobody_else_and_nothing_else_finds_anybody(client, headers, query, status):
    live_through_it_all(client)
    answer = client.get(f"/customers?{query}", headers=headers)
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")


def test_without_an_agents_key_nobody_finds_anybody(store_url, tmp_path):
    client = tiny_app(tmp_path, store=store_url).test_client()
    assert client.get("/customers?phone=0812345678", headers=AGENT).status_code == 403


def test_the_store_keeps_no_number_that_is_no_attribute(client):
    live_through_it_all(client)
    client.patch(f"/customers/{HER}", json={"attributes": {"phone": None}})
    store = client.application.extensions["valet"].store
    kept = str([*store.documents("found"), store.customer(HER)])
    assert not re.search(r"812345678", kept)
