import json
import os
import re
import time
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from models import bundle
from models.errors import DiskError
from service.live import Live
from tests.service.http.apps import VERSION, tiny_app, tiny_client
from tests.service.serving import call, serving
from tests.waiting import SOON_S
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

PARTS = ("bundle", "store", "keys", "actions", "items")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    return tiny_client(tmp_path_factory.mktemp("shop"))


def test_alive_and_ready(client: FlaskClient) -> None:
    assert client.get("/livez").json == {"status": "ok"}
    ready = client.get("/readyz").json
    assert ready is not None
    parts = ready.pop("parts")
    assert ready == {"status": "ready", "model_version": VERSION, "store": "ok"}
    assert {name: part["state"] for name, part in parts.items()} == dict.fromkeys(PARTS, "ready")


def test_what_is_not_ready_is_named_with_what_follows_and_no_address(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    answer = tiny_client(tmp_path, store="redis://user:secret@127.0.0.1:1/0").get("/readyz")
    assert answer.status_code == 503
    assert answer.json is not None
    parts = answer.json["parts"]
    assert {name: part["state"] for name, part in parts.items()} == {
        "bundle": "not ready", "store": "degraded", "keys": "degraded", "actions": "degraded", "items": "degraded",
    }  # fmt: skip
    assert all(part["reason"] for part in parts.values())
    assert not re.search(r"127\.0|secret|user|/tmp", answer.text)


def test_a_bundle_that_was_refused_is_named_while_the_one_before_answers(tmp_path: Path) -> None:
    client = tiny_client(tmp_path)
    (save(tmp_path / "models", "20260102T000000-half", tiny_models()) / "popularity.score.npy").unlink()
    client.application.extensions["valet"].live.refresh()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["model_version"]) == (200, VERSION)  # type: ignore[index]
    part = answer.json["parts"]["bundle"]  # type: ignore[index]
    assert part["state"] == "degraded"
    assert "20260102T000000-half" in part["reason"]


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


OLDER, NEWER = "20260101T000000-a", "20260102T000000-b"


def two_bundles(folder: Path) -> FlaskClient:
    for version in (OLDER, NEWER):
        save(folder / "models", version, tiny_models())
    return tiny_client(folder)


def test_an_older_bundle_is_made_live_and_the_answer_says_so(tmp_path: Path) -> None:
    client = two_bundles(tmp_path)
    assert client.post(f"/models/{OLDER}/activate").json == {"live": OLDER, "before": NEWER}
    assert client.get("/recommend").json["model_version"] == OLDER  # type: ignore[index]
    assert client.post(f"/models/{OLDER}/activate").json == {"live": OLDER, "before": OLDER}
    assert (tmp_path / "models" / "current").resolve().name == OLDER


@pytest.mark.parametrize("version", ["nothing", "..", "current", "../models", "%2e%2e%2fmodels", ".new-x"])
def test_what_is_no_bundle_is_not_made_live(tmp_path: Path, version: str) -> None:
    client = two_bundles(tmp_path)
    answer = client.post(f"/models/{version}/activate")
    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"
    assert client.get("/models").json["live"] == NEWER  # type: ignore[index]


@pytest.mark.parametrize("harm", ["flip", "remove", "format"])
def test_a_bundle_that_is_not_whole_is_refused_and_what_answered_goes_on(tmp_path: Path, harm: str) -> None:
    client = two_bundles(tmp_path)
    file, manifest = (tmp_path / "models" / OLDER / name for name in ("popularity.score.npy", "manifest.json"))
    if harm == "flip":
        file.write_bytes(file.read_bytes()[:-1] + b"\x99")
    elif harm == "remove":
        file.unlink()
    else:
        manifest.write_text(manifest.read_text().replace('"format": 2', '"format": 999'))
    answer = client.post(f"/models/{OLDER}/activate")
    assert answer.status_code == 409
    assert answer.content_type == "application/problem+json"
    assert NEWER in answer.json["detail"]  # type: ignore[index]
    assert str(tmp_path) not in answer.text
    assert client.get("/models").json["live"] == NEWER  # type: ignore[index]
    assert client.get("/recommend").json["model_version"] == NEWER  # type: ignore[index]


