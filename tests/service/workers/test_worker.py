"""The real server at its edges: what is no request, what is too long, who may reach it, a full house, and an end that nobody notices."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import orjson
import psutil
import pytest

from tests.service.serving import Serving, call, serving
from tests.waiting import PATIENCE_S, SOON_S, until
from tests.worlds import save, tiny_models

HELD_UP_S = 10.0  # less than the thirty seconds that a thread waits for a client
LIST = "/recommend?item_id=DR-001&n=1"


def sent(service: Serving, raw: bytes) -> tuple[int, bytes, dict]:
    """Status, head and document of what a raw request is answered with."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as connection:
        connection.sendall(raw)
        answer = b""
        while part := connection.recv(1 << 16):
            answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), head, orjson.loads(body)


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"GET /recommend?n=" + b"1" * (1 << 20) + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (b"GET /recommend?n=" + b"1" * (1 << 18) + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 20_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-Many: x\r\n" * 200 + b"\r\n", 431),
        (b"\x16\x03\x01 secret-person\r\n\r\n", 400),
        (b"GET /customers/secret-person HTTP/9.9\r\n\r\n", 400),
        (b"POST /events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: secret-person\r\n\r\n", 400),
        (b"POST /events HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
        (b"GET /recommend?customer_id=secret-person\xff HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 400),
    ],
)
def test_what_is_no_request_is_a_problem_and_the_log_repeats_no_word_of_it(
    service: Serving, raw: bytes, status: int
) -> None:
    answered, head, document = sent(service, raw)
    assert (answered, document["status"]) == (status, status)
    assert b"application/problem+json" in head
    assert "secret-person" not in service.printed.read_text()


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


ASK = b"GET /recommend?item_id=DR-001&n=1 HTTP/1.1\r\nHost: x\r\n\r\n"
TELL = b"POST /events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 400\r\n\r\n{"

DOCUMENT = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
UNREAD = DOCUMENT * 400  # more than what lies between two processes
LINES = b'{"customer_id":"c"}\n' * 3_000
MAILING = (
    b"POST /recommend/batch HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\nContent-Length: %d\r\n\r\n%s"
    % (len(LINES), LINES)
)
CHUNKS = (
    b"POST /recommend/batch HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
)


@contextmanager
def clients(running: Serving, count: int, *said: bytes) -> Iterator[list[socket.socket]]:
    """Connections on each of which these were sent."""
    with ExitStack() as stack:
        made = [
            stack.enter_context(socket.create_connection(("127.0.0.1", running.port), PATIENCE_S)) for _ in range(count)
        ]
        for client in made:
            for part in said:
                client.sendall(part)
        yield made


@pytest.mark.parametrize(
    "said",
    [
        b"",
        ASK[:20],
        TELL,
        ASK.replace(b"Host", b"Connection: close\r\nHost"),  # and closes nothing itself
        DOCUMENT,
        ASK * 40,  # and reads nothing
        CHUNKS,
        b"GET /nowhere?" + b"a" * 70_000,
        b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 70000\r\n\r\n",
        TELL.replace(b" 400", b" 70000"),
        UNREAD,
        b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 1_000,
        MAILING,
    ],
    ids=[
        "nothing",
        "half a head",
        "half a body",
        "the end",
        "something for a thread",
        "many at once",
        "chunks",
        "a long head",
        "a body for nobody",
        "a long body",
        "much to read",
        "much to read of threads",
        "a mailing",
    ],
)
def test_who_is_slow_holds_up_nobody(service: Serving, said: bytes) -> None:
    with clients(service, 40, said), service.connect() as connection:
        time.sleep(0.2)
        began = time.monotonic()
        assert call(connection, "GET", LIST)[0] == 200
        assert call(connection, "GET", "/livez")[0] == 200
        assert call(connection, "GET", "/readyz")[0] == 200
        assert call(connection, "GET", "/placements")[0] == 404
        assert time.monotonic() - began < HELD_UP_S


SERVER_KEY, PUBLIC_KEY = "a-server-key-of-the-settings", "a-public-key-of-the-settings"
PAGES = CHUNKS.replace(b"/recommend/batch", b"/recommend?key=" + PUBLIC_KEY.encode())


@pytest.fixture(scope="module")
def guarded(folder: Path) -> Iterator[Serving]:
    """A service with keys."""
    keys = {"VALET_SERVER_KEY": SERVER_KEY, "VALET_PUBLIC_KEY": PUBLIC_KEY}
    (folder / "unlimited.toml").write_text("[limits]\nper_address = 0\n")
    with serving(folder, "--store", "none", "--config", "unlimited.toml", environment=keys) as running:
        yield running


@pytest.mark.parametrize(
    "said",
    [
        UNREAD,
        CHUNKS,
        PAGES,
        PAGES.replace(b"Transfer-Encoding: chunked", b"Expect: 100-continue\r\nContent-Length: 2"),
        PAGES.replace(b"Transfer-Encoding: chunked", b"Content-Length:  2"),
        b"GET /nowhere?" + b"a" * 100_000,
        b"GET /nowhere HTTP/1.1\n\n",
    ],
    ids=["much to read", "no key", "chunks", "a question", "an odd length", "a long head", "no end"],
)
def test_no_stranger_and_no_page_takes_a_thread_that_reads_the_long_bodies_of_servers(
    guarded: Serving, said: bytes
) -> None:
    lines = b'{"customer_id": "c", "n": 1}\n' * 3_000
    with clients(guarded, 40, said), guarded.connect() as connection:
        time.sleep(2)
        began = time.monotonic()
        headers = {"Authorization": f"Bearer {SERVER_KEY}", "Content-Type": "application/x-ndjson"}
        connection.request("POST", "/recommend/batch", lines, headers)
        answer = connection.getresponse()
        assert orjson.loads(answer.read().splitlines()[-1]) == {"done": True, "count": 3_000}
        assert time.monotonic() - began < HELD_UP_S


@pytest.mark.parametrize(("framing", "status"), [(b"Transfer-Encoding: chunked", 411), (b"Content-Length: 65537", 413)])
def test_a_page_is_told_how_to_send_what_is_long(guarded: Serving, framing: bytes, status: int) -> None:
    answered, _, document = sent(guarded, PAGES.replace(b"Transfer-Encoding: chunked", framing))
    assert (answered, document["status"]) == (status, status)
    assert "Content-Length" in document["detail"]


def test_who_reads_late_gets_all_of_every_answer(service: Serving) -> None:
    _, head, _ = sent(service, DOCUMENT.replace(b"Host", b"Connection: close\r\nHost"))
    (length,) = (int(line.split()[1]) for line in head.splitlines() if line.lower().startswith(b"content-length"))
    with clients(service, 3, UNREAD) as (first, second, third):
        time.sleep(0.5)
        for client in (second, third, first):
            with client.makefile("rb") as answers:
                for _ in range(400):
                    assert answers.readline() == b"HTTP/1.1 200 OK\r\n"
                    while answers.readline() != b"\r\n":
                        pass
                    assert orjson.loads(answers.read(length))["openapi"]
                client.sendall(ASK)
                assert answers.readline() == b"HTTP/1.1 200 OK\r\n"


def test_only_so_many_may_leave_their_answers_unread(folder: Path) -> None:
    few = "from service.workers import worker; from service.serve import main; worker.MOST_SENDING = 4; main([])"
    with (
        serving(folder, command=("-c", few), environment={"VALET_STORE": "none"}) as running,
        clients(running, 12, UNREAD),
        running.connect() as there,
    ):
        assert call(there, "GET", LIST)[0] == 200
        until(lambda: connections(running) == 6, within_s=HELD_UP_S)  # four, this one, and the one it listens on


SMUGGLED = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize(
    "chunks",
    [b"5 \r\nabcde\r\n", b"0x22\r\n", b"5\r\nabcdeXX", b"2\r\n{}\r\n0\r\nHost: a\r\n\r\n"],
    ids=["a blank", "a sign", "no end of a chunk", "a head behind it"],
)
def test_what_follows_a_broken_body_is_no_request(service: Serving, chunks: bytes, *, together: bool) -> None:
    said = CHUNKS.replace(b"/recommend/batch", b"/events") + chunks
    with (
        clients(service, 1, *([said + SMUGGLED] if together else [said])) as (client,),
        client.makefile("rb") as answers,
    ):
        assert answers.readline().split()[1] == b"400"
        if not together:
            client.sendall(SMUGGLED)
        assert b"HTTP/1.1" not in answers.read()  # up to its end


def test_nobody_keeps_the_room_of_others_by_saying_nothing(folder: Path) -> None:
    narrow = (
        "from gunicorn.config import WorkerConnections; WorkerConnections.default = 50; "
        "from service.serve import main; main([])"
    )
    with (
        serving(folder, command=("-c", narrow), environment={"VALET_STORE": "none"}) as running,
        running.connect() as there,
    ):
        assert call(there, "GET", LIST)[0] == 200
        with clients(running, 40), clients(running, 40, ASK[:20]):
            time.sleep(0.5)
            began = time.monotonic()
            assert call(there, "GET", LIST)[0] == 200
            assert running.get(LIST)[0] == 200
            assert time.monotonic() - began < HELD_UP_S


def test_who_has_asked_is_answered_even_where_others_need_the_room_at_the_same_moment(folder: Path) -> None:
    narrow = (
        "from gunicorn.config import WorkerConnections; WorkerConnections.default = 20; "
        "from service.serve import main; main([])"
    )
    environment = {"VALET_STORE": "none", "VALET_THREADS": "1"}
    with serving(folder, command=("-c", narrow), environment=environment) as running, ExitStack() as stack:
        until = time.monotonic() + PATIENCE_S
        while connections(running) > 1:  # the one it listens on
            assert time.monotonic() < until
        there = stack.enter_context(clients(running, 19))
        for client in there:
            client.sendall(ASK)
            assert client.recv(1 << 16).startswith(b"HTTP/1.1 200 OK")
        time.sleep(0.5)
        (worker,) = psutil.Process(running.process.pid).children()
        worker.suspend()
        stack.enter_context(clients(running, 1))
        there[0].sendall(ASK)
        worker.resume()
        assert there[0].recv(1 << 16).startswith(b"HTTP/1.1 200 OK")


def test_nobody_keeps_the_room_of_others_by_asking_all_at_once_and_reading_nothing(folder: Path) -> None:
    narrow = (
        "from gunicorn.config import WorkerConnections; WorkerConnections.default = 20; "
        "from service.serve import main; main([])"
    )
    with serving(folder, command=("-c", narrow), environment={"VALET_STORE": "none"}) as running:
        (worker,) = psutil.Process(running.process.pid).children()
        worker.suspend()
        with clients(running, 40, UNREAD):
            worker.resume()
            time.sleep(2)
            began = time.monotonic()
            assert running.get(LIST)[0] == 200
            assert time.monotonic() - began < 3 * HELD_UP_S  # others have thrice as long to read


def test_a_request_that_comes_byte_by_byte_is_answered(service: Serving) -> None:
    with clients(service, 1) as (client,):
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for place in range(len(ASK)):
            client.sendall(ASK[place : place + 1])
        assert client.recv(1 << 16).startswith(b"HTTP/1.1 200 OK")


def statuses(client: socket.socket, count: int) -> list[int]:
    """Of so many answers, in their order."""
    found = []
    with client.makefile("rb") as answers:
        for _ in range(count):
            found.append(int(answers.readline().split()[1]))
            head = dict(line.rstrip().split(b": ", 1) for line in iter(answers.readline, b"\r\n"))
            answers.read(int(head[b"Content-Length"]))
    return found


def test_requests_that_come_together_are_answered_one_behind_the_other(service: Serving) -> None:
    paths = [b"/recommend?item_id=DR-001&n=1", b"/livez", b"/recommend?item_id=none", b"/nowhere", b"/recommend?n=x"]
    asked = [b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path for path in paths]
    with clients(service, 1, b"".join(asked)) as (client,):
        assert statuses(client, 5) == [200, 200, 200, 404, 422]


def test_a_head_that_others_may_see_end_elsewhere_is_refused_and_nothing_behind_it_is_answered(
    service: Serving,
) -> None:
    said = b"GET /livez HTTP/1.1\r\nHost: x\r\nX: y\n\r\nGET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n"
    with clients(service, 1, ASK + said + ASK) as (client,), client.makefile("rb") as answers:
        found = re.findall(rb"HTTP/1\.1 (\d+) ", answers.read())  # up to its end
    assert found == [b"200", b"400"]


def test_who_asks_a_while_after_she_came_is_answered_however_short_connections_are_kept(folder: Path) -> None:
    environment = {"VALET_STORE": "none", "GUNICORN_CMD_ARGS": "--keep-alive 0"}
    with serving(folder, environment=environment) as running, clients(running, 1) as (client,):
        time.sleep(1.5)
        client.sendall(ASK)
        assert client.recv(1 << 16).startswith(b"HTTP/1.1 200 OK")


def test_more_clients_than_files_may_be_open_wait_and_nobody_who_is_there_notices(folder: Path) -> None:
    limited = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100)); from service.serve import main; main([])"
    with serving(folder, command=("-c", limited), environment={"VALET_STORE": "none"}) as running:
        workers = psutil.Process(running.process.pid).children()
        with running.connect() as there:
            assert call(there, "GET", LIST)[0] == 200
            with clients(running, 120):
                time.sleep(0.5)
                assert call(there, "GET", LIST)[0] == 200
        assert running.get(LIST)[0] == 200
        assert psutil.Process(running.process.pid).children() == workers
        assert "no connection can be taken for now" in running.printed.read_text()


