"""Driving a server: as fast as it answers on a few kept connections (wrk where it is installed), or at a given rate (always our own client)."""

from __future__ import annotations

import http.client
import itertools
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import orjson

CONNECTIONS = 8
KEY = "a-key-of-the-benchmark-of-serving"  # of a server: every request shows it
PATIENCE_S = 60.0
PERCENTILES = (50, 90, 99)
SCRIPT = """
local all, nth = {}, 0
for question in io.open("QUESTIONS", "rb"):read("*a"):gmatch("[^%z]+") do all[#all + 1] = question end
request = function() nth = nth % #all + 1; return all[nth] end
done = function(summary, latency)
  local errors = summary.errors
  io.write(string.format('\\n{"count":%d,"seconds":%f,"failed":%d,"ms":[%f,%f,%f]}\\n', summary.requests, summary.duration / 1e6,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50) / 1e3, latency:percentile(90) / 1e3, latency:percentile(99) / 1e3))
end
"""


@dataclass(frozen=True)
class Driven:
    """What came of it: requests answered in so many seconds, those that failed, and p50, p90, p99 in milliseconds."""

    count: int
    seconds: float
    failed: int
    ms: tuple[float, ...]

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.count / self.seconds


def get(path: str) -> bytes:
    """A raw GET."""
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {KEY}\r\n\r\n".encode()


def post(path: str, document: object, media_type: str = "application/json") -> bytes:
    """A raw POST of a JSON document, or of bytes as they are."""
    body = document if isinstance(document, bytes) else orjson.dumps(document)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {KEY}\r\n"
        f"Content-Type: {media_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def saturate(port: int, questions: Sequence[bytes], *, seconds: float) -> Driven:
    """As fast as it answers: CONNECTIONS connections, one question after the other on each."""
    wrk = shutil.which("wrk")
    if wrk is None:
        return paced(port, questions, seconds=seconds, rate=None)
    with TemporaryDirectory(prefix="valet-wrk-") as folder:
        written, script = Path(folder) / "questions", Path(folder) / "script.lua"
        written.write_bytes(b"\0".join(questions))
        script.write_text(SCRIPT.replace("QUESTIONS", str(written)), encoding="utf-8")
        command = [
            wrk,
            "-t1",
            f"-c{CONNECTIONS}",
            f"-d{max(round(seconds), 1)}s",
            "--timeout",
            f"{PATIENCE_S:.0f}s",
            "-s",
            str(script),
            f"http://127.0.0.1:{port}",
        ]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    told = orjson.loads(printed.rstrip().rpartition("\n")[2])
    return Driven(told["count"], told["seconds"], told["failed"], tuple(told["ms"]))


def paced(port: int, questions: Sequence[bytes], *, seconds: float, rate: float | None) -> Driven:
    """At `rate` requests a second, evenly spaced; None: as fast as it answers. A late answer makes those behind it late: they count from when
    they were due."""
    began = time.perf_counter() + 0.05
    clients = [
        _Client(port, [*questions[nth:], *questions[:nth]], nth, began, seconds, rate) for nth in range(CONNECTIONS)
    ]
    threads = [threading.Thread(target=client.run) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    latencies = np.concatenate([client.latencies_s for client in clients])
    ms = tuple(np.percentile(latencies, PERCENTILES) * 1e3) if len(latencies) else (float("nan"),) * len(PERCENTILES)
    return Driven(len(latencies), time.perf_counter() - began, sum(client.failed for client in clients), ms)


@dataclass
class _Client:
    """One connection."""

    port: int
    questions: Sequence[bytes]
    number: int
    began: float
    seconds: float
    rate: float | None
    latencies_s: list[float] = field(default_factory=list)
    failed: int = 0

    def run(self) -> None:
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for nth, question in enumerate(itertools.cycle(self.questions)):
                due = (
                    time.perf_counter()
                    if self.rate is None
                    else self.began + (nth * CONNECTIONS + self.number) / self.rate
                )
                if max(due, time.perf_counter()) > self.began + self.seconds:
                    return
                time.sleep(max(due - time.perf_counter(), 0))
                self._ask(connection, question)
                self.latencies_s.append(time.perf_counter() - due)

    def _ask(self, connection: socket.socket, question: bytes) -> None:
        connection.sendall(question)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        answer.read()
        self.failed += answer.status != http.HTTPStatus.OK
