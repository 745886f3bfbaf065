"""GET and PUT /actions, and what is put at work: budgets, conditions, sends; over both stores."""

import time
from collections import Counter
from pathlib import Path

import orjson
import pytest
from flask.testing import FlaskClient

from tests.conftest import PATIENCE_MS, start_redis
from tests.service.http.apps import stop_watching, tiny_app
from tests.waiting import SOON_S, until

ASK = {"customer_id": "anna", "channel": "website"}
SCARCE = """
[learning]
exploration = "none"

[[budgets]]
name = "gifts"
amount = 5
days = 7
pacing = 0

[[actions]]
id = "gift"
issue = "i"
group = "g"
class = "service"
value = 10
budget = "gifts"
spend = 1
value_by_tier = { none = 20 }

[[actions.treatments]]
channel = "website"

[[actions]]
id = "thanks"
issue = "i"
group = "g"
class = "service"
value = 1

[[actions.treatments]]
channel = "website"
"""


@pytest.fixture
def client(store_url: str, tmp_path: Path) -> FlaskClient:
    return tiny_app(tmp_path, store=store_url).test_client()


def put(client: FlaskClient, text: str = SCARCE, **more):
    return client.put("/actions", data=text.encode(), content_type="application/toml", **more)


def lines(answer) -> list[dict]:
    return [orjson.loads(line) for line in answer.data.splitlines()]


def test_what_is_got_can_be_put_again_and_has_the_same_version(client):
    first = client.get("/actions")
    assert first.json["version"] == first.headers["ETag"].strip('"')
    again = client.put("/actions", json=first.json)
    assert (again.status_code, again.json) == (
        200,
        {"version": first.json["version"], "actions": len(first.json["actions"])},
    )


def test_what_is_put_decides_at_once_here_and_within_a_second_elsewhere(client, store_url, tmp_path):
    other = tiny_app(tmp_path, store=store_url).test_client()
    version = put(client).json["version"]
    assert client.post("/next-best-action", json=ASK).json["catalogue_version"] == version
    stand(version, other)
    later = tiny_app(tmp_path, store=store_url).test_client()
    assert later.get("/actions").json["version"] == version


def test_what_is_put_into_a_redis_that_came_back_empty_stands_at_once(tmp_path):
    folders = [tmp_path / "before", tmp_path / "after"]
    for folder in folders:
        folder.mkdir()
    with start_redis(folders[0]) as server:
        store = f"{server.url}?timeout_ms={PATIENCE_MS}"
        client, other = (tiny_app(tmp_path, store=store).test_client() for _ in range(2))
        filed = client.get("/actions").json["version"]
        for amount in (6, 7, 8):
            put(client, SCARCE.replace("amount = 5", f"amount = {amount}"))
        server.process.kill()
        server.process.wait()
        with start_redis(folders[1], port=server.port):
            stand(filed, client, other)
            decided = client.post("/next-best-action", json=ASK).json
            assert decided["catalogue_version"] == filed
            (tmp_path / "actions.toml").write_text(SCARCE)
            later = tiny_app(tmp_path, store=store, actions=tmp_path / "actions.toml").test_client()
            assert later.get(f"/decisions/{decided['decision_id']}").json["replay"]["same"] is True
            version = put(client, SCARCE.replace("amount = 5", "amount = 9")).json["version"]
            assert client.post("/next-best-action", json=ASK).json["catalogue_version"] == version
            stand(version, client, other, later)
            stop_watching(store)


def stand(version: str, *clients: FlaskClient) -> None:
    """All of them come to decide from this version."""
    until(lambda: {client.get("/actions").json["version"] for client in clients} == {version}, within_s=SOON_S)


@pytest.mark.parametrize(
    ("old", "new", "field", "says"),
    [
        ("spend = 1", "spend = 0", "actions.0.spend", "must be above 0"),
        (
            "spend = 1",
            "spend = 1\neligibility = 'customer.shoes > 1'",
            "actions.0.eligibility",
            "'customer.shoes' is unknown",
        ),
        ("spend = 1", "spend = 1\nsuitability = 'customer.orders == \"x\"'", "actions.0.suitability", "never equal"),
        ("days = 7", "days = 0", "budgets.0.days", "line 8"),
        ('budget = "gifts"', 'budget = "gold"', "actions.0.budget", "known here: gifts"),
    ],
)
def test_a_mistake_is_refused_with_its_key_and_line_and_changes_nothing(client, old, new, field, says):
    before = client.get("/actions").json["version"]
    answer = put(client, SCARCE.replace(old, new))
    assert (answer.status_code, list(answer.json["errors"])) == (422, [field])
    assert says in answer.json["errors"][field][0]
    assert client.get("/actions").json["version"] == before


