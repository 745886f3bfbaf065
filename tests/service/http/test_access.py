"""Who may call what, on the real app: scopes, pages, limits, and what is told of keys and people where."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from service.customer_tokens import sign
from service.http.access import FREE, OF_AGENTS, may
from service.keys import SCOPES
from tests.service.http.apps import tiny_client
from tests.worlds import NOW

KEYS = {scope: f"{scope}-key-of-16-or-more" for scope in SCOPES}
SECRET = b"0123456789abcdef0123456789abcdef"
ANN = sign("ann", expires_at=NOW + 60, secret=SECRET)
EVENT = {"event": "view_item", "item_id": "DR-001"}


def client_with_keys(folder: Path, toml: str = "", **changes: Any) -> FlaskClient:
    folder.mkdir(exist_ok=True)
    (folder / "valet.toml").write_text(toml)
    given = tuple((scope, text) for scope, text in KEYS.items() if scope != "agent")
    settings = {"keys": given, "agent_key": KEYS["agent"].encode(), "customer_secrets": (SECRET,), **changes}
    return tiny_client(folder, config=folder / "valet.toml", **settings)


@pytest.fixture
def client(tmp_path: Path) -> FlaskClient:
    return client_with_keys(tmp_path)


def bearer(scope: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {KEYS[scope]}"}


CALLS = [  # method, path, and the scopes that may
    ("GET", "/recommend?n=1", "public server agent admin"),
    ("POST", "/events", "public server admin"),
    ("POST", "/recommend/batch", "server admin"),
    ("POST", "/rank", "server agent admin"),
    ("POST", "/next-best-action", "server agent admin"),
    ("GET", "/customers/ann", "server agent admin"),
    ("GET", "/customers?phone=1", "agent admin"),
    ("PUT", "/customers/ann/consents", "server agent admin"),
    ("DELETE", "/customers/ann", "server admin"),
    ("GET", "/customers/ann/export", "server admin"),
    ("PUT", "/items", "server admin"),
    ("GET", "/models", "server admin"),
    ("GET", "/metrics", "server admin"),
]


@pytest.mark.parametrize(("method", "path", "scopes"), CALLS)
def test_each_scope_may_call_what_is_its_business(client: FlaskClient, method, path, scopes) -> None:
    answers = {scope: client.open(path, method=method, headers=bearer(scope)).status_code for scope in SCOPES}
    assert {scope for scope, status in answers.items() if status != 403} == set(scopes.split())
    assert client.open(path, method=method).status_code == 401
    assert client.open(path, method=method, headers={"Authorization": "Bearer no"}).status_code == 401


def test_what_tells_nothing_needs_no_key(client: FlaskClient) -> None:
    for path in sorted(FREE - {"/r/<token>"}):
        assert client.get(path).status_code == 200, path


def test_every_route_that_a_list_names_is_there(client: FlaskClient) -> None:
    rules = {rule.rule for rule in client.application.url_map.iter_rules()}
    planned = {"/actions"}
    assert rules | planned >= FREE | OF_AGENTS


def test_only_admins_change_actions_and_switch_models() -> None:
    for method, rule in (("PUT", "/actions"), ("POST", "/models/<id:version>/activate")):
        assert [scope for scope in SCOPES if may(scope, method, rule)] == ["admin"]


def test_a_missing_key_is_asked_for_and_a_problem_says_how(client: FlaskClient) -> None:
    answer = client.get("/recommend")
    assert (answer.status_code, answer.content_type) == (401, "application/problem+json")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_public_key_may_stand_in_the_address_and_a_secret_one_may_not(client: FlaskClient) -> None:
    assert client.get(f"/recommend?key={KEYS['public']}").status_code == 200
    answer = client.get(f"/recommend?key={KEYS['server']}")
    assert answer.status_code == 401
    assert KEYS["server"] not in answer.text


def test_a_page_names_a_visit_or_a_token_and_never_a_bare_customer(client: FlaskClient) -> None:
    def asked(query: str) -> int:
        return client.get(f"/recommend?key={KEYS['public']}&{query}").status_code

    assert asked("session_id=s") == 200
    assert asked(f"customer_token={ANN}") == 200
    assert asked("customer_id=ann") == 422
    assert asked(f"customer_token={ANN}&customer_id=bob") == 422
    assert asked("customer_token=no") == 422
    late = sign("ann", expires_at=NOW, secret=SECRET)
    assert asked(f"customer_token={late}") == 422
    body = client.post("/recommend", json={"customer_id": "ann"}, headers=bearer("public"))
    assert "customer_id" in body.get_json()["errors"]


def test_a_page_begins_no_mailing_and_a_server_does(client: FlaskClient) -> None:
    for answer in (
        client.get(f"/recommend?key={KEYS['public']}&session_id=s&send_id=spring"),
        client.post("/recommend", json={"session_id": "s", "send_id": "spring"}, headers=bearer("public")),
        client.post("/recommend", json={"customer_token": ANN, "send_id": "spring"}, headers=bearer("public")),
    ):
        assert (answer.status_code, list(answer.get_json()["errors"])) == (422, ["send_id"])
    sent = {**EVENT, "customer_id": "ann", "event": "purchase", "event_id": "e"}
    assert client.post("/events", json=sent, headers=bearer("server")).status_code == 200
    listed = client.get("/recommend?customer_id=ann&intent=for_you&send_id=spring", headers=bearer("server")).get_json()
    assert listed["fallback"] is None


@pytest.mark.parametrize(
    "named",
    [{"customer_id": "ann"}, {"user_id": "ann"}, {"customer_id": "ann", "session_id": "s"}, {"customer_token": "no"}],
)
def test_a_page_s_event_of_a_bare_customer_is_refused_and_leaves_no_mark(client: FlaskClient, named) -> None:
    answer = client.post("/events", json={**EVENT, **named}, headers=bearer("public"))
    assert answer.status_code == 422
    assert client.get("/customers/ann", headers=bearer("server")).status_code == 404
    assert client.get("/customers/session:s", headers=bearer("server")).status_code == 404


def test_a_token_s_event_is_its_customer_s_and_the_token_is_not_kept(client: FlaskClient) -> None:
    sent = {**EVENT, "event_id": "e", "session_id": "s", "customer_token": ANN}
    assert client.post("/events", json=sent, headers=bearer("public")).status_code == 200
    assert client.get("/customers/ann", headers=bearer("server")).status_code == 200
    assert ANN not in client.get("/customers/ann/export", headers=bearer("server")).text


@pytest.mark.parametrize("length", [1, 4_000])
def test_a_token_of_an_id_as_long_as_ids_may_be_is_taken_in_events_as_in_lists(
    client: FlaskClient, length: int
) -> None:
    token = sign("a" * length, expires_at=NOW + 60, secret=SECRET)
    assert client.get(f"/recommend?customer_token={token}", headers=bearer("public")).status_code == 200
    answer = client.post("/events", json={**EVENT, "customer_token": token}, headers=bearer("public"))
    assert (answer.status_code, answer.json.get("accepted")) == (200, 1)


def test_a_server_may_send_tokens_too_and_names_whom_it_likes(client: FlaskClient) -> None:
    for query in ("customer_id=bob", f"customer_token={ANN}"):
        assert client.get(f"/recommend?{query}", headers=bearer("server")).status_code == 200


def test_a_token_where_no_secret_is_set_up_is_refused(tmp_path: Path) -> None:
    client = tiny_client(tmp_path)
    answer = client.get(f"/recommend?customer_token={ANN}")
    assert answer.status_code == 422
    assert "VALET_CUSTOMER_SECRET" in answer.text


# --- without keys -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "status"), [("127.0.0.1", 200), ("::1", 200), ("", 200), ("10.0.0.9", 403), ("::ffff:10.0.0.9", 403)]
)
def test_without_keys_this_machine_alone_is_answered(tmp_path: Path, address: str, status: int) -> None:
    client = tiny_client(tmp_path)
    assert client.get("/recommend", environ_base={"REMOTE_ADDR": address}).status_code == status


def test_without_keys_what_a_proxy_passes_on_is_not_answered(tmp_path: Path) -> None:
    client = tiny_client(tmp_path)
    assert client.get("/recommend", headers={"X-Forwarded-For": "10.0.0.9"}).status_code == 403


def test_while_the_store_has_not_said_which_keys_there_are_others_wait(tmp_path: Path) -> None:
    client = tiny_client(tmp_path, store="redis://127.0.0.1:1/0")
    assert client.get("/recommend").status_code == 200
    answer = client.get("/recommend", environ_base={"REMOTE_ADDR": "10.0.0.9"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")


def test_an_open_service_says_so_loudly_and_one_with_keys_does_not(tmp_path: Path, capsys) -> None:
    tiny_client(tmp_path)
    assert '"level":"warning"' in capsys.readouterr().err
    client_with_keys(tmp_path / "keyed")
    assert "no keys" not in capsys.readouterr().err


def test_a_page_of_an_open_service_is_a_page_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "valet.toml").write_text('[browser]\norigins = ["https://shop.example"]\nkey = "pk-1"\n')
    client = tiny_client(tmp_path, config=tmp_path / "valet.toml")
    headers = {"Origin": "https://shop.example"}
    assert client.get("/recommend?key=pk-1&customer_id=ann", headers=headers).status_code == 422
    assert client.get("/recommend?customer_id=ann").status_code == 200


# --- limits -----------------------------------------------------------------------------------------------------------------------------


def statuses(client: FlaskClient, times: int, scope: str, **how: Any) -> list[int]:
    return [client.get("/recommend?n=1", headers=bearer(scope) | how).status_code for _ in range(times)]


def test_an_address_asks_so_often_and_no_oftener_and_a_server_is_no_address(tmp_path: Path) -> None:
    client = client_with_keys(tmp_path, "[limits]\nper_address = 0.1\nburst_seconds = 30\n")
    assert statuses(client, 5, "public") == [200, 200, 200, 429, 429]
    answer = client.get("/recommend", headers=bearer("public"))
    assert (answer.content_type, int(answer.headers["Retry-After"]) > 0) == ("application/problem+json", True)
    assert statuses(client, 5, "server") == [200] * 5


def test_what_is_free_has_the_limit_of_an_address_and_only_signs_of_life_have_none(tmp_path: Path) -> None:
    client = client_with_keys(tmp_path, "[limits]\nper_address = 0.1\nburst_seconds = 20\n")

    def asked(path: str, address: str) -> list[int]:
        return [client.get(path, environ_base={"REMOTE_ADDR": address}).status_code for _ in range(4)]

    for number, path in enumerate(("/docs", "/openapi.json", "/valet.js")):
        assert asked(path, f"9.9.9.{number}") == [200, 200, 429, 429]
        assert asked(path, "127.0.0.1") == [200] * 4
    assert asked("/r/no-link", "9.9.9.9") == [404, 404, 429, 429]
    for path in ("/livez", "/readyz"):
        assert asked(path, "9.9.9.9") == [200] * 4


def test_each_key_has_its_own_limit(tmp_path: Path) -> None:
    client = client_with_keys(tmp_path, "[limits]\nper_key = 0.1\nburst_seconds = 30\n")
    assert statuses(client, 4, "server") == [200, 200, 200, 429]
    assert statuses(client, 4, "agent") == [200, 200, 200, 429]


def test_behind_our_proxies_the_visitor_s_address_counts_and_nobody_can_make_one_up(tmp_path: Path) -> None:
    toml = '[limits]\nper_address = 0.1\nburst_seconds = 20\nproxies = ["127.0.0.0/8"]\n'
    client = client_with_keys(tmp_path, toml)
    for visitor in ("9.9.9.9", "8.8.8.8"):
        forged = {"X-Forwarded-For": f"1.2.3.4, {visitor}"}
        assert statuses(client, 3, "public", **forged) == [200, 200, 429]
    assert statuses(client, 1, "public", **{"X-Forwarded-For": "5.6.7.8, 9.9.9.9"}) == [429]


def test_one_ipv6_network_is_one_visitor(tmp_path: Path) -> None:
    toml = '[limits]\nper_address = 0.1\nburst_seconds = 20\nproxies = ["127.0.0.1"]\n'
    client = client_with_keys(tmp_path, toml)
    asked = [statuses(client, 1, "public", **{"X-Forwarded-For": f"2001:db8::{n}"})[0] for n in range(1, 4)]
    assert asked == [200, 200, 429]


def test_guessing_keys_is_slowed_down(client: FlaskClient) -> None:
    guesses = [client.get("/recommend", headers={"Authorization": f"Bearer {n}"}).status_code for n in range(30)]
    assert guesses[0] == 401
    assert guesses[-1] == 429
    assert client.get("/recommend", headers=bearer("server")).status_code == 200


def test_who_sends_no_key_guesses_none_and_is_limited_as_an_address(tmp_path: Path) -> None:
    client = client_with_keys(tmp_path, "[limits]\nper_address = 1\nburst_seconds = 25\n")
    assert {client.get("/recommend").status_code for _ in range(25)} == {401}
    assert client.get("/recommend", headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert client.get("/recommend").status_code == 429


# --- what is told -----------------------------------------------------------------------------------------------------------------------


def test_no_key_token_or_person_is_in_logs_metrics_and_problems(client: FlaskClient, capsys) -> None:
    secret = ["who-is-it", *KEYS.values(), ANN]
    told = []
    for path in ("/recommend", "/customers/who-is-it", "/nothing/who-is-it", "/decisions/who-is-it"):
        for headers in ({}, *map(bearer, SCOPES), {"Authorization": "Bearer who-is-it"}):
            asked = f"{path}?key={KEYS['server']}&customer_token={ANN}&customer_id=who-is-it"
            told.append(client.get(asked, headers=headers).text)
            told.append(client.get(path, headers=headers).text)
    client.application.extensions["valet.lines"].flush()
    told += [client.get("/metrics", headers=bearer("admin")).text, capsys.readouterr().err]
    assert '"route":"/recommend"' in told[-1]
    for text in secret:
        assert not [one for one in told if text in one]
