"""The lines that tell of requests, written some at a time: each write lets another thread run, and that costs more than the whole line.

A line is on its way for EVERY_S at most, and what is left is written as the process ends. Each write is of whole lines, and no longer than
a pipe takes at once, so that the lines of several workers do not mix.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from weakref import finalize

from service.watch import Watch

EVERY_S = 0.1
MOST = 4_096  # characters a write; PIPE_BUF of Linux, and lines are ASCII but for what routes never hold


class Lines:
    """Lines that wait to be written to stderr, whatever that is by then."""

    def __init__(self) -> None:
        self._waiting: deque[str] = deque()
        self._watch = Watch(self.flush, every_s=EVERY_S, name="valet-lines")
        finalize(self, _write, self._waiting)  # also as the process ends

    def add(self, line: str) -> None:
        """Write this line soon."""
        self._waiting.append(line)
        self._watch.start()

    def flush(self) -> None:
        """Write what waits."""
        _write(self._waiting)


def _taken(waiting: deque[str]) -> Iterator[str]:
    """What waits, first come first; as the process ends two threads may take it."""
    with suppress(IndexError):
        while True:
            yield waiting.popleft()


def _write(waiting: deque[str]) -> None:
    text = ""
    for line in _taken(waiting):
        if text and len(text) + len(line) > MOST:
            sys.stderr.write(text)
            text = ""
        text += line
    if text:
        sys.stderr.write(text)
