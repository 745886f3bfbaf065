"""Connections lent by ourselves: each answer reaches who asked for it, and what broke is never used again."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Barrier, Thread
from urllib.parse import urlsplit

import pytest
from redis import Redis
from redis.exceptions import RedisError, ResponseError

from service.store.redis.connections import Connections
from tests.conftest import PATIENCE_MS


@pytest.fixture
def connections(redis_url: str) -> Iterator[Connections]:
    opened = Connections(redis_url, timeout_s=PATIENCE_MS / 1000)
    yield opened
    opened.close()


def numbers(connections: Connections) -> int:
    """The number that the server gave to the connection that answers."""
    [number] = connections.ask([[("CLIENT", "ID")]])
    return int(number)


def test_a_refusal_stands_in_its_place_and_the_connection_stays(connections: Connections) -> None:
    before = numbers(connections)
    answers = connections.ask([[("SET", "a", "1"), ("INCRBY", "a", "x"), ("GET", b"a")]])
    assert [answers[0], answers[2]] == [b"OK", b"1"]
    assert isinstance(answers[1], ResponseError)
    assert numbers(connections) == before


def test_an_answer_that_comes_too_late_is_never_given_to_the_next(redis_url: str) -> None:
    hasty = Connections(redis_url, timeout_s=0.1)
    with pytest.raises(RedisError):
        hasty.ask([[("BLPOP", "nothing", "0.2")]])
    assert [hasty.ask([[("ECHO", str(number))]]) for number in range(3)] == [[b"0"], [b"1"], [b"2"]]
    hasty.close()


def test_a_connection_that_the_server_closed_is_replaced_before_anything_is_sent(
    redis_url: str, connections: Connections
) -> None:
    before = numbers(connections)
    with Redis.from_url(redis_url) as other:
        other.client_kill_filter(_id=before)
    assert connections.ask([[("INCR", "once")]]) == [1]
    assert numbers(connections) != before


def test_there_are_as_many_as_threads_that_ask_at_once(redis_url: str, connections: Connections) -> None:
    assert len({numbers(connections) for _ in range(10)}) == 1
    together, found = Barrier(3), set[int]()

    def ask() -> None:
        together.wait()
        [number, _] = connections.ask([[("CLIENT", "ID"), ("BLPOP", "nothing", "0.2")]])
        found.add(int(number))

    threads = [Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3
    assert {numbers(connections) for _ in range(10)} <= found


def test_user_and_password_and_database_are_those_of_the_url(redis_url: str) -> None:
    place = urlsplit(redis_url)
    with Redis.from_url(redis_url) as admin:
        admin.acl_setuser("shop", enabled=True, passwords=["+secret"], commands=["+@all"], keys=["*"])
        try:
            known = Connections(f"redis://shop:secret@{place.hostname}:{place.port}/3", timeout_s=PATIENCE_MS / 1000)
            assert known.ask([[("ACL", "WHOAMI"), ("CLIENT", "INFO")]])[0] == b"shop"
            assert b" db=3 " in known.ask([[("CLIENT", "INFO")]])[0]
            known.close()
            with pytest.raises(RedisError, match="invalid username-password"):
                Connections(f"redis://shop:wrong@{place.hostname}:{place.port}", timeout_s=5).ask([[("PING",)]])
        finally:
            admin.acl_deluser("shop")
