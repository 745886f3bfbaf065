"""How long tests wait: for what takes a moment, on a machine that does much else beside."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE_S = 120.0  # for what takes its time there
SOON_S = 15.0  # for what takes a second or two


def until(holds: Callable[[], object], *, within_s: float = PATIENCE_S) -> None:
    """Wait until this holds; a failure of the test where it does not come to that."""
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, f"not within {within_s:g} s"
        time.sleep(0.01)
