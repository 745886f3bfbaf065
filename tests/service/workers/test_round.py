"""Requests that one thread answers side by side: as one where they ask together, and none in the way of another."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import pytest
from gunicorn.config import Config

from service.store.together import Together
from service.workers.connection import Connection
from service.workers.round import Round
from tests.waiting import PATIENCE_S, until


@pytest.fixture
def pairs() -> Iterator[list[tuple[Connection, socket.socket]]]:
    """Connections, each with a request that was read, and their clients."""
    with ExitStack() as stack:
        made: list[tuple[Connection, socket.socket]] = []
        for name in (b"a", b"b", b"c"):
            ours, theirs = socket.socketpair()
            stack.enter_context(ours)
            stack.enter_context(theirs)
            connection = Connection(Config(), ours, ("127.0.0.1", 1), ("127.0.0.1", 2))
            connection.init()
            theirs.sendall(name)
            assert connection.read()
            connection.ask(1)
            made.append((connection, theirs))
        yield made


class Shouting:
    """Answers by capitals; what is asked together is made together."""

    def __init__(self) -> None:
        self.made: list[list[bytes]] = []
        self._queue: Together[bytes, bytes] = Together()

    def __call__(self, connection: Any) -> bool:
        """Send the answer in two pieces; the connection of b is not to be kept."""
        asked = connection.parser.unreader.read()
        answer = self._queue.make(asked, self._make)
        connection.sock.setblocking(True)
        for piece in (answer, answer * 2):
            connection.sock.sendall(piece)
        return asked != b"b"

    def _make(self, all_: Sequence[bytes]) -> list[bytes]:
        self.made.append(list(all_))
        return [one.upper() for one in all_]


def test_all_are_answered_and_what_they_ask_together_is_made_as_one(pairs: list[tuple[Connection, socket.socket]]):
    answer = Shouting()
    round_ = Round([connection for connection, _ in pairs], answer)
    round_.run()
    assert answer.made == [[b"a", b"b", b"c"]]
    assert [client.recv(10) for _, client in pairs] == [b"AAA", b"BBB", b"CCC"]
    assert list(round_.kept.values()) == [True, False, True]
    assert round_.rest == {}
    for connection, _ in pairs:
        assert isinstance(connection.sock, socket.socket)
        assert connection.parser.unreader.sock is connection.sock


def test_who_has_gone_is_not_kept_and_the_others_are_answered(pairs: list[tuple[Connection, socket.socket]]):
    pairs[0][1].close()
    round_ = Round([connection for connection, _ in pairs], Shouting())
    round_.run()
    assert list(round_.kept.values()) == [False, False, True]
    assert [client.recv(10) for _, client in pairs[1:]] == [b"BBB", b"CCC"]


def test_nobody_waits_for_who_does_not_read(pairs: list[tuple[Connection, socket.socket]]):
    long = b"x" * (8 << 20)

    def answer(connection: Any) -> bool:
        connection.sock.sendall(long if connection.parser.unreader.read() == b"a" else b"short")
        return True

    round_ = Round([connection for connection, _ in pairs], answer)
    round_.run()
    assert [client.recv(10) for _, client in pairs[1:]] == [b"short", b"short"]
    (late, rest), *others = round_.rest.items()
    assert (late, others) == (pairs[0][0], [])
    assert 0 < len(rest) < len(long)


def test_whether_it_reckons_or_waits_is_told(pairs: list[tuple[Connection, socket.socket]]):
    enough, end = threading.Event(), threading.Event()

    def answer(_: Any) -> bool:
        while not enough.is_set():
            pass
        return end.wait(PATIENCE_S)

    round_ = Round([pairs[0][0]], answer)
    assert not round_.reckons()
    thread = threading.Thread(target=round_.run)
    thread.start()
    until(round_.reckons)
    enough.set()
    until(lambda: not round_.reckons())
    end.set()
    thread.join()
    assert round_.kept == {pairs[0][0]: True}


def test_nothing_more_is_received_in_a_round(pairs: list[tuple[Connection, socket.socket]]):
    def answer(connection: Any) -> bool:
        connection.parser.unreader.read()
        with pytest.raises(BlockingIOError):
            connection.parser.unreader.read()
        return True

    round_ = Round([pairs[0][0]], answer)
    round_.run()
    assert round_.kept == {pairs[0][0]: True}
