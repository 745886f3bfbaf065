import json
import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from service.live import Live
from tests.service.http.apps import VERSION, tiny_app, tiny_client
from tests.worlds import save, switch, tiny_models

CONTRACT = {
    "/recommend",
    "/recommend/batch",
    "/rank",
    "/next-best-action",
    "/events",
    "/outcomes",
    "/customers/{customer_id}",
}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    return tiny_client(tmp_path_factory.mktemp("shop"))


def test_alive_and_ready(client: FlaskClient) -> None:
    assert client.get("/livez").json == {"status": "ok"}
    assert client.get("/readyz").json == {"status": "ready", "model_version": VERSION, "store": "ok"}


@pytest.mark.parametrize(("store", "word"), [("none", "none"), ("redis://127.0.0.1:1/0", "away")])
def test_ready_without_a_store_because_lists_need_none(tmp_path: Path, store: str, word: str) -> None:
    answer = tiny_client(tmp_path, store=store).get("/readyz")
    assert (answer.status_code, answer.json["store"]) == (200, word)  # type: ignore[index]


def test_the_document_is_openapi_3_1_and_every_reference_in_it_leads_somewhere(client: FlaskClient) -> None:
    document = client.get("/openapi.json").json
    assert document is not None
    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]) >= CONTRACT
    for reference in re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document)):
        part = document
        for key in reference.split("/"):
            part = part[key]
    names = [parameter["name"] for parameter in document["paths"]["/recommend"]["get"]["parameters"]]
    assert {"item_id", "customer_id", "exclude", "fields", "n"} <= set(names)


def test_the_docs_need_nothing_from_elsewhere(client: FlaskClient) -> None:
    page = client.get("/docs")
    assert page.content_type.startswith("text/html")
    assert "/recommend/batch" in page.text
    assert "item_ids" in page.text
    assert not re.search(r"""(src|href)\s*=\s*["']?(https?:)?//|<script|@import|url\(""", page.text)


def test_models_are_listed_newest_first_and_what_is_no_whole_bundle_is_not(tmp_path: Path) -> None:
    models_dir = tmp_path / "models"
    for version in ("20260102T000000-b", "20260101T000000-a"):
        save(models_dir, version, tiny_models())
    (models_dir / ".new-x").mkdir()
    (models_dir / "half").mkdir()
    answer = tiny_client(tmp_path).get("/models").json
    assert answer is not None
    assert answer["live"] == "20260101T000000-a"
    assert [(model["version"], model["live"]) for model in answer["models"]] == [
        ("20260102T000000-b", False),
        ("20260101T000000-a", True),
    ]


def test_metrics_count_routes_and_never_ids(tmp_path: Path) -> None:
    client = tiny_client(tmp_path)
    client.get("/recommend?customer_id=secret-person")
    client.get("/customers/secret-person")
    client.get("/secret-person")
    text = client.get("/metrics").text
    assert 'valet_requests_total{method="GET",route="/recommend",status="200"} 1.0' in text
    assert 'valet_recommendations_total{degraded="false",fallback="popular",intent="for_you"} 1.0' in text
    assert f'valet_model_info{{version="{VERSION}"}} 1.0' in text
    assert "secret-person" not in text


class Told:
    """Lines that are kept instead of being written."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, line: str) -> None:
        self.lines.append(line)


def test_one_log_line_a_request_without_ids(tmp_path: Path) -> None:
    client, told = tiny_client(tmp_path), Told()
    client.application.extensions["valet.lines"] = told
    client.get("/recommend?customer_id=secret-person&item_id=DR-001")
    client.get("/customers/secret-person")
    client.get("/livez")
    lines = [json.loads(line) for line in told.lines]
    assert [(line["route"], line["status"]) for line in lines] == [
        ("/recommend", 200),
        ("/customers/<id:customer_id>", 404),
    ]
    assert all(line["ms"] >= 0 for line in lines)
    assert "secret-person" not in str(lines)
    assert "DR-001" not in str(lines)


def test_a_request_keeps_the_bundle_it_began_with(tmp_path: Path) -> None:
    app = tiny_app(tmp_path)
    live: Live = app.extensions["valet"].live
    begun = live.bundle()
    save(tmp_path / "models", "20260102T000000-next", tiny_models())
    live.refresh()
    assert begun is not None
    assert begun.models.catalogue.items.row("DR-001") >= 0
    assert live.bundle() is not begun
    switch(tmp_path / "models", VERSION)
