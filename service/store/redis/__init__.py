"""The store on a Redis server, for the workers of several machines.

A customer is one string, so that reading her is one GET; she is changed by compare and set of its stamp. Redis must not evict
(`maxmemory-policy noeviction`); what survives its own death is for its `appendonly` and `appendfsync` to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial

from models.budgets import Level
from service.store import (
    KEY_TTL_S,
    NOTHING,
    Customer,
    Entry,
    Fold,
    Found,
    Join,
    Paper,
    Part,
    Settle,
    Settled,
    Settling,
    Sift,
    Status,
    refused,
)
from service.store.groups import Call, recorded
from service.store.redis import counters, customers, events, items, keys, names, papers, pools, profiles, settlement
from service.store.redis.server import RedisServer, by_name
from service.store.together import Together

TIMEOUT_S = 0.05
SCRUB_S = 5.0  # how long an erasure waits until the server has written its files anew


class RedisStore:
    """See service.store.Store. `name` stands for the URL in messages; repeats are known for `key_ttl_s`."""

    capped = True

    def __init__(self, url: str, *, name: str, timeout_s: float = TIMEOUT_S, key_ttl_s: int = KEY_TTL_S) -> None:
        self._server = RedisServer(url, name=name, timeout_s=timeout_s)
        self._record = partial(profiles.record, self._server, key_ttl_s)
        self._records: Together[Call, list[Status]] = Together()

    def customer(self, customer_id: str) -> Customer | None:
        document = self._server.call("GET", keys.key("customer", customer_id))
        if (owner := keys.moved_to(document)) is not None:
            return self.customer(owner)  # only under another name of hers: a second round trip
        return None if document is None else keys.load_customer(customer_id, document)[1]

    def customers_with(self, customer_ids: Sequence[str], pools_: Sequence[str], *, now: int) -> list[Found]:
        documents, levels = pools.read(
            self._server, [keys.key("customer", name) for name in customer_ids], pools_, now=now
        )
        read = customers.loaded(self._server, customer_ids, documents)
        found = (read[name] for name in customer_ids)
        return [Found(customer if stamp != keys.NEW else None, levels, stamp) for stamp, customer in found]

    def customers(self, customer_ids: Sequence[str]) -> list[Customer | None]:
        read, _ = customers.read(self._server, customer_ids)
        return [customer if stamp != keys.NEW else None for stamp, customer in (read[name] for name in customer_ids)]

    def record(self, entries: Sequence[Entry], fold: Fold, sift: Sift | None = None) -> list[Status]:
        return self._records.make(Call(entries, fold, sift), partial(recorded, record=self._record))

    def change(self, customer_id: str, part: Part, change: Callable[[bytes | None], bytes | None]) -> bytes | None:
        return customers.change(self._server, customer_id, part, change)

    def settle(self, customer_id: str, settle: Settle, *, now: int) -> list[str]:
        return refused(settlement.settle(self._server, Settling(customer_id, settle), now=now))

    def settle_all(self, several: Sequence[Settling], *, now: int) -> list[Settled]:
        return settlement.settle_all(self._server, several, now=now)

    def levels(self, pools_: Sequence[str], *, now: int) -> dict[str, Level]:
        return pools.levels(self._server, pools_, now=now)

    def counters(self, *, after_version: int = 0) -> tuple[int, dict[str, tuple[float, float]]]:
        return counters.since(self._server, after_version)

    def merge(self, anonymous: str, known: str, join: Join) -> bool:
        return customers.merge(self._server, anonymous, known, join)

    def publish(self, profiles_: Iterable[tuple[str, bytes]], *, sequence: int, fold: Fold) -> int:
        return profiles.publish(self._server, profiles_, sequence=sequence, fold=fold)

    def events(self, *, after: int = 0, customer_id: str | None = None) -> Iterator[Entry]:
        if customer_id is None:
            return events.every(self._server, after)
        owner = keys.moved_to(self._server.call("GET", keys.key("customer", customer_id)))
        return events.of(self._server, owner or customer_id, after)

    def blocks(self) -> dict[int, int]:
        return events.blocks(self._server)

    def drop(self, entries: Sequence[Entry]) -> int:
        return events.drop(self._server, entries)

    def newest(self) -> int:
        return events.newest(self._server)

    def customer_ids(self) -> list[str]:
        prefix = keys.key("customer", "")
        return sorted({keys.load_name(prefix, name) for name in self._server.named(prefix)} - self.names().keys())

    def names(self) -> dict[str, str]:
        return names.every(self._server)

    def names_of(self, customer_id: str) -> list[str]:
        return names.of(self._server, customer_id)

    def put(
        self, kind: str, key: str, document: bytes, *, expires_s: int | None = None, customer_id: str | None = None
    ) -> bool:
        return papers.put(self._server, Paper(kind, key, document, expires_s), customer_id)

    def get(self, kind: str, key: str) -> bytes | None:
        document: bytes | None = self._server.call("GET", keys.document_key(kind, key))
        return document

    def get_many(self, kind: str, keys_: Sequence[str]) -> list[bytes | None]:
        asked = [keys.document_key(kind, key) for key in keys_]
        return list(self._server.call("MGET", *asked)) if asked else []

    def papers(self, customer_id: str) -> list[tuple[str, str, bytes]]:
        return papers.of(self._server, customer_id)

    def keys(self, kind: str) -> list[str]:
        return papers.keys_of(self._server, kind)

    def documents(self, kind: str) -> Iterator[tuple[str, bytes]]:
        return papers.every(self._server, kind)

    def findable(self, customer_id: str, digests: Iterable[str], *, no_longer: Iterable[str] = ()) -> None:
        names.findable(self._server, customer_id, digests, no_longer)

    def find(self, digest: str) -> list[str]:
        return sorted(found.decode() for found in self._server.call("SMEMBERS", keys.key("found", digest)))

    def erase(self, customer_id: str, *, leaving: Mapping[str, bytes] = NOTHING) -> int:
        return customers.erase(self._server, customer_id, leaving)

    def scrub(self) -> None:
        self._server.rewrite(patience_s=SCRUB_S)

    def versions(self) -> Mapping[str, int]:
        found = by_name(self._server.call("HGETALL", keys.VERSIONS))
        return {name.decode(): int(version) for name, version in found.items()}

    def bump(self, name: str) -> int:
        return int(self._server.call("HINCRBY", keys.VERSIONS, keys.utf8(name), 1))

    def upsert_items(self, documents: Mapping[str, bytes]) -> int:
        return items.upsert(self._server, documents)

    def change_item(self, item_id: str, change: Callable[[bytes | None], bytes | None]) -> bytes | None:
        return items.change(self._server, item_id, change)

    def item(self, item_id: str) -> bytes | None:
        return items.one(self._server, item_id)

    def items(self, *, after_version: int = 0) -> tuple[int, dict[str, bytes]]:
        return items.since(self._server, after_version)

    def ping(self) -> None:
        self._server.call("PING")

    def close(self) -> None:
        self._server.close()
