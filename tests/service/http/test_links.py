"""A mailing over HTTP: its lists stay as they were, its items carry links, and a link leads to what is in stock."""

from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from flask.testing import FlaskClient

from tests.service.http.apps import tiny_client
from tests.worlds import catalogue_with, save, tiny_models

URLS: dict[str, object] = {"DR-001": "/p/DR-001", "SH-014": "/p/SH-014", "SH-016": "/p/SH-016"}


@pytest.fixture
def client(tmp_path: Path) -> FlaskClient:
    save(tmp_path / "models", "one", replace(tiny_models(), catalogue=catalogue_with(URLS)))
    (tmp_path / "valet.toml").write_text('[shop]\nurl = "https://shop.example"\n')
    return tiny_client(tmp_path, config=tmp_path / "valet.toml")


def listed(client: FlaskClient, **asked: object) -> dict[str, object]:
    answer = client.post("/recommend", json={"customer_id": "ann", "intent": "for_you", **asked}).json
    assert answer is not None
    return answer


def view(client: FlaskClient, item_id: str) -> None:
    event = {"event": "view_item", "customer_id": "ann", "item_id": item_id}
    assert client.post("/events", json=event).status_code == 200


def test_a_send_gives_the_same_list_whatever_happens_after_its_start_and_the_next_send_another(
    client: FlaskClient,
) -> None:
    view(client, "DR-001")
    first = listed(client, send_id="spring")
    view(client, "DR-002")
    sent = {"event": "email_sent", "customer_id": "ann", "items": first["items"], "send_id": "spring"}
    assert client.post("/events", json=sent).status_code == 200
    assert listed(client, send_id="spring") == first
    lines = b'{"customer_id": "ann", "intent": "for_you", "send_id": "spring"}\n' * 2
    answers = client.post("/recommend/batch", data=lines, content_type="application/x-ndjson").data.splitlines()
    assert [orjson.loads(line) for line in answers[:2]] == [{"line": 1, **first}, {"line": 2, **first}]
    assert listed(client, send_id="summer")["items"] != first["items"]
    assert listed(client)["items"] != first["items"]


def test_a_refusal_of_profiling_counts_at_once_in_a_send_too(client: FlaskClient) -> None:
    view(client, "DR-002")
    assert listed(client, send_id="spring")["fallback"] is None
    refusal = {
        "purpose": "profiling",
        "channel": "all",
        "status": "denied",
        "at": "2025-12-31T00:00:00Z",
        "source": "x",
    }
    client.put("/customers/ann/consents", json={"consents": [refusal]})
    assert listed(client, send_id="spring")["fallback"] == "popular"


def test_only_lists_of_a_send_carry_links_and_a_link_leads_to_its_item(client: FlaskClient) -> None:
    plain, sent = listed(client), listed(client, send_id="spring")
    assert all("link" not in item for item in plain["items"])  # type: ignore[attr-defined]
    links = {item["item_id"]: item["link"] for item in sent["items"]}  # type: ignore[attr-defined]
    answer = client.get(links["SH-014"])
    assert answer.status_code == 302
    assert answer.location == f"https://shop.example/p/SH-014?valet={sent['recommendation_id']}"
    assert answer.headers["Cache-Control"] == "no-store"
    assert client.head(links["SH-014"]).status_code == 302


def test_a_link_shows_no_customer_and_following_it_writes_nothing(client: FlaskClient) -> None:
    link = listed(client, send_id="spring")["items"][0]["link"]  # type: ignore[index]
    before = client.get("/customers/ann")
    for _ in range(3):
        client.get(link)
    assert "ann" not in link
    assert client.get("/customers/ann").data == before.data


@pytest.mark.parametrize("token", ["x", "AAAA", "https:%2F%2Fevil.example", "A" * 1_999, "รองเท้า"])
def test_a_link_that_was_not_made_here_is_a_404_problem(client: FlaskClient, token: str) -> None:
    answer = client.get(f"/r/{token}")
    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")


def test_a_tampered_link_leads_nowhere(client: FlaskClient) -> None:
    link = str(listed(client, send_id="spring")["items"][0]["link"])  # type: ignore[index]
    for place in range(len("/r/"), len(link), 7):
        changed = link[:place] + ("B" if link[place] == "A" else "A") + link[place + 1 :]
        assert client.get(changed).status_code == 404


def test_without_a_shop_s_address_a_short_one_leads_nowhere(tmp_path: Path) -> None:
    save(tmp_path / "models", "one", replace(tiny_models(), catalogue=catalogue_with(URLS)))
    client = tiny_client(tmp_path)
    answer = client.get(listed(client, send_id="s")["items"][0]["link"])  # type: ignore[index]
    assert answer.status_code == 404
    assert "shop.url" in answer.json["detail"]  # type: ignore[index]


def test_a_send_id_is_a_text_of_some_length(client: FlaskClient) -> None:
    for wrong in ("", "x" * 201, 5):
        answer = client.post("/recommend", json={"send_id": wrong})
        assert (answer.status_code, list(answer.json["errors"])) == (422, ["send_id"])  # type: ignore[index]


def test_a_list_without_a_store_has_links_but_is_of_now(tmp_path: Path) -> None:
    client = tiny_client(tmp_path, store="none")
    assert listed(client, send_id="spring")["items"][0]["link"].startswith("/r/")  # type: ignore[index]
