import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

import orjson
import pytest

from tests.service.serving import Serving, call, serving
from tests.waiting import PATIENCE_S, SOON_S
from tests.worlds import save, tiny_models

DRESS = "/recommend?item_id=DR-001&intent=complementary"


def test_answers_black_shoes_over_a_connection_that_stays_open(service: Serving) -> None:
    with service.connect() as connection:
        for _ in range(3):
            status, answer = call(connection, "GET", DRESS)
            assert (status, answer["items"][0]["item_id"]) == (200, "SH-014")
            assert connection.sock is not None


BODY = orjson.dumps({"item_ids": ["DR-001"], "intent": "complementary"})
HEAD = b"POST %b HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
READ, UNREAD = (HEAD % (path, len(BODY)) for path in (b"/recommend", b"/nowhere"))
ASKED = f"GET {DRESS} HTTP/1.1\r\nHost: shop\r\n\r\n".encode()


def answered(wire: BinaryIO) -> tuple[int, Any]:
    """Status and document of the next answer on a connection."""
    status = int(wire.readline().split()[1])
    head = dict(line.split(b": ", 1) for line in iter(wire.readline, b"\r\n"))
    return status, orjson.loads(wire.read(int(head[b"Content-Length"])))


@pytest.mark.parametrize(("head", "status"), [(READ, 200), (UNREAD, 404)], ids=["read", "unread"])
@pytest.mark.parametrize("pause_s", [0.0, 0.1])
def test_what_comes_with_a_body_is_answered_whether_or_not_the_body_was_read(
    service: Serving, head: bytes, status: int, pause_s: float
) -> None:
    with (
        closing(socket.create_connection(("127.0.0.1", service.port), timeout=20)) as client,
        client.makefile("rb") as wire,
    ):
        for _ in range(3):
            client.sendall(head)
            time.sleep(pause_s)  # whether the head comes alone
            client.sendall(BODY + ASKED + ASKED)
            assert answered(wire)[0] == status
            assert [answered(wire)[1]["items"][0]["item_id"] for _ in range(2)] == ["SH-014", "SH-014"]


@pytest.mark.parametrize("item_id", ["☂" * 1_000, "a/b c?d#e&f=g%h", "รองเท้า", "\t", ".."])
def test_an_id_is_any_characters_on_the_wire(service: Serving, item_id: str) -> None:
    status, answer = service.get(f"/recommend?item_id={quote(item_id, safe='')}")
    assert (status, answer["missing_ids"]) == (200, [item_id])


def test_an_event_at_one_worker_counts_in_the_next_answer_of_every_worker(service: Serving) -> None:
    event = orjson.dumps({"event": "view_item", "customer_id": "everywhere", "item_id": "DR-002"})
    with service.connect() as connection:
        assert call(connection, "POST", "/events", event)[0] == 200
    first = {service.get("/recommend?customer_id=everywhere")[1]["items"][0]["item_id"] for _ in range(20)}
    assert first == {"SH-015"}


def test_a_client_that_sends_a_whole_batch_before_it_reads_is_answered(service: Serving) -> None:
    lines = b'{"item_ids": ["DR-001"], "n": 1}\n' * 3_000
    with service.connect() as connection:
        connection.request(
            "POST", "/recommend/batch", iter([lines]), {"Content-Type": "application/x-ndjson"}, encode_chunked=True
        )
        answers = connection.getresponse().read().splitlines()
    assert len(answers) == 3_001
    assert orjson.loads(answers[-1]) == {"done": True, "count": 3_000}


def test_a_client_that_goes_away_ends_the_work(service: Serving) -> None:
    def listed() -> float:
        return sum(
            map(float, re.findall(r"^valet_recommendations_total\{.*\} (\S+)", service.get("/metrics")[1], re.M))
        )

    lines = b'{"item_ids": ["DR-001"], "n": 10, "explain": "full"}\n' * 100_000
    before = listed()
    with service.connect() as connection:
        connection.request("POST", "/recommend/batch", lines, {"Content-Type": "application/x-ndjson"})
        assert connection.getresponse().read(1_000).startswith(b'{"line":1,')
    deadline = time.monotonic() + PATIENCE_S
    while (done := listed()) != (time.sleep(0.5) or listed()):
        assert time.monotonic() < deadline
    assert done - before < 90_000


def test_a_body_that_is_too_large_is_413_even_in_chunks(service: Serving) -> None:
    body = iter([b'{"item_ids": ["'] + [b"x" * 65_536] * 20 + [b'"]}'])
    with service.connect() as connection:
        connection.request("POST", "/recommend", body, {"Content-Type": "application/json"}, encode_chunked=True)
        with connection.getresponse() as answer:
            assert (answer.status, answer.getheader("Content-Type")) == (413, "application/problem+json")


