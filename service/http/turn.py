"""Turns: threads decide one after another, each to its end.

What reads, writes or packs lets the interpreter go a dozen times in a decision, and with eight threads each time another one takes it: to be
woken and put to sleep so often costs a quarter of the decision. Who waits for a turn wakes once. Nobody waits longer than PATIENCE_S: behind
one whose store is slow, the others go on beside it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE_S = 0.1  # that of some twenty decisions: eight threads wait for seven

_TURN = threading.Lock()


@contextmanager
def turn() -> Iterator[None]:
    """Alone with the processor, as far as others take turns, too."""
    mine = _TURN.acquire(timeout=PATIENCE_S)
    try:
        yield
    finally:
        if mine:
            _TURN.release()
