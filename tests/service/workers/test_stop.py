"""A stop: what began ends, what is on its way is waited for, and nobody else is."""

from __future__ import annotations

import signal
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import orjson
import psutil
import pytest

from tests.service.serving import Serving, call, serving
from tests.service.workers.clients import ASK, LIST, TELL, UNREAD, clients
from tests.waiting import PATIENCE_S, until


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
