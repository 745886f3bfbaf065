"""Progress of work that takes more than two seconds: one line rewritten on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TextIO

PATIENCE_S = 2.0
WIDTH = 79


class Progress:
    """Called with what is being done now; silent until the work has taken two seconds, then at most one plain line in two seconds."""

    def __init__(self, out: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._out, self._clock = out, clock
        self._said_at = clock()
        self._is_terminal = out.isatty()
        self._written = False

    def __call__(self, step: str) -> None:
        """Say what is being done."""
        now = self._clock()
        if now - self._said_at < PATIENCE_S and not (self._written and self._is_terminal):
            return
        if not self._is_terminal:
            self._said_at = now
        self._written = True
        self._out.write(f"\r{step[:WIDTH]:<{WIDTH}}" if self._is_terminal else f"{step}\n")
        self._out.flush()

    def done(self) -> None:
        """Leave the terminal's line clean."""
        if self._written and self._is_terminal:
            self._out.write(f"\r{'':<{WIDTH}}\r")
            self._out.flush()
