"""Clients that send slowly, do not read, do not close, or are too many: nobody else waits for them."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import orjson
import psutil
import pytest

from tests.service.serving import Serving, call, serving
from tests.service.workers.clients import (
    ASK,
    CHUNKS,
    DOCUMENT,
    HELD_UP_S,
    LIST,
    MAILING,
    PUBLIC_KEY,
    SERVER_KEY,
    TELL,
    UNREAD,
    clients,
    connections,
    sent,
)
from tests.waiting import PATIENCE_S, until


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
