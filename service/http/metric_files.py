"""The files in which workers count for each other: no page of them is written to before the disk has promised it.

prometheus_client maps a file that is longer than what it takes on disk. Where the disk is full by the time a page is touched, the system ends
the process with SIGBUS: each worker, at its next request. Here the page is asked for first; where there is none, this worker goes on
counting in memory, and what it counts from then on is told to nobody.
"""

from __future__ import annotations

import os
import sys
from mmap import PAGESIZE, mmap
from pathlib import Path

import structlog
from prometheus_client import values
from prometheus_client.mmap_dict import MmapedDict

BESIDE = 32  # bytes of an entry beside its name, at most

log = structlog.get_logger(__name__)


def keep_room() -> None:
    """Let the metrics that this process makes from now on be kept so."""
    if sys.platform == "linux":  # others have no such call
        values.MmapedDict = MetricFile  # type: ignore[attr-defined,assignment]


class MetricFile(MmapedDict):
    """One worker's metrics of one type."""

    def __init__(self, filename: str) -> None:
        descriptor = _with_a_page(filename)
        super().__init__(f"/proc/self/fd/{descriptor}")  # type: ignore[no-untyped-call]
        os.close(descriptor)

    def _init_value(self, key: str) -> None:
        if not _promised(self._f.fileno(), self._used + len(key.encode()) + BESIDE):
            self._go_on_in_memory()
        super()._init_value(key)  # type: ignore[no-untyped-call]

    def _go_on_in_memory(self) -> None:
        """The file keeps what it holds, and is read as before."""
        memory = os.fdopen(os.memfd_create("metrics"), "r+b", buffering=0)
        memory.write(self._m)
        self._m.close()
        self._f.close()
        self._f, self._m = memory, mmap(memory.fileno(), self._capacity)


def _with_a_page(filename: str) -> int:
    """The descriptor of this file, or of memory where it has no room."""
    try:
        descriptor = os.open(filename, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        _tell(error)
        return os.memfd_create("metrics")
    if _promised(descriptor, PAGESIZE):
        return descriptor
    os.close(descriptor)
    Path(filename).unlink()
    return os.memfd_create("metrics")


def _promised(descriptor: int, size: int) -> bool:
    """Whether the first bytes of a file have their place on disk now, in whole pages."""
    try:
        os.posix_fallocate(descriptor, 0, -(-size // PAGESIZE) * PAGESIZE)
    except OSError as error:
        _tell(error)
        return False
    return True


def _tell(error: OSError) -> None:
    log.warning("no room for metrics: this worker counts on in memory, and tells nobody", error=error.strerror)
