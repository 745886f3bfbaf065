"""A deadline: until when the request that is answered may wait for the store. What waits looks at it before it begins to."""

from __future__ import annotations

import math
import time
from contextvars import ContextVar

_at: ContextVar[float | None] = ContextVar(
    "deadline", default=None
)  # seconds of the monotonic clock; of each thread, and of each turn


def set_by(budget_s: float | None) -> None:
    """Let what this request does from now on wait no longer than this in all; None: as long as each call may."""
    _at.set(None if budget_s is None else time.monotonic() + budget_s)


def left_s() -> float:
    """Seconds that are left to wait: infinite without a deadline, negative behind it."""
    at = _at.get()
    return math.inf if at is None else at - time.monotonic()