def test_clients_that_break_off_leave_nothing_behind(folder: Path) -> None:
    with serving(folder, environment={"VALET_STORE": "none"}) as running:
        before = connections(running)
        for _ in range(40):
            with clients(running, 20, ASK) as made:
                for client in made:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset
        assert running.get(LIST)[0] == 200
        until(lambda: connections(running) <= before)
        assert "failed" not in running.printed.read_text()


def test_who_is_too_slow_to_ask_or_to_close_is_left(folder: Path) -> None:
    hurried = (
        "from service.workers import connection, worker; from service.serve import main; "
        "worker.SLOWEST_S = worker.PARTING_S = worker.SENDING_S = connection.SILENT_S = 1; main([])"
    )
    with serving(folder, command=("-c", hurried), environment={"VALET_STORE": "none"}) as running:
        began = time.monotonic()
        with (
            clients(running, 2, ASK[:20]) as (silent, slow),
            clients(running, 1, ASK.replace(b"Host", b"Connection: close\r\nHost")) as (parting,),
            clients(running, 1, CHUNKS) as (telling,),
            clients(running, 1, UNREAD),
            clients(running, 1, TELL.replace(b" 400", b" 70000")) as (dripping,),
        ):
            while time.monotonic() < began + PATIENCE_S:
                try:
                    slow.sendall(b"x")
                    dripping.sendall(b"x")
                except OSError:
                    break
                time.sleep(0.1)
            assert silent.recv(1) == b""
            assert 0.8 < time.monotonic() - began < 20
            assert telling.recv(1 << 16).startswith(b"HTTP/1.1 408 ")
            assert dripping.recv(1 << 16).startswith(b"HTTP/1.1 408 ")
            assert parting.recv(1 << 16).startswith(b"HTTP/1.1 200 OK")
            until(lambda: connections(running) == 1)  # the one it listens on


