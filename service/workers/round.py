"""A round: whole requests that one thread answers side by side, so that what they ask of the store and of the models is asked once for all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from service.store.turns import Turn
from service.workers.connection import Connection, Outlet

LITTLE_S = 0.002  # of a processor
Answer = Callable[[Connection], object]  # answers its request; whether the connection may be kept


class Round:
    """Connections with a whole request each.

    kept  of each, whether it may be kept; not of those that broke off
    rest  what some of them had no room for: the client does not read
    """

    def __init__(self, connections: Sequence[Connection], answer: Answer) -> None:
        self.kept: dict[Connection, bool] = dict.fromkeys(connections, False)
        self.rest: dict[Connection, bytes] = {}
        self._answer = answer
        self._clock: int | None = None  # of the thread that answers
        self._reckoned_s = 0.0

    def reckons(self) -> bool:
        """Whether its thread did more than wait since this was asked last."""
        if self._clock is None:
            return False
        before, self._reckoned_s = self._reckoned_s, time.clock_gettime(self._clock)
        return self._reckoned_s - before > LITTLE_S

    def run(self) -> None:
        """Answer them: each until it stands aside, then each to its end."""
        self._clock = time.pthread_getcpuclockid(threading.get_ident())
        self._reckoned_s = time.clock_gettime(self._clock)
        aside: list[tuple[Connection, Outlet, Turn]] = []
        for connection in self.kept:
            connection.hand_over()
            outlet, turn = Outlet(connection.sock), Turn(self._answer)
            kept = self._go_on(connection, outlet, turn, connection)
            if not turn.dead:
                aside.append((connection, outlet, turn))
            else:
                self._end(connection, outlet, kept)
        for connection, outlet, turn in aside:
            self._end(connection, outlet, self._go_on(connection, outlet, turn))

    def _go_on(self, connection: Connection, outlet: Outlet, turn: Turn, *given: Connection) -> object:
        """A turn as far as it goes, on its outlet."""
        sock, unreader = connection.sock, connection.parser.unreader
        connection.sock = unreader.sock = outlet
        try:
            return turn.switch(*given)
        finally:
            connection.sock = unreader.sock = sock

    def _end(self, connection: Connection, outlet: Outlet, kept: object) -> None:
        try:
            rest = outlet.flush()
        except OSError:  # nobody waits for the answer
            return
        self.kept[connection] = bool(kept)
        if rest:
            self.rest[connection] = rest