def test_a_bundle_that_was_changed_after_it_answered_is_not_rolled_back_to(tmp_path: Path) -> None:
    client = two_bundles(tmp_path)
    for version in (OLDER, NEWER):
        assert client.post(f"/models/{version}/activate").status_code == 200
    file = tmp_path / "models" / OLDER / "popularity.score.npy"
    written = file.stat().st_mtime_ns
    file.write_bytes(file.read_bytes()[:-1] + b"\x99")
    os.utime(file, ns=(written, written))
    assert client.post(f"/models/{OLDER}/activate").status_code == 409
    assert client.get("/recommend").json["model_version"] == NEWER  # type: ignore[index]


def test_while_others_switch_it_says_come_again_and_a_folder_that_cannot_be_written_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = two_bundles(tmp_path)
    monkeypatch.setattr("models.bundle.current.PATIENCE_S", 0.01)
    with bundle.switching(tmp_path / "models"):
        answer = client.post(f"/models/{OLDER}/activate")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    (tmp_path / "models" / ".switching").unlink()
    monkeypatch.setattr("models.bundle.current.switch", full)
    assert client.post(f"/models/{OLDER}/activate").status_code == 507
    assert client.get("/models").json["live"] == NEWER  # type: ignore[index]


def full(models_dir: Path, version: str) -> None:
    raise DiskError(f"{models_dir}: Read-only file system")


def test_only_an_admin_switches(tmp_path: Path) -> None:
    server, admin = "a-key-of-a-server", "a-key-of-an-admin"
    save(tmp_path / "models", NEWER, tiny_models())
    client = tiny_client(tmp_path, keys=(("server", server), ("admin", admin)))
    found = [
        client.post(f"/models/{NEWER}/activate", headers={"Authorization": f"Bearer {key}"}).status_code
        for key in ("guessed", server, admin)
    ]
    assert found == [401, 403, 200]


def test_all_workers_answer_from_the_older_bundle_within_a_second_or_two(tmp_path: Path) -> None:
    two_bundles(tmp_path)
    with serving(tmp_path, "--models-dir", "models", "--store", "none", "--workers", "2") as running:
        with running.connect() as connection:
            assert call(connection, "POST", f"/models/{OLDER}/activate", b"")[0] == 200
        switched, answers = time.monotonic(), [NEWER]
        while set(answers[-20:]) != {OLDER} or len(answers) < 21:
            answers.append(running.get("/recommend")[1]["model_version"])
            assert time.monotonic() - switched < SOON_S


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

    def flush(self) -> None:
        """Nothing waits."""


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


def test_how_long_a_request_took_is_counted_from_when_it_began_to_wait(tmp_path: Path) -> None:
    client, told = tiny_client(tmp_path, patience_s=60.0), Told()
    client.application.extensions["valet.lines"] = told
    queued = {"valet.queued": time.monotonic() - 10}
    assert client.get("/recommend", environ_overrides=queued).status_code == 200
    assert json.loads(told.lines[0])["ms"] >= 10_000
    assert 'valet_request_seconds_bucket{le="5.0",route="/recommend"} 0.0' in client.get("/metrics").text


def test_what_is_turned_away_early_has_its_line_and_its_counts_without_ids(tmp_path: Path) -> None:
    client, told = tiny_client(tmp_path, patience_s=1.0), Told()
    client.application.extensions["valet.lines"] = told
    late = {"valet.queued": time.monotonic() - 10}
    for path in ("/recommend?customer_id=secret-person", "/customers/secret-person"):
        assert client.get(path, environ_overrides=late).status_code == 503
    assert client.post("/recommend", environ_overrides={"RAW_URI": "/" * 200_000}).status_code == 414
    lines = [json.loads(line) for line in told.lines]
    assert [(line["method"], line["route"], line["status"]) for line in lines] == [
        ("GET", "/recommend", 503),
        ("GET", "unknown", 503),
        ("POST", "/recommend", 414),
    ]
    assert [line["ms"] >= 10_000 for line in lines] == [True, True, False]
    text = client.get("/metrics").text
    for method, route, status in (("GET", "/recommend", 503), ("GET", "unknown", 503), ("POST", "/recommend", 414)):
        assert f'valet_requests_total{{method="{method}",route="{route}",status="{status}"}} 1.0' in text
    assert "secret-person" not in text + str(lines)


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