def connections(running: Serving) -> int:
    """Sockets that the worker has open."""
    (worker,) = psutil.Process(running.process.pid).children()
    return len(worker.net_connections("tcp"))


def stop(running: Serving, how: signal.Signals) -> None:
    """As an orchestrator does it, or a terminal, which tells all processes."""
    master = psutil.Process(running.process.pid)
    for process in (master, *master.children()) if how is signal.SIGINT else (master,):
        process.send_signal(how)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_long_answer_that_has_begun_is_sent_to_its_end(folder: Path, how: signal.Signals) -> None:
    lines = b"".join(b'{"customer_id": "c%d", "n": 10}\n' % number for number in range(600))
    with serving(folder, "--store", "none") as running, running.connect() as connection:
        connection.request("POST", "/recommend/batch", lines, {"Content-Type": "application/x-ndjson"})
        answer = connection.getresponse()
        assert orjson.loads(answer.readline())["line"] == 1
        stop(running, how)
        *_, last = answer.read().splitlines()
        assert orjson.loads(last) == {"done": True, "count": 600}
        assert running.process.wait(PATIENCE_S) == 0


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_an_answer_that_nobody_read_yet_when_it_stops_is_sent_to_its_end(folder: Path, how: signal.Signals) -> None:
    with serving(folder, "--store", "none") as running, clients(running, 1, UNREAD) as (client,):
        time.sleep(1)
        stop(running, how)
        time.sleep(0.5)
        with client.makefile("rb") as answers:
            while line := answers.readline():
                assert line == b"HTTP/1.1 200 OK\r\n"
                head = dict(line.rstrip().split(b": ", 1) for line in iter(answers.readline, b"\r\n"))
                assert orjson.loads(answers.read(int(head[b"Content-Length"])))["openapi"]
        assert running.process.wait(PATIENCE_S) == 0


