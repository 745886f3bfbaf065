"""With TLS, as gunicorn can be told to speak it."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.serving import Serving, serving
from tests.service.workers.clients import ALIVE, ASK, statuses
from tests.waiting import PATIENCE_S, SOON_S


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
    padded = ALIVE.replace(b"Host: x", b"Host: " + b"x" * (65 - len(ALIVE)))
    assert len(padded) == 64  # what the parser reads at once ends where one of them does, and TLS holds the others
    client.sendall(padded * 256)
    assert statuses(client, 256) == [200] * 256
