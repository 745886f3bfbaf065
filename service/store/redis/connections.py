"""Connections to a Redis server: redis-py's own, lent and taken back by ourselves.

Its client and pool count, lock and are ready to try again around each command, which nobody here asks of them: so a round trip costs 52 µs
of a processor, and 22 without.
"""

from __future__ import annotations

import os
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from hiredis import pack_command
from redis.backoff import NoBackoff
from redis.connection import AbstractConnection, Connection, SSLConnection, parse_url
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry

from service.store.redis.addresses import addresses

Command = tuple[Any, ...]

LEAST_S = 0.001  # 0 would be no limit


class ByName(Connection):
    """Connects to an address of its host within the limit, however silent the name server is and however many addresses there are."""

    def _connect(self) -> socket.socket:
        name, limit_s = self.host, self.socket_connect_timeout or 0.0
        until = time.monotonic() + limit_s
        error: OSError = TimeoutError(f"{name}: nobody says in time where that is")
        try:
            for address in addresses(name, within_s=limit_s / 2):
                self.host, self.socket_connect_timeout = address, max(until - time.monotonic(), LEAST_S)
                try:
                    opened: socket.socket = super()._connect()  # type: ignore[no-untyped-call]
                    return opened
                except OSError as refused:
                    error = refused
            raise error
        finally:
            self.host, self.socket_connect_timeout = name, limit_s


class ByNameSecured(SSLConnection, ByName):
    """The same with TLS: whose certificate it is, is told by the name."""


KINDS: Mapping[Any, type[AbstractConnection]] = {Connection: ByName, SSLConnection: ByNameSecured}


class Connections:
    """As many as threads ask at once. One serves one thread at a time, and never a process that did not open it.

    Nothing is tried again: whether a write that may have gone through is sent once more is the caller's to decide.
    """

    def __init__(self, url: str, *, timeout_s: float) -> None:
        options: dict[str, Any] = dict(parse_url(url))
        kind = options.pop("connection_class", Connection)
        self._open: Callable[[], AbstractConnection] = partial(
            KINDS.get(kind, kind),
            **options,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            retry=Retry(NoBackoff(), 0),
            protocol=2,  # no greeting to wait for
            driver_info=None,
        )
        self._start()

    def ask(self, packs: Iterable[Sequence[Command]]) -> list[Any]:
        """The answers to packs of commands, one round trip; those that are refused as exceptions. Raises RedisError where there is none.

        Each pack is sent as soon as it is made, so that the server is at work while the next one is; the answers are read behind the last.
        """
        connection, sent = self._take(), 0
        for pack in packs:
            connection.send_packed_command([b"".join(map(pack_command, pack))])
            sent += len(pack)
        answers = [_answer(connection) for _ in range(sent)]
        self._idle.append(connection)  # here alone: what broke off before all was read is not used again
        return answers

    def close(self) -> None:
        """Close the idle ones."""
        while self._idle:
            self._idle.pop().disconnect()

    def _start(self) -> None:
        """Begin with no connection: at the start, and in the child of a fork, which only closes its own end of its parent's."""
        self._idle: deque[AbstractConnection] = deque()
        self._pid = os.getpid()

    def _take(self) -> AbstractConnection:
        if self._pid != os.getpid():
            self._start()
        with suppress(IndexError):
            while True:
                connection = self._idle.pop()
                if _is_quiet(connection):
                    return connection
                connection.disconnect()
        return self._open()  # it connects with the first command


def _is_quiet(connection: AbstractConnection) -> bool:
    """Whether the server has neither closed it nor said what nobody asked for."""
    try:
        return not connection.can_read()
    except (RedisError, OSError):
        return False


def _answer(connection: AbstractConnection) -> Any:
    try:
        return connection.read_response()
    except ResponseError as error:
        return error