def test_stopped_it_finishes_what_it_began_and_waits_for_no_idle_connection(folder: Path) -> None:
    store = {"VALET_STORE": "sqlite:///stop.db?timeout_ms=10000"}
    with serving(folder, "--workers", "2", environment=store) as running, ExitStack() as stack:
        idle = stack.enter_context(running.connect())
        assert call(idle, "GET", LIST)[0] == 200
        kept: list[tuple[int, str]] = []

        def tell(number: int) -> None:
            with running.connect() as connection:
                for nth in range(1_000):
                    event = {
                        "event": "view_item",
                        "session_id": "s",
                        "item_id": "DR-001",
                        "event_id": f"{number}-{nth}",
                    }
                    try:
                        status, _ = call(connection, "POST", "/events", orjson.dumps(event))
                    except OSError:
                        return
                    kept.append((status, event["event_id"]))

        tellers = [threading.Thread(target=tell, args=(number,)) for number in range(4)]
        for teller in tellers:
            teller.start()
        until(lambda: len(kept) >= 20)
        began = time.monotonic()
        stop(running, signal.SIGTERM)
        assert running.process.wait(PATIENCE_S) == 0
        assert time.monotonic() - began < 20  # an idle connection alone would make it 30
        for teller in tellers:
            teller.join()
        told = running.printed.read_text().count('"route":"/events","status":200')
    assert kept
    assert told >= len(kept)  # no line of the log is lost either
    assert {status for status, _ in kept} == {200}
    with serving(folder, environment=store) as running, running.connect() as connection:
        export = call(connection, "GET", "/customers/session%3As/export")[1]
    assert all(event_id in str(export) for _, event_id in kept)


