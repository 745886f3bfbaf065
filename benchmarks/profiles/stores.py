"""An empty store of each kind, for as long as a task lasts."""

from __future__ import annotations

import itertools
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

STORES = ("sqlite", "redis")
PATIENCE_MS = 20_000


@contextmanager
def opened(kind: str, folder: Path) -> Iterator[str]:
    """The URL of an empty store in `folder`. Raises RuntimeError where redis-server is not installed or does not come up."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'valet.db'}?timeout_ms={PATIENCE_MS}"
        return
    program = shutil.which("redis-server")
    if program is None:
        raise RuntimeError("redis-server is not installed (Debian: apt-get install redis-server); or --stores sqlite")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    said = {"port": port, "bind": "127.0.0.1", "dir": folder, "save": "", "appendonly": "yes", "appendfsync": "no"}
    flags = itertools.chain.from_iterable((f"--{name}", str(value)) for name, value in said.items())
    with subprocess.Popen([program, *flags], stdout=subprocess.DEVNULL) as process:
        try:
            url = f"redis://127.0.0.1:{port}/0?timeout_ms={PATIENCE_MS}"
            _wait(port)
            yield url
        finally:
            process.terminate()


def _wait(port: int) -> None:
    """Until the server listens."""
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return
