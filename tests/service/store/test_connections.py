"""Connections lent by ourselves: each answer reaches who asked for it, and what broke is never used again."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread
from urllib.parse import urlsplit

import pytest
from redis import Redis
from redis.exceptions import RedisError, ResponseError

from benchmarks.ports import free_port
from service.store.redis import addresses
from service.store.redis.connections import Connections
from tests.conftest import PATIENCE_MS, start_redis
from tests.waiting import until


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
    hasty = Connections(redis_url, timeout_s=1.0)
    with pytest.raises(RedisError):
        hasty.ask([[("BLPOP", "nothing", "5")]])
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
    found = set[int]()

    def ask() -> None:
        [number, _] = connections.ask([[("CLIENT", "ID"), ("BLPOP", "bread", "0")]])
        found.add(int(number))

    threads = [Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    with Redis.from_url(redis_url) as other:
        until(lambda: other.info("clients")["blocked_clients"] == 3)
        other.rpush("bread", 1, 2, 3)
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


@pytest.fixture
def silence(monkeypatch: pytest.MonkeyPatch) -> Iterator[Event]:
    """While it is set, the name server says nothing; a new process, in which nobody asked for a name yet."""
    silent, ask, ended = Event(), socket.getaddrinfo, Event()

    def asked(host: str, *arguments: object, **named: object) -> object:
        if host == "localhost" and silent.is_set():
            ended.wait(60)
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return ask(host, *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", asked)
    monkeypatch.setattr(addresses, "FIRST_S", 0.0)
    addresses.name_of.cache_clear()
    yield silent
    ended.set()
    addresses.name_of.cache_clear()


LIMIT_S = 2.0
SLACK_S = 10.0  # of a machine that does much else beside


def took_s(connections: Connections) -> float:
    began = time.monotonic()
    with pytest.raises(RedisError):
        connections.ask([[("PING",)]])
    return time.monotonic() - began


def test_a_name_server_that_is_silent_is_not_waited_for_beyond_the_limit(redis_url: str, silence: Event) -> None:
    silence.set()
    by_name = Connections(redis_url.replace("127.0.0.1", "localhost"), timeout_s=LIMIT_S)
    assert [took_s(by_name) < LIMIT_S + SLACK_S for _ in range(3)] == [True] * 3
    assert took_s(by_name) < LIMIT_S  # it was asked for long enough by then
    assert Connections(redis_url, timeout_s=PATIENCE_MS / 1000).ask([[("PING",)]]) == [b"PONG"]


def test_where_a_name_led_last_is_known_while_the_name_server_is_silent(redis_url: str, silence: Event) -> None:
    url = redis_url.replace("127.0.0.1", "localhost")
    assert Connections(url, timeout_s=PATIENCE_MS / 1000).ask([[("PING",)]]) == [b"PONG"]
    silence.set()
    assert Connections(url, timeout_s=1.0).ask([[("PING",)]]) == [b"PONG"]


def test_a_name_that_leads_nowhere_any_longer_is_not_gone_to(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    url = redis_url.replace("127.0.0.1", "localhost")
    assert Connections(url, timeout_s=PATIENCE_MS / 1000).ask([[("PING",)]]) == [b"PONG"]

    ask = socket.getaddrinfo

    def nowhere(host: str, *arguments: object, **named: object) -> object:
        if host == "localhost":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return ask(host, *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    with pytest.raises(RedisError, match="not known"):
        Connections(url, timeout_s=PATIENCE_MS / 1000).ask([[("PING",)]])


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_a_certificate_is_still_that_of_the_name(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "2"]
    made += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(made, check=True, capture_output=True)
    port = free_port()
    secured = {"tls-port": str(port), "tls-cert-file": str(certificate), "tls-key-file": str(key)}
    with start_redis(tmp_path, options={**secured, "tls-auth-clients": "no"}):
        settings = f"ssl_ca_certs={certificate}"
        right = Connections(f"rediss://localhost:{port}/0?{settings}", timeout_s=PATIENCE_MS / 1000)
        assert right.ask([[("PING",)]]) == [b"PONG"]
        right.close()
        with pytest.raises(RedisError, match="IP address mismatch"):
            Connections(f"rediss://127.0.0.1:{port}/0?{settings}", timeout_s=PATIENCE_MS / 1000).ask([[("PING",)]])
