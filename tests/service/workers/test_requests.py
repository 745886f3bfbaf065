"""Requests at their edges: what is none, what is too long, where one ends, and what comes together."""

from __future__ import annotations

import re
import socket
import time
from pathlib import Path

import pytest

from tests.service.serving import Serving, serving
from tests.service.workers.clients import ALIVE, ASK, CHUNKS, clients, sent, statuses


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


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize(
    "chunks",
    [b"5 \r\nabcde\r\n", b"0x22\r\n", b"5\r\nabcdeXX", b"2\r\n{}\r\n0\r\nHost: a\r\n\r\n"],
    ids=["a blank", "a sign", "no end of a chunk", "a head behind it"],
)
def test_what_follows_a_broken_body_is_no_request(service: Serving, chunks: bytes, *, together: bool) -> None:
    said = CHUNKS.replace(b"/recommend/batch", b"/events") + chunks
    with clients(service, 1, *([said + ALIVE] if together else [said])) as (client,), client.makefile("rb") as answers:
        assert answers.readline().split()[1] == b"400"
        if not together:
            client.sendall(ALIVE)
        assert b"HTTP/1.1" not in answers.read()  # up to its end


def test_a_request_that_comes_byte_by_byte_is_answered(service: Serving) -> None:
    with clients(service, 1) as (client,):
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for place in range(len(ASK)):
            client.sendall(ASK[place : place + 1])
        assert client.recv(1 << 16).startswith(b"HTTP/1.1 200 OK")


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
