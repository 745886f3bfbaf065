"""The audit of a running service: whole, changed or cut, replayed, and after an erasure; with the exit code a job can go by."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from redis import Redis

from service.decisions import audit
from tests.conftest import PATIENCE_MS
from tests.service.http.apps import tiny_client
from tests.worlds import NOW

DAY_S = 86_400


@pytest.fixture
def decided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which a service made ten decisions for five customers."""
    client = tiny_client(tmp_path, audit=tmp_path / "audit")
    for number in range(10):
        body = {"customer_id": f"c{number % 5}", "channel": "website", "seed": number}
        assert client.post("/next-best-action", json=body).status_code == 200
    for name in [name for name in os.environ if name.startswith("VALET_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("VALET_STORE", f"sqlite:///{tmp_path / 'valet.db'}")
    monkeypatch.setenv("VALET_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setenv("VALET_AUDIT", str(tmp_path / "audit"))
    monkeypatch.setenv("VALET_NOW", str(NOW))
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *flags: str) -> tuple[int, list[str]]:
    code = audit.main(flags)
    return code, capsys.readouterr().out.splitlines()


def test_a_log_that_nobody_touched_is_whole_and_every_decision_comes_out_the_same(decided, capsys):
    code, lines = run(capsys, "--replay")
    assert code == audit.WHOLE
    assert lines[-3:] == ["1 chains, 10 decisions, 1 anchors", "records whole: 10", "replayed, same: 10"]


def test_erasure_empties_her_records_answers_410_and_the_chain_still_holds(decided, capsys):
    client = tiny_client(decided, audit=decided / "audit")
    made = client.post("/next-best-action", json={"customer_id": "c1", "channel": "website"}).json["decision_id"]
    assert client.delete("/customers/c1").status_code == 200
    assert client.get(f"/decisions/{made}").status_code == 410
    code, lines = run(capsys, "--replay")
    assert code == audit.WHOLE
    assert lines[-3:] == ["records emptied: 3", "records whole: 8", "replayed, same: 8"]


def test_a_changed_line_and_a_missing_chain_are_faults(decided, capsys):
    (path,) = (decided / "audit").glob("*.jsonl")
    text = path.read_bytes()
    path.write_bytes(text.replace(b'"n":3,', b'"n":4,'))
    code, lines = run(capsys)
    assert (code, lines[-1].endswith(":3: the chain is broken here")) == (audit.CHANGED, True)
    path.unlink()
    code, lines = run(capsys)
    assert (code, lines[-1].endswith("the whole chain is missing")) == (audit.CHANGED, True)


def test_without_a_log_there_is_nothing_to_verify(decided, capsys, monkeypatch):
    monkeypatch.setenv("VALET_AUDIT", "none")
    assert audit.main([]) == audit.UNUSABLE
    assert "nothing to verify" in capsys.readouterr().err


def test_decisions_and_chains_are_kept_as_many_days_as_the_settings_say(redis_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "audit"
    folder.mkdir()
    for days in (2, 4):
        (folder / f"{days}.jsonl").touch()
        os.utime(folder / f"{days}.jsonl", (NOW - days * DAY_S, NOW - days * DAY_S))
    client = tiny_client(tmp_path, store=f"{redis_url}?timeout_ms={PATIENCE_MS}", audit=folder, audit_days=3)
    made = client.post("/next-best-action", json={"customer_id": "c1", "channel": "website"}).json["decision_id"]
    with Redis.from_url(redis_url) as redis:
        [anchor] = redis.keys("document:anchor:*")
        for kept in (f"document:decision:{made}", anchor):
            assert 3 * DAY_S - 60 < redis.ttl(kept) <= 3 * DAY_S
    assert not (folder / "4.jsonl").exists()
    assert (folder / "2.jsonl").exists()
