"""What Prometheus is told: by a service of two workers, as the text that it reads; few labels, and nobody's id."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from pathlib import Path

import orjson
import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from service.decisions.funnel import ORDER
from tests.service.http.apps import VERSION, tiny_client
from tests.service.serving import call, serving
from tests.worlds import save, tiny_models

Samples = Mapping[tuple[str, ...], float]
ROOT = Path(__file__).parents[3]
SECRET = "secret-person"
LABELS = {
    *("method", "route", "status", "le", "why", "rule", "intent", "fallback", "degraded", "channel", "arm", "code"),
    *("version", "band", "by"),
}


def samples(text: str) -> dict[tuple[str, ...], float]:
    """All samples by name and labels."""
    found: dict[tuple[str, ...], float] = {}
    for family in text_string_to_metric_families(text):
        for one in family.samples:
            assert set(one.labels) <= LABELS, one
            found[one.name, *(f"{name}={value}" for name, value in sorted(one.labels.items()))] = one.value
    return found


def total(found: Samples, name: str, *labels: str) -> float:
    return sum(value for key, value in found.items() if key[0] == name and set(labels) <= set(key))


def asked(client: FlaskClient) -> dict[tuple[str, ...], float]:
    return samples(client.get("/metrics").text)


def test_two_workers_are_summed_and_no_id_is_told(tmp_path: Path) -> None:
    save(tmp_path / "models", VERSION, tiny_models(), created_at="2026-01-01T00:00:00Z", as_of_s=1_767_225_600)
    with serving(tmp_path, "--models-dir", "models", "--store", "sqlite:///valet.db", "--workers", "2") as running:
        assert samples(running.get("/metrics")[1])["valet_events_total", "status=accepted"] == 0
        for number in range(30):  # a connection each, so that both workers answer
            assert running.get(f"/recommend?customer_id={SECRET}&item_id=DR-001&n=3")[0] == 200
            assert running.get(f"/next-best-action?customer_id={SECRET}&channel=website")[0] == 200
            with running.connect() as connection:
                event = {
                    "event": "view_item",
                    "customer_id": SECRET,
                    "item_id": "DR-001",
                    "event_id": f"e{number // 2}",
                }
                call(connection, "POST", "/events", orjson.dumps([event, {}]))
        texts = [running.get("/metrics")[1] for _ in range(6)]
    for text in texts:
        found = samples(text)
        assert SECRET not in text
        assert not re.search(r"DR-001|SH-014|event_id", text)
        assert total(found, "valet_recommendations_total") == 30
        assert total(found, "valet_decisions_total", "channel=website", "degraded=false") == 30
        assert total(found, "valet_events_total", "status=accepted") == 15
        assert total(found, "valet_events_total", "status=repeated") == 15
        assert total(found, "valet_events_total", "status=refused") == 30
        assert total(found, "valet_request_seconds_count", "route=/recommend") == 30
        assert found["valet_store_up",] == 1
        assert 0 <= found["valet_store_silent_seconds",] < 60
        assert found["valet_model_info", f"version={VERSION}"] == 1
        assert found["valet_model_created_timestamp_seconds",] == found["valet_model_as_of_timestamp_seconds",]
        assert found["valet_catalogue_items",] == 11
        assert 0 < found["valet_shown_coverage",] < 1
        assert 0 <= found["valet_shown_drift", "by=category"] <= 1
        assert total(found, "valet_shown_share") == pytest.approx(1)
    assert len({samples(text)["valet_shown_coverage",] for text in texts}) == 1


def test_the_alerts_of_the_operators_page_are_about_metrics_that_there_are(tmp_path: Path) -> None:
    save(tmp_path / "models", VERSION, tiny_models(), created_at="2026-01-01T00:00:00Z", as_of_s=1_767_225_600)
    told = set(re.findall(r"^# TYPE (valet_\w+)", tiny_client(tmp_path).get("/metrics").text, re.M))
    written = set(re.findall(r"\bvalet_\w+", (ROOT / "docs" / "ops.md").read_text(encoding="utf-8")))
    assert {name.removesuffix("_bucket") for name in written} - {
        "valet_model",
        "valet_shown_",
        "valet_store",
        "valet_shown",
    } <= told


def test_lists_that_are_remembered_are_answered_and_not_made(tmp_path: Path) -> None:
    client = tiny_client(tmp_path)
    for _ in range(4):
        client.get("/recommend?item_id=DR-001")
        client.get("/recommend?customer_id=ann")
    found = asked(client)
    assert total(found, "valet_recommendations_total") == 8
    assert found["valet_lists_made_total",] == 5


def test_what_decisions_dropped_is_told_by_code(tmp_path: Path) -> None:
    client = tiny_client(tmp_path)
    dropped: dict[str, int] = {}
    silent = 0
    lines = b"\n".join(orjson.dumps({"customer_id": f"c{number}", "channel": "email"}) for number in range(3))
    answers = client.post("/next-best-action/batch", data=lines, content_type="application/x-ndjson").text.splitlines()
    for answer in map(orjson.loads, answers[:-1]):
        silent += answer["no_action_reason"] is not None
        for code, actions in answer["dropped"].items():
            dropped[code] = dropped.get(code, 0) + actions
    found = asked(client)
    assert dropped
    assert set(dropped) <= set(ORDER)
    assert {code: total(found, "valet_actions_dropped_total", f"code={code}") for code in dropped} == dropped
    assert total(found, "valet_decisions_without_action_total") == silent > 0
    assert total(found, "valet_decisions_total", "channel=email") == 3


def test_a_store_that_is_away_is_told_and_grows_older(tmp_path: Path) -> None:
    client = tiny_client(tmp_path, store="redis://127.0.0.1:1/0")
    client.get("/recommend?customer_id=ann")
    first = asked(client)
    assert first["valet_store_up",] == 0
    assert total(first, "valet_recommendations_total", "degraded=true") == 1
    time.sleep(0.6)
    assert asked(client)["valet_store_silent_seconds",] >= first["valet_store_silent_seconds",] + 0.5


def test_without_a_bundle_or_a_store_there_is_no_sample_of_them(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    names = {key[0] for key in asked(tiny_client(tmp_path, store="none"))}
    assert "valet_actions_info" in names
    assert not [name for name in names if name.startswith(("valet_store", "valet_model", "valet_shown"))]
