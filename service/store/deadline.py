"""A deadline: until when the request that this thread answers may wait for the store. What waits looks at it before it begins to."""

from __future__ import annotations

import math
import threading
import time


class _Thread(threading.local):
    at: float | None = None  # seconds of the monotonic clock


_thread = _Thread()


def set_by(budget_s: float | None) -> None:
    """Let what this thread does from now on wait no longer than this in all; None: as long as each call may."""
    _thread.at = None if budget_s is None else time.monotonic() + budget_s


def left_s() -> float:
    """Seconds that are left to wait: infinite without a deadline, negative behind it."""
    return math.inf if _thread.at is None else _thread.at - time.monotonic()