def test_a_request_that_is_on_its_way_when_it_stops_is_answered_and_who_never_sends_the_rest_is_not_waited_for(
    folder: Path,
) -> None:
    body = orjson.dumps({"event": "view_item", "session_id": "s", "item_id": "DR-001"})
    head = TELL.removesuffix(b"{").replace(b" 400", b" %d" % len(body))
    with (
        serving(folder) as running,
        clients(running, 1, head) as (told,),
        clients(running, 1, head, body[:10]) as (half,),
        clients(running, 1, ASK[:20]) as (asked,),
        clients(running, 1, TELL),
    ):
        time.sleep(0.5)
        stop(running, signal.SIGTERM)
        began = time.monotonic()
        time.sleep(0.5)
        for client, rest in ((told, body), (half, body[10:]), (asked, ASK[20:])):
            client.sendall(rest)
            assert client.recv(1 << 16).startswith(b"HTTP/1.1 200 OK")
        assert running.process.wait(20) == 0
        assert time.monotonic() - began < 15


@pytest.fixture
def secured(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Serving, ssl.SSLSocket]]:
    """A service with TLS, and a connection to it."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "2"]
    subprocess.run([*made, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    trusting = ssl.create_default_context(cafile=str(certificate))

    def up(running: Serving) -> None:
        until = time.monotonic() + PATIENCE_S
        while "Booting worker" not in running.printed.read_text():
            assert time.monotonic() < until

    monkeypatch.setattr("tests.service.serving._wait", up)  # which asks without TLS
    flags = {"VALET_STORE": "none", "GUNICORN_CMD_ARGS": f"--certfile {certificate} --keyfile {key}"}
    with (
        serving(folder, environment=flags) as running,
        socket.create_connection(("127.0.0.1", running.port), SOON_S) as plain,
        trusting.wrap_socket(plain, server_hostname="localhost") as client,
    ):
        yield running, client


def test_with_tls_it_waits_for_no_idle_connection_either(secured: tuple[Serving, ssl.SSLSocket]) -> None:
    running, idle = secured
    idle.sendall(ASK)
    assert idle.recv(1 << 16).startswith(b"HTTP/1.1 200 OK")
    time.sleep(0.5)
    began = time.monotonic()
    assert running.stop() == 0
    assert time.monotonic() - began < 15


def test_with_tls_requests_that_come_together_are_answered_too(secured: tuple[Serving, ssl.SSLSocket]) -> None:
    _, client = secured
    padded = SMUGGLED.replace(b"Host: x", b"Host: " + b"x" * (65 - len(SMUGGLED)))
    assert len(padded) == 64  # what the parser reads at once ends where one of them does, and TLS holds the others
    client.sendall(padded * 256)
    assert statuses(client, 256) == [200] * 256
