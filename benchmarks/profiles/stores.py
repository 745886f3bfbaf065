"""An empty store of each kind, for as long as a task lasts."""

from __future__ import annotations

import itertools
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.ports import free_port, listening

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
    port = free_port()
    said = {"port": port, "bind": "127.0.0.1", "dir": folder, "save": "", "appendonly": "yes", "appendfsync": "no"}
    flags = itertools.chain.from_iterable((f"--{name}", str(value)) for name, value in said.items())
    with subprocess.Popen([program, *flags], stdout=subprocess.DEVNULL) as process:
        try:
            url = f"redis://127.0.0.1:{port}/0?timeout_ms={PATIENCE_MS}"
            listening(port)
            yield url
        finally:
            process.terminate()
