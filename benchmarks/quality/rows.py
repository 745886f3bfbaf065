"""One row of the table of `python -m benchmarks.quality`: a way to recommend, what it reached, what it cost."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Row:
    """What one method reached on one data set.

    values   metric -> value                    interval  metric -> (low, high), the 95 % interval where one was made
    seconds  of fitting, None: not measured     ours      of this project, not a baseline beside it
    peak_mb  the most memory of the process so far, in MB
    note     what a reader must know to repeat it: parameters, sizes
    """

    dataset: str
    method: str
    values: Mapping[str, float]
    ours: bool = False
    seconds: float | None = None
    peak_mb: float | None = None
    interval: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    note: str = ""


@dataclass
class Clock:
    """Seconds of a `with timed() as clock:` block, known when it ends."""

    seconds: float = 0.0


@contextmanager
def timed() -> Iterator[Clock]:
    """Measure the wall-clock seconds of a block."""
    clock, start = Clock(), time.perf_counter()
    try:
        yield clock
    finally:
        clock.seconds = time.perf_counter() - start


def peak_mb() -> float:
    """The most memory this process has held so far, in MB."""
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size / 2**20 if sys.platform == "darwin" else size / 2**10