def test_metrics_are_summed_over_the_workers(service: Serving) -> None:
    def counted() -> float:
        text = service.get("/metrics")[1]
        found = re.search(r'valet_requests_total\{method="GET",route="/models",status="200"\} (\S+)', text)
        return float(found[1]) if found else 0.0

    before = counted()
    for _ in range(20):
        service.get("/models")
    assert {counted() - before for _ in range(10)} == {20.0}


def test_a_new_bundle_answers_within_two_seconds_and_no_request_fails(folder: Path, service: Serving) -> None:
    answers: list[tuple[float, int, str]] = []
    done = threading.Event()

    def load() -> None:
        with service.connect() as connection:
            while not done.is_set():
                status, answer = call(connection, "GET", DRESS)
                answers.append((time.monotonic(), status, answer["model_version"]))

    clients = [threading.Thread(target=load) for _ in range(4)]
    for client in clients:
        client.start()
    time.sleep(0.3)
    switching = time.monotonic()
    save(folder / "models" / "trained", "two", tiny_models())
    switched = time.monotonic()
    while {version for _, _, version in answers[-100:]} != {"two"} and time.monotonic() < switched + SOON_S:
        time.sleep(0.01)
    done.set()
    for client in clients:
        client.join()
    assert {status for _, status, _ in answers} == {200}
    assert {version for ended, _, version in answers if ended < switching} <= {"one"}
    assert {version for _, _, version in answers[-100:]} == {"two"}


def test_stops_gently_and_leaves_nothing_behind(folder: Path) -> None:
    with serving(folder, "--store", "none", environment={"TMPDIR": str(folder)}) as running:
        assert list(folder.glob("valet-metrics-*"))
        assert running.stop() == 0
    assert not list(folder.glob("valet-metrics-*"))


@pytest.mark.parametrize(
    ("flags", "environment"),
    [(("--workers", "1"), {"VALET_WORKERS": "many"}), ((), {"GUNICORN_CMD_ARGS": "--threads 3 --worker-tmp-dir ."})],
)
def test_flags_win_over_the_environment_and_gunicorn_s_own_are_honoured(
    folder: Path, flags: tuple[str, ...], environment: dict[str, str]
) -> None:
    with serving(folder, *flags, environment={"VALET_STORE": "none", **environment}) as running:
        assert running.get(DRESS)[1]["items"][0]["item_id"] == "SH-014"
        if not flags:
            assert "Using worker: service.workers.worker.Worker" in running.printed.read_text()


def test_gunicorn_s_own_options_win(folder: Path) -> None:
    with serving(
        folder, "--port", "1", environment={"GUNICORN_CMD_ARGS": "--bind 127.0.0.1:PORT", "VALET_STORE": "none"}
    ) as running:
        assert running.get("/readyz")[0] == 200


@pytest.mark.parametrize("flags", [(), ("--preload",)])
def test_gunicorn_alone_serves_it_too(folder: Path, flags: tuple[str, ...]) -> None:
    command = ("-m", "gunicorn", "service:create_app()", "--bind", "127.0.0.1:PORT", "--no-control-socket")
    with serving(folder, *flags, command=command, environment={"VALET_STORE": "none"}) as running:
        assert running.get(DRESS)[1]["items"][0]["item_id"] == "SH-014"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--port", "http"), "VALET_PORT='http'"),
        (("--config", "nothing.toml"), "nothing.toml cannot be read"),
        (("--store", "mysql://x"), "mysql"),
    ],
)
def test_what_cannot_be_used_stops_the_start_with_2_and_one_line(
    folder: Path, flags: tuple[str, ...], message: str
) -> None:
    stopped = subprocess.run(
        [sys.executable, "-m", "service.serve", *flags],
        cwd=folder,
        env={**os.environ, "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert stopped.returncode == 2
    assert message in stopped.stderr
    assert "Traceback" not in stopped.stderr
    assert not list(folder.glob("valet-metrics-*"))


def test_the_demo_prints_three_calls_that_work(tmp_path: Path) -> None:
    demo = tmp_path / "demo"
    save(demo / "models", "one", tiny_models())
    (demo / "curl.txt").write_text(
        "curl -s 'http://localhost:8000/recommend?item_id=DR-001&n=1'\n"
        "curl -s 'http://localhost:8000/recommend?customer_id=c&n=1'\n"
        'curl -s http://localhost:8000/recommend -H \'Content-Type: application/json\' -d \'{"item_ids": ["DR-001"], "n": 1}\'\n'
    )
    with serving(tmp_path, "--demo", str(demo)) as running:
        calls = [line for line in running.printed.read_text().splitlines() if line.startswith("curl ")]
        assert len(calls) == 3
        assert all(f"http://localhost:{running.port}/" in line for line in calls)
        if shutil.which("curl"):
            for line in calls:
                answer = subprocess.run(
                    [*shlex.split(line), "--noproxy", "*"], capture_output=True, check=True, timeout=30
                ).stdout
                assert orjson.loads(answer)["items"]
    assert (demo / "valet.db").is_file()
