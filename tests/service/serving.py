"""A real service for tests: `python -m service.serve` (or what else answers) in a process of its own."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from benchmarks.ports import free_port
from tests.waiting import PATIENCE_S

PATIENT = {
    "VALET_PATIENCE_MS": "30000",
    "VALET_BUDGET_MS": "0",
}  # a machine that does much else beside turns nobody away


@dataclass(frozen=True)
class Serving:
    """A running service: its port, its process, and where what it prints goes."""

    port: int
    process: subprocess.Popen[bytes]
    printed: Path

    def connect(self) -> closing[http.client.HTTPConnection]:
        """A connection that is kept alive until it is left."""
        return closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S))

    def get(self, path: str) -> tuple[int, Any]:
        """Status and document of one call."""
        with self.connect() as connection:
            return call(connection, "GET", path)

    def stop(self) -> int:
        """Stop it gently; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_S)


def call(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: bytes | None = None,
    media_type: str = "application/json",
) -> tuple[int, Any]:
    """Status and document of one call; the text where it is no JSON."""
    connection.request(method, path, body, {"Content-Type": media_type} if body is not None else {})
    answer = connection.getresponse()
    content = answer.read()
    if (answer.getheader("Content-Type") or "").split(";")[0].endswith("json"):
        return answer.status, orjson.loads(content)
    return answer.status, content.decode()


@contextmanager
def serving(
    folder: Path, *flags: str, command: Sequence[str] | None = None, environment: Mapping[str, str] | None = None
) -> Iterator[Serving]:
    """A service that answers, in `folder`, patiently unless `environment` says otherwise; stopped at the end."""
    port = free_port()
    arguments = [sys.executable, *(command or ("-m", "service.serve")), *flags]
    given = {"VALET_PORT": str(port), "GUNICORN_CMD_ARGS": "", **PATIENT, **(environment or {})}
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("VALET_", "PROMETHEUS_"))}
    printed = folder / f"printed-{port}"
    with (
        printed.open("wb") as out,
        subprocess.Popen(
            [argument.replace("PORT", str(port)) for argument in arguments],
            cwd=folder,
            env={name: value.replace("PORT", str(port)) for name, value in (clean | given).items()},
            stdout=out,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            service = Serving(port, process, printed)
            _wait(service)
            yield service
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait(service: Serving) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and service.process.poll() is None:
        try:
            if service.get("/livez")[0] == 200:
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"the service did not come up: {service.printed.read_text()}")