def test_ten_thousand_actions_are_refused_with_the_number_that_is_taken(client):
    row = {"id": "a", "issue": "i", "group": "g", "class": "growth", "treatments": [{"channel": "website"}]}
    answer = client.put("/actions", json={"actions": [{**row, "id": f"a{n}"} for n in range(10_000)]})
    assert (answer.status_code, answer.json["errors"]) == (
        422,
        {"actions": ["body: actions: 10,000 are too many; at most 2,000"]},
    )


@pytest.mark.parametrize(
    ("body", "media_type"),
    [(b"{}", "application/json"), (b'{"levers": {}}', "application/json"), (b"", "application/toml")],
)
def test_a_catalogue_that_does_not_say_its_actions_is_refused_and_one_that_has_none_is_not(client, body, media_type):
    before = client.get("/actions").json["version"]
    answer = client.put("/actions", data=body, content_type=media_type)
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["actions"])
    assert client.get("/actions").json["version"] == before
    assert client.put("/actions", json={"actions": []}).status_code == 200


LONG = "&&".join(f"cart.total*1.0<{n}.5" for n in range(45))


def test_conditions_of_more_words_than_can_be_read_in_a_moment_are_refused_with_the_number_that_is_taken(client):
    row = {"issue": "i", "group": "g", "class": "growth", "treatments": [{"channel": "website"}]}
    rows = [{**row, "id": f"a{n}", "eligibility": f"{LONG}&&cart.items<{n}"} for n in range(400)]
    began = time.monotonic()
    answer = client.put("/actions", json={"actions": rows})
    assert answer.status_code == 422
    assert list(answer.json["errors"]) == ["actions.183.eligibility"]
    assert "more than 50,000 names, numbers, texts and signs" in answer.data.decode()
    assert time.monotonic() - began < 10


def test_a_condition_of_many_actions_is_read_once(client):
    row = {"issue": "i", "group": "g", "class": "growth", "treatments": [{"channel": "website"}], "eligibility": LONG}
    began = time.monotonic()
    assert client.put("/actions", json={"actions": [{**row, "id": f"a{n}"} for n in range(2_000)]}).status_code == 200
    assert time.monotonic() - began < 10


def test_a_catalogue_made_from_an_older_one_is_refused_where_that_is_asked(client):
    stale = client.get("/actions").headers["ETag"]
    assert put(client, headers={"If-Match": stale}).status_code == 200
    assert put(client, SCARCE.replace("amount = 5", "amount = 6"), headers={"If-Match": stale}).status_code == 412


def test_a_budget_is_spent_and_no_more_and_what_was_not_shown_comes_back(store_url, tmp_path):
    now = 1_767_225_600
    client = tiny_app(tmp_path, store=store_url, now=now).test_client()
    put(client)
    asked = [client.post("/next-best-action", json={**ASK, "customer_id": f"c{n}"}).json for n in range(8)]
    chosen = [one["actions"][0]["action_id"] for one in asked]
    assert Counter(chosen) == {"gift": 5, "thanks": 3}
    assert asked[7]["dropped"]["BUDGET"] == 1
    shown = {"decision_id": asked[0]["decision_id"], "action_id": "gift", "outcome": "shown"}
    assert client.post("/outcomes", json=shown).json["accepted"] == 1
    later = tiny_app(tmp_path, store=store_url, now=now + 31 * 60).test_client()
    again = [later.post("/next-best-action", json={**ASK, "customer_id": f"d{n}"}).json for n in range(8)]
    assert Counter(one["actions"][0]["action_id"] for one in again) == {"gift": 4, "thanks": 4}


def test_a_send_gives_what_is_scarce_to_the_highest_priorities_whatever_their_lines(client):
    text = SCARCE.replace("value_by_tier = { none = 20 }", 'context = { "vip=yes" = 3.0 }')
    put(client, text)
    vip = {3, 8, 11}
    rows = [{**ASK, "customer_id": f"c{n}", "context": {"vip": "yes" if n in vip else "no"}} for n in range(12)]
    body = b"\n".join(map(orjson.dumps, [*rows, {"channel": "website"}]))
    answer = client.post("/next-best-action/batch", data=body, content_type="application/x-ndjson")
    *answers, bad, last = lines(answer)
    assert (last, list(bad["errors"])) == ({"done": True, "count": 13}, ["customer_id"])
    assert [one["line"] for one in answers] == list(range(1, 13))
    gifts = [n for n, one in enumerate(answers) if one["actions"][0]["action_id"] == "gift"]
    assert (len(gifts), vip <= set(gifts)) == (5, True)


def test_a_send_must_be_lines(client):
    assert client.post("/next-best-action/batch", json=[ASK]).status_code == 415
