"""What only the Redis store promises: deadlines, a server that goes and comes, expiry, its bytes."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from redis import Redis

from models.errors import InputError, StoreUnavailable
from service.store import Store
from service.store.open import open_store
from service.store.redis import RedisStore
from tests.conftest import PATIENCE_MS, RedisProcess, start_redis
from tests.service.store.conftest import event, fold, folded


@pytest.fixture
def store(redis_url: str) -> Iterator[Store]:
    opened = open_store(f"{redis_url}?timeout_ms={PATIENCE_MS}")
    assert opened is not None
    yield opened
    opened.close()


@pytest.fixture
def client(redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(redis_url) as opened:
        yield opened


CALLS: dict[str, Callable[[Store], object]] = {
    "customer": lambda store: store.customer("ann"),
    "customers": lambda store: store.customers(["ann", "bob"]),
    "record": lambda store: store.record([event("ann", "b")], fold),
    "change": lambda store: store.change("ann", "facts", lambda _: b"1"),
    "put": lambda store: store.put("decision", "1", b""),
    "get": lambda store: store.get("decision", "1"),
    "versions": lambda store: store.versions(),
    "bump": lambda store: store.bump("actions"),
    "ping": lambda store: store.ping(),
}


@contextmanager
def paused(server: RedisProcess) -> Iterator[None]:
    server.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        server.process.send_signal(signal.SIGCONT)


def answered(store: Store, call: Callable[[Store], object]) -> None:
    """It is, at one time or another: 50 ms are little on a machine that does much else beside."""
    for _ in range(100):
        with suppress(StoreUnavailable):
            call(store)
            return
    call(store)


@pytest.mark.parametrize("connected", [True, False])
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_paused_server_is_given_up_at_the_deadline(
    redis_process: RedisProcess, redis_url: str, call: Callable[[Store], object], connected: bool
) -> None:
    store = RedisStore(redis_url, name="redis", timeout_s=0.05)
    if connected:
        answered(store, Store.ping)
    with paused(redis_process):
        began = time.monotonic()
        with pytest.raises(StoreUnavailable, match="50 ms"):
            call(store)
        assert time.monotonic() - began < 3.0  # the ten tries of the client's default take four seconds
    answered(store, call)  # it works again
    store.close()


def test_a_server_that_was_killed_and_started_again_is_found_again_with_all_that_was_acknowledged(
    tmp_path: Path,
) -> None:
    with start_redis(tmp_path) as server:
        store = open_store(f"{server.url}?timeout_ms={PATIENCE_MS}")
        assert store is not None
        store.record([event("ann", f"e{number}") for number in range(50)], fold)
        server.process.kill()
        server.process.wait()
        with pytest.raises(StoreUnavailable):
            store.customer("ann")
        with start_redis(tmp_path, port=server.port):
            assert len(folded(store, "ann") or []) == 50
            assert store.record([event("ann", "e49"), event("ann", "e50")], fold) == ["repeated", "accepted"]
        store.close()


def test_a_store_that_is_away_at_the_start_is_opened_and_used_when_it_comes(tmp_path: Path) -> None:
    with start_redis(tmp_path) as server:
        pass
    store = open_store(f"{server.url}?timeout_ms={PATIENCE_MS}")
    assert store is not None
    with pytest.raises(StoreUnavailable, match="refused"):
        store.customer("ann")
    with start_redis(tmp_path, port=server.port):
        assert store.customer("ann") is None
    store.close()


def test_a_server_without_memory_reads_and_refuses_to_write(store: Store, client: Redis) -> None:
    store.record([event("ann", "a")], fold)
    client.config_set("maxmemory", "1")
    try:
        assert folded(store, "ann") == ["a"]
        with pytest.raises(StoreUnavailable, match="maxmemory"):
            store.record([event("ann", "b")], fold)
        with pytest.raises(StoreUnavailable, match="maxmemory"):
            store.publish([("ann", b"[]")], sequence=0, fold=fold)
    finally:
        client.config_set("maxmemory", "0")
    assert folded(store, "ann") == ["a"]
    assert len(list(store.events())) == 1


def test_a_replica_reads_and_refuses_to_write(store: Store, client: Redis) -> None:
    store.record([event("ann", "a")], fold)
    client.execute_command("REPLICAOF", "127.0.0.1", "1")
    try:
        assert folded(store, "ann") == ["a"]
        for write in (lambda: store.record([event("ann", "b")], fold), lambda: store.bump("actions")):
            with pytest.raises(StoreUnavailable, match="read only replica"):
                write()
    finally:
        client.execute_command("REPLICAOF", "NO", "ONE")


def test_a_server_that_forgot_its_scripts_is_taught_again(store: Store, client: Redis) -> None:
    store.record([event("ann", "a")], fold)
    client.script_flush()
    assert store.record([event("ann", "b"), event("bob", "c")], fold) == ["accepted", "accepted"]
    client.flushall()
    assert store.record([event("ann", "a")], fold) == ["accepted"]


def test_keys_and_documents_expire_and_the_rest_stays(redis_url: str, client: Redis) -> None:
    store = RedisStore(redis_url, name="redis", timeout_s=5, key_ttl_s=3_600)
    store.record([event("ann", "a")], fold)
    store.change("ann", "facts", lambda _: b"1")
    store.put("decision", "1", b"", expires_s=60, customer_id="ann")
    expiring = {name.split(b":")[0]: client.ttl(name) for name in client.scan_iter() if client.ttl(name) >= 0}
    assert expiring.keys() == {b"event", b"document"}
    assert 3_590 <= expiring[b"event"] <= 3_600
    assert 50 <= expiring[b"document"] <= 60
    store.close()


def test_what_expired_is_no_longer_listed_as_hers(store: Store, client: Redis) -> None:
    store.put("decision", "1", b"", expires_s=1, customer_id="ann")
    client.zadd("papers:ann", {"document:decision:1": 1})  # as if it had been long ago
    store.put("decision", "2", b"", expires_s=60, customer_id="ann")
    assert client.zrange("papers:ann", 0, -1) == [b"document:decision:2"]


def test_a_database_of_a_newer_valet_is_refused(redis_url: str, client: Redis) -> None:
    client.set("schema", 2)
    with pytest.raises(InputError, match="schema version 2, this Valet knows 1"):
        open_store(redis_url)


def test_an_erased_customer_is_in_no_key_and_in_no_byte_of_any_value(store: Store, client: Redis) -> None:
    words = [b"ann@shop", b"word-of-an-event", b"word-of-a-fact", b"word-of-a-decision"]
    client.config_set("rdbcompression", "no")
    store.record([event("bob", f"e{number}") for number in range(50)], fold)
    for number in range(50):
        store.record([event("ann@shop", f"word-of-an-event {number}", f"word-of-a-key {number}")], fold)
    store.change("ann@shop", "facts", lambda _: b"word-of-a-fact")
    store.put("decision", "1", b"word-of-a-decision", customer_id="ann@shop")
    before = client.keys()
    assert [word for word in words if word in _bytes(client)] == words, "they are there before"
    store.erase("ann@shop")
    assert [word for word in words if word in _bytes(client)] == []
    assert len(before) - len(client.keys()) == 50 + 4, (
        "her keys of events, herself, her history, her papers, the decision"
    )


def _bytes(client: Redis) -> bytes:
    return b"".join(name + (client.dump(name) or b"") for name in client.scan_iter())


def test_reading_a_customer_is_one_command(store: Store, client: Redis) -> None:
    store.record([event("ann", "a")], fold)
    before = client.info("commandstats")
    for _ in range(10):
        store.customer("ann")
    after = client.info("commandstats")
    calls = {name: after[name]["calls"] - before.get(name, {"calls": 0})["calls"] for name in after}
    assert {name: number for name, number in calls.items() if number} == {"cmdstat_get": 10, "cmdstat_info": 1}
