from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from models.errors import StoreUnavailable
from service.http.problems import register
from tests.service.http.apps import tiny_client

MEGABYTE = 1 << 20


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    return tiny_client(tmp_path_factory.mktemp("shop"))


@pytest.mark.parametrize(
    ("method", "path", "body", "media_type", "status"),
    [
        ("POST", "/recommend", b"{", "application/json", 400),
        ("POST", "/recommend", b"", "application/json", 400),
        ("POST", "/recommend", b'{"n": NaN}', "application/json", 400),
        ("POST", "/recommend", b'"\xff"', "application/json", 400),
        ("POST", "/recommend", b"[" * 5_000, "application/json", 400),
        ("GET", "/nothing", b"", None, 404),
        ("DELETE", "/recommend", b"", None, 405),
        ("POST", "/recommend", b'{"item_ids": ["' + b"x" * MEGABYTE + b'"]}', "application/json", 413),
        ("POST", "/recommend", b"{}", "text/plain", 415),
        ("POST", "/recommend", b"{}", None, 415),
        ("POST", "/recommend", b'{"n": 0}', "application/json", 422),
    ],
)
def test_every_error_is_a_problem(
    client: FlaskClient, method: str, path: str, body: bytes, media_type: str | None, status: int
) -> None:
    answer = client.open(path, method=method, data=body, content_type=media_type)
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert answer.json is not None
    assert answer.json["status"] == status
    assert answer.json["type"] == "about:blank"
    assert answer.json["title"]
    assert answer.json["detail"]


def test_a_method_that_is_not_allowed_says_which_are(client: FlaskClient) -> None:
    assert "POST" in client.delete("/recommend").headers["Allow"]


def test_a_media_type_of_json_is_json(client: FlaskClient) -> None:
    assert (
        client.post("/recommend", data=b"{}", content_type="application/vnd.shop+json; charset=utf-8").status_code
        == 200
    )


def test_a_store_that_is_away_is_503_with_retry_after(tmp_path: Path) -> None:
    client = tiny_client(tmp_path, store="redis://127.0.0.1:1/0")
    answer = client.post("/events", json={"event": "view_item", "customer_id": "c", "item_id": "DR-002"})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "1"
    assert answer.content_type == "application/problem+json"


def test_what_the_store_and_the_code_say_stays_inside() -> None:
    app = Flask("broken", static_folder=None)
    register(app)

    @app.route("/away")
    def away() -> str:
        raise StoreUnavailable("redis://user:password@secret")

    @app.route("/broken")
    def broken() -> str:
        raise KeyError("secret")

    app.logger.disabled = True
    for path, status in (("/away", 503), ("/broken", 500)):
        answer = app.test_client().get(path)
        assert answer.status_code == status
        assert answer.content_type == "application/problem+json"
        assert "secret" not in answer.text
