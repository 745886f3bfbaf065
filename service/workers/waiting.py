"""Waiting: the connections that nobody answers just now, and for how long each of them may stay so."""

from __future__ import annotations

import selectors
import time
from collections.abc import Callable, Iterator
from functools import partial

from service.workers.connection import Connection, Waiting


class WaitingRoom:
    """Who waits, and for what.

    idle     for their next request
    asking   for the rest of one
    sending  for room to send the rest of an answer
    parting  for their end
    """

    def __init__(self, poller: selectors.BaseSelector, arrived: Callable[[Connection, object], None]) -> None:
        self.idle: Waiting = {}
        self.asking: Waiting = {}
        self.sending: Waiting = {}
        self.parting: Waiting = {}
        self._poller = poller
        self._arrived = arrived

    def wait(self, connection: Connection, among: Waiting, seconds: float) -> None:
        """Let it wait until there is something to read, or room to send; who waits among these already stays no longer for that."""
        if connection.among is not among:
            self.rise(connection)
            connection.timeout = time.monotonic() + seconds
            connection.among = among
            among[connection] = None
        self.watch(connection, selectors.EVENT_WRITE if among is self.sending else selectors.EVENT_READ)

    def rise(self, connection: Connection) -> None:
        """It waits no more."""
        if connection.among is not None:
            del connection.among[connection]
            connection.among = None

    def hurry(self, among: Waiting, seconds: float) -> None:
        """Let none of these wait longer than this from now on."""
        until = time.monotonic() + seconds
        for connection in among:
            connection.timeout = min(connection.timeout, until)

    def late(self) -> Iterator[Connection]:
        """Those whose time is up, until each of them has risen."""
        now = time.monotonic()
        for among in (self.idle, self.asking, self.sending, self.parting):
            while among and (first := next(iter(among))).timeout <= now:
                yield first

    def watch(self, connection: Connection, for_what: int = selectors.EVENT_READ) -> None:
        """Be told when there is something to read, or an end; or room to send."""
        if connection.watched != for_what:
            self.unwatch(connection)
            connection.watched = for_what
            self._poller.register(connection.sock, for_what, partial(self._arrived, connection))

    def unwatch(self, connection: Connection) -> None:
        """Be told no more."""
        if connection.watched:
            connection.watched = 0
            self._poller.unregister(connection.sock)
