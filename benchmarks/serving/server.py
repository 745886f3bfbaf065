"""Servers that are measured: ours and the bare one, each a process of its own, and what their workers use."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.ports import free_port
from benchmarks.serving.bare import ANSWER
from benchmarks.serving.drive import KEY

PATIENCE_S = 120.0
THREADS = 8
SATURATED_S = 30.0  # how long a request may wait for a thread
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Server:
    """A running gunicorn: its port, its process, and how long it took until it was ready."""

    port: int
    process: subprocess.Popen[bytes]
    ready_s: float

    @property
    def workers(self) -> list[int]:
        """The processes that answer, oldest first."""
        pid = self.process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def cpu_s(self) -> float:
        """Seconds that its workers have spent on a processor, in user and system."""
        return sum(_cpu_s(pid) for pid in self.workers)

    def ask(self, question: bytes) -> tuple[int, bytes]:
        """Status and body of one raw request."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S) as connection:
            connection.sendall(question)
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            return answer.status, answer.read()


def pss_mb(pid: int) -> float:
    """The proportional set size of a process: shared pages count by how many share them."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


@contextmanager
def valet(
    folder: Path, models_dir: Path, store: str, *, workers: int = 1, config: Path | None = None, now: int | None = None
) -> Iterator[Server]:
    """Our service, ready, on this bundle and store, with a key, at a time that stands still if so asked; its log goes to a file in `folder`.

    It is driven as fast as it answers, and must answer all: on a busy machine a request may wait longer than a shop would let it.
    """
    environment = {
        "VALET_SERVER_KEY": KEY,
        "VALET_PATIENCE_MS": str(int(SATURATED_S * 1000)),
        "VALET_MODELS_DIR": str(models_dir),
        "VALET_STORE": store,
        "VALET_WORKERS": str(workers),
        "VALET_THREADS": str(THREADS),
        **({"VALET_CONFIG": str(config)} if config else {}),
        **({"VALET_NOW": str(now)} if now else {}),
    }
    with _running([sys.executable, "-m", "service.serve"], folder, environment, ready="/readyz") as server:
        yield server


@contextmanager
def bare(folder: Path, answer: bytes, *, workers: int = 1) -> Iterator[Server]:
    """The bare view with these bytes."""
    file = folder / "bare-answer"
    file.write_bytes(answer)
    command = [sys.executable, "-m", "gunicorn", "benchmarks.serving.bare:create_app()", "--worker-class", "gthread"]
    command += [
        "--threads",
        str(THREADS),
        "--workers",
        str(workers),
        "--keep-alive",
        "75",
        "--preload",
        "--bind",
        "127.0.0.1:PORT",
    ]
    command += ["--no-control-socket"]
    with _running(command, folder, {ANSWER: str(file)}, ready="/") as server:
        yield server


@contextmanager
def _running(command: Sequence[str], folder: Path, environment: Mapping[str, str], *, ready: str) -> Iterator[Server]:
    port = free_port()
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("VALET_", "PROMETHEUS_", "GUNICORN_"))
    }
    given = {"VALET_PORT": str(port), "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(Path.cwd()), **environment}
    began = time.perf_counter()
    with (
        (folder / f"log-{port}").open("wb") as log,
        subprocess.Popen(
            [part.replace("PORT", str(port)) for part in command], env=clean | given, cwd=folder, stdout=log, stderr=log
        ) as process,
    ):
        try:
            _wait(process, port, ready, folder / f"log-{port}")
            yield Server(port, process, time.perf_counter() - began)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait(process: subprocess.Popen[bytes], port: int, path: str, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
        try:
            connection.request("GET", path)
            if connection.getresponse().status == http.HTTPStatus.OK:
                return
        except OSError:
            pass  # it does not listen yet
        finally:
            connection.close()
        time.sleep(0.01)
    raise RuntimeError(f"the server did not come up: {log.read_text()[-2000:]}")


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS
