"""Who waits is told of what arrives, and found when its time is up."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Iterator

import pytest
from gunicorn.config import Config

from service.workers.connection import Connection
from service.workers.waiting import WaitingRoom

Pair = tuple[Connection, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """A connection and its client."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Connection(Config(), ours, ("127.0.0.1", 1), ("127.0.0.1", 2)), theirs


@pytest.fixture
def poller() -> Iterator[selectors.BaseSelector]:
    with selectors.DefaultSelector() as made:
        yield made


def test_who_waits_is_watched_once_until_it_is_not(pair: Pair, poller: selectors.BaseSelector) -> None:
    connection, client = pair
    told: list[Connection] = []
    room = WaitingRoom(poller, lambda one, _: told.append(one))
    room.wait(connection, room.idle, 60)
    room.wait(connection, room.asking, 60)
    assert (list(room.idle), list(room.asking)) == ([], [connection])
    client.sendall(b"x")
    for key, _ in poller.select(5):
        key.data(key.fileobj)
    assert told == [connection]
    room.rise(connection)
    room.unwatch(connection)
    room.unwatch(connection)
    assert (room.asking, poller.get_map()) == ({}, {})


def test_who_waits_for_the_rest_gets_no_longer_for_each_byte(pair: Pair, poller: selectors.BaseSelector) -> None:
    connection, _ = pair
    room = WaitingRoom(poller, lambda *_: None)
    room.wait(connection, room.asking, 60)
    until = connection.timeout
    room.wait(connection, room.asking, 600)
    assert connection.timeout == until
    room.wait(connection, room.idle, 600)
    assert connection.timeout > until + 500


def test_who_is_sent_the_rest_is_told_of_room_and_not_of_what_comes(pair: Pair, poller: selectors.BaseSelector) -> None:
    connection, client = pair
    connection.rest = b"x" * (8 << 20)
    whole = len(connection.rest)
    assert connection.send()
    room = WaitingRoom(poller, lambda one, _: told.append(one))
    told: list[Connection] = []
    room.wait(connection, room.idle, 60)
    room.wait(connection, room.sending, 60)
    client.sendall(b"x")
    assert poller.select(0) == []
    read = 0
    while connection.rest:
        read += len(client.recv(1 << 20))
        for key, _ in poller.select(0):
            key.data(key.fileobj)
            assert connection.send()
    assert set(told) == {connection}
    room.wait(connection, room.idle, 60)
    [(key, events)] = poller.select(5)
    assert (key.fileobj, events) == (connection.sock, selectors.EVENT_READ)
    connection.sock.shutdown(socket.SHUT_WR)
    while part := client.recv(1 << 20):
        read += len(part)
    assert read == whole


def test_those_whose_time_is_up_are_found_wherever_they_wait(poller: selectors.BaseSelector) -> None:
    room = WaitingRoom(poller, lambda *_: None)
    socks = [socket.socket() for _ in range(8)]
    ones = [Connection(Config(), sock, ("127.0.0.1", 1), ("127.0.0.1", 2)) for sock in socks]
    for one, among, seconds in zip(
        ones, [room.idle] * 2 + [room.asking] * 2 + [room.sending] * 2 + [room.parting] * 2, [0, 60] * 4, strict=True
    ):
        room.wait(one, among, seconds)
    late = []
    for one in room.late():
        room.rise(one)
        room.unwatch(one)
        late.append(one)
    assert late == ones[::2]
    assert [*room.idle, *room.asking, *room.sending, *room.parting] == ones[1::2]
    for sock in socks:
        sock.close()
