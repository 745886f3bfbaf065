"""Turns: requests that one thread answers side by side, so that what they ask for at the same time can be made as one.

Threads could do that, too, and do where there are no turns; but each of them wakes, takes the interpreter from another and gives it back
several times a request, and that costs more than what is asked for.
"""

from __future__ import annotations

from greenlet import getcurrent, greenlet


class Turn(greenlet):  # type: ignore[misc]  # greenlet has no types
    """A call that may stand aside once. `switch` begins it, or goes on with it, and comes back when it is done (`dead`) or stands aside."""

    stood = False


def stand_aside() -> None:
    """Let the others of this thread come as far as this, too. Once in a turn: what it does behind that may hold what they wait for."""
    turn = getcurrent()
    if isinstance(turn, Turn) and not turn.stood and turn.parent is not None:
        turn.stood = True
        turn.parent.switch()
