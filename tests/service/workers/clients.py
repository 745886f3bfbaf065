"""Clients of a real server, and what they say to it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import orjson
import psutil

from tests.service.serving import Serving
from tests.waiting import PATIENCE_S

HELD_UP_S = 10.0  # less than the thirty seconds that a thread waits for a client
LIST = "/recommend?item_id=DR-001&n=1"
SERVER_KEY, PUBLIC_KEY = "a-server-key-of-the-settings", "a-public-key-of-the-settings"
ASK = b"GET /recommend?item_id=DR-001&n=1 HTTP/1.1\r\nHost: x\r\n\r\n"
TELL = b"POST /events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 400\r\n\r\n{"

ALIVE = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
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


def sent(service: Serving, raw: bytes) -> tuple[int, bytes, dict]:
    """Status, head and document of what a raw request is answered with."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as connection:
        connection.sendall(raw)
        answer = b""
        while part := connection.recv(1 << 16):
            answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), head, orjson.loads(body)


def connections(running: Serving) -> int:
    """Sockets that the worker has open."""
    (worker,) = psutil.Process(running.process.pid).children()
    return len(worker.net_connections("tcp"))


def statuses(client: socket.socket, count: int) -> list[int]:
    """Of so many answers, in their order."""
    found = []
    with client.makefile("rb") as answers:
        for _ in range(count):
            found.append(int(answers.readline().split()[1]))
            head = dict(line.rstrip().split(b": ", 1) for line in iter(answers.readline, b"\r\n"))
            answers.read(int(head[b"Content-Length"]))
    return found
