"""Ports of this machine: one that is free, and whether somebody listens yet."""

from __future__ import annotations

import secrets
import socket
import time
from contextlib import suppress

# Below those that a system gives to who connects: none is taken by one of them before somebody listens there
LOWEST, HIGHEST = 15_000, 30_000


def free_port() -> int:
    """A port that nobody listens on."""
    while True:
        port = LOWEST + secrets.randbelow(HIGHEST - LOWEST)
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


def listening(port: int, *, patience_s: float = 10.0) -> None:
    """Wait until somebody listens there. Raises RuntimeError where nobody does."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.02)
    raise RuntimeError(f"nobody listens on port {port}")
