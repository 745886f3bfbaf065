"""A circuit breaker: who has not answered several times in a row is not asked for a while, so that nobody waits for the dead.

closed: everybody asks → FAILURES in a row: open, nobody does → PAUSE_S later: half open, one asks → it answers: closed; else open again.
(Nygard, Release It!, 2nd edition, section 5.2.)
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

FAILURES = 5
PAUSE_S = 0.5


class Breaker:
    """One for each process and server. While all is well it costs a comparison."""

    def __init__(
        self, *, failures: int = FAILURES, pause_s: float = PAUSE_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._failures = failures
        self._pause_s = pause_s
        self._clock = clock
        self._lock = threading.Lock()
        self._failed = 0
        self._next = 0.0  # when one may ask again

    @property
    def open(self) -> bool:
        """Whether those who come now are told at once that there is no answer, but for a probe."""
        return self._failed >= self._failures

    def admits(self) -> bool:
        """Whether this one may ask; while it is open, one every PAUSE_S."""
        if not self.open:
            return True
        with self._lock:
            now = self._clock()
            if now < self._next:
                return False
            self._next = now + self._pause_s
            return True

    def answered(self) -> None:
        """It answered, if only to refuse."""
        self._failed = 0

    def silent(self) -> None:
        """It did not answer in time."""
        with self._lock:
            self._failed += 1
            self._next = self._clock() + self._pause_s
