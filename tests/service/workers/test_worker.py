"""Workers of a machine: who may reach them, what they share, and a full house."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import orjson

from tests.service.serving import Serving, serving
from tests.service.workers.clients import LIST, SERVER_KEY
from tests.waiting import PATIENCE_S, SOON_S, until
from tests.worlds import save, tiny_models


def test_others_are_not_served_without_keys_and_are_with_one(folder: Path) -> None:
    started = subprocess.run(
        [sys.executable, "-m", "service.serve", "--host", "0.0.0.0", "--port", "0"],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if not name.startswith("VALET_")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert started.returncode == 2
    assert "valet-serve keys create" in started.stderr
    keys = {"VALET_SERVER_KEY": SERVER_KEY}
    with serving(folder, "--host", "0.0.0.0", "--store", "none", environment=keys) as running:
        assert running.get(LIST)[0] == 401
        with running.connect() as connection:
            connection.request("GET", LIST, headers={"Authorization": f"Bearer {SERVER_KEY}"})
            assert connection.getresponse().status == 200


def test_a_key_is_made_rotated_and_revoked_while_the_service_runs(tmp_path: Path) -> None:
    save(tmp_path / "models" / "trained", "one", tiny_models())

    def keys(*arguments: str) -> str:
        command = [sys.executable, "-m", "service.serve", "keys", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True).stdout

    def status(running: Serving, text: str) -> int:
        with running.connect() as connection:
            connection.request("GET", LIST, headers={"Authorization": f"Bearer {text}"})
            return connection.getresponse().status

    def everywhere(running: Serving, wanted: dict[str, int]) -> float:
        """Seconds until six rounds in a row, over new connections, are answered so: by both workers."""
        began = last_wrong = time.monotonic()
        right = 0
        while right < 6:
            asked = time.monotonic()
            assert asked - began < PATIENCE_S
            found = {text: status(running, text) for text in wanted}
            if 429 in found.values():  # too many wrong keys at once: it says nothing of these
                time.sleep(2)
                continue
            right = right + 1 if found == wanted else 0
            if not right:
                last_wrong = asked
                time.sleep(0.1)
        return last_wrong - began

    first = keys("create", "--scope", "server").strip()
    with serving(tmp_path, "--workers", "2") as running:
        assert everywhere(running, {first: 200, "other": 401}) < SOON_S
        key_id = first.split("_")[2]
        second = keys("rotate", key_id, "--overlap", "86400").strip()
        assert everywhere(running, {first: 200, second: 200}) < SOON_S
        keys("revoke", key_id)
        assert everywhere(running, {first: 401, second: 200}) < SOON_S


def test_the_workers_of_a_machine_share_a_limit(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "limited.toml").write_text('[browser]\nkey = "pk"\n[limits]\nper_address = 1\nburst_seconds = 20\n')
    flags = ("--workers", "2", "--store", "none", "--config", str(tmp_path / "limited.toml"))
    with serving(folder, *flags) as running:
        began = time.monotonic()
        answers = Counter(running.get(f"{LIST}&key=pk")[0] for _ in range(40))
        took_s = time.monotonic() - began
    assert 20 <= answers[200] <= 21 + took_s
    assert answers[200] + answers[429] == 40


def test_a_full_house_turns_away_at_once_and_answers_the_others_in_time(folder: Path) -> None:
    environment = {"VALET_PATIENCE_MS": "50", "VALET_STORE": "none"}
    with serving(folder, "--threads", "1", environment=environment) as running:
        taken: list[tuple[int, str | None, float]] = []

        def ask() -> None:
            with running.connect() as connection:
                for _ in range(4):
                    began = time.monotonic()
                    body = orjson.dumps({"requests": [{"intent": "for_you", "customer_id": "c", "n": 100}] * 20})
                    connection.request("POST", "/recommend/batch", body, {"Content-Type": "application/json"})
                    answer = connection.getresponse()
                    answer.read()
                    taken.append((answer.status, answer.getheader("Retry-After"), time.monotonic() - began))

        clients = [threading.Thread(target=ask) for _ in range(48)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        assert running.get("/livez")[0] == 200
        until(lambda: running.get(LIST)[0] == 200)  # 50 ms are soon over
        counts = running.get("/metrics")[1]
    found = Counter(status for status, _, _ in taken)
    assert found[200] > 0
    assert found[503] > 0
    assert set(found) == {200, 503}
    assert {again for status, again, _ in taken if status == 503} == {"1"}
    assert f'valet_requests_total{{method="POST",route="/recommend/batch",status="503"}} {found[503]}.0' in counts
    assert f'valet_request_seconds_count{{route="/recommend/batch"}} {found.total()}.0' in counts
    lines = [orjson.loads(line) for line in running.printed.read_text().splitlines() if '"event":"request"' in line]
    told = Counter(line["status"] for line in lines if line["route"] == "/recommend/batch")
    assert told == found
    assert all(line["ms"] >= 50 for line in lines if line["status"] == 503)
