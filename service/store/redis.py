"""The store on a Redis server, for the workers of several machines.

A customer is one string, so that reading her is one GET; she is changed by compare and set of its stamp. Redis must not evict
(`maxmemory-policy noeviction`); what survives its own death is for its `appendonly` and `appendfsync` to say.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from models.budgets import Level
from models.errors import InputError, StoreUnavailable
from service.store import (
    COUNTERS,
    ITEMS,
    KEY_TTL_S,
    NOTHING,
    POOL_KEPT_S,
    TOMBSTONE,
    Customer,
    Entry,
    Fold,
    Join,
    Move,
    PaperTakenError,
    Part,
    Settle,
    Settlement,
    Status,
)
from service.store import redis_keys as keys
from service.store import redis_scripts as scripts
from service.store.redis_server import RedisServer

TIMEOUT_S = 0.05
CONTENTION_S = 1.0  # how long to try again while others change the same customer
BATCH = 100  # profiles a script: about a millisecond of the server
CHUNK = 1000  # profiles a round trip
PAGE = 500
SCRUB_S = 5.0  # how long an erasure waits until the server has written its files anew
SCAN = 2000  # keys that one step of a walk looks at: about a millisecond of the server


class RedisStore:
    """See service.store.Store. `name` stands for the URL in messages; repeats are known for `key_ttl_s`."""

    capped = True

    def __init__(self, url: str, *, name: str, timeout_s: float = TIMEOUT_S, key_ttl_s: int = KEY_TTL_S) -> None:
        self._server = RedisServer(url, name=name, timeout_s=timeout_s)
        self._key_ttl_s = key_ttl_s

    def customer(self, customer_id: str) -> Customer | None:
        document = self._server.call("GET", keys.customer_key(customer_id))
        if (owner := keys.moved_to(document)) is not None:
            return self.customer(owner)  # only under another name of hers: a second round trip
        return None if document is None else keys.load_customer(customer_id, document)[1]

    def customers(self, customer_ids: Sequence[str]) -> list[Customer | None]:
        read = self._read(customer_ids)
        return [customer if stamp != keys.NEW else None for stamp, customer in (read[name] for name in customer_ids)]

    def record(self, entries: Sequence[Entry], fold: Fold) -> list[Status]:
        statuses: dict[int, Status] = {}
        pending = list(range(len(entries)))
        for _ in _attempts():
            statuses |= self._record([(index, entries[index]) for index in pending], fold)
            pending = [index for index in pending if index not in statuses]
            if not pending:
                break
        return [statuses[index] for index in range(len(entries))]

    def _record(self, pending: list[tuple[int, Entry]], fold: Fold) -> dict[int, Status]:
        """What could be decided in one reading and one writing. Left over: who was changed meanwhile, and repeats within the call."""
        digests = {index: [keys.digest(key) for key in entry.keys] for index, entry in pending}
        read, known = self._read_with(
            {entry.customer_id for _, entry in pending}, set(itertools.chain(*digests.values()))
        )
        statuses: dict[int, Status] = {}
        accepted: dict[str, list[tuple[int, Entry]]] = {}
        taken: set[bytes] = set()
        for index, entry in pending:
            if not known.isdisjoint(digests[index]):
                statuses[index] = "repeated"
            elif taken.isdisjoint(digests[index]):
                taken.update(digests[index])
                owner = read[entry.customer_id][1].customer_id
                accepted.setdefault(owner, []).append((index, replace(entry, customer_id=owner)))
        owners = {customer.customer_id: (stamp, customer) for stamp, customer in read.values()}
        calls = []
        for customer_id, new in accepted.items():
            stamp, customer = owners[customer_id]
            newer = replace(customer, profile=fold(customer_id, customer.profile, [entry for _, entry in new]))
            events = [(b"".join(digests[index]), keys.dump_entry(entry)) for index, entry in new]
            calls.append(self._commit(stamp, newer, events))
        for new, done in zip(accepted.values(), self._server.run(scripts.COMMIT, calls), strict=True):
            if done:
                statuses |= {index: "accepted" for index, _ in new}
        return statuses

    def change(self, customer_id: str, part: Part, change: Callable[[bytes | None], bytes | None]) -> bytes | None:
        for _ in _attempts():
            stamp, customer = self._read([customer_id])[customer_id]
            stands: bytes | None = getattr(customer, part)
            changed = change(stands)
            if changed is None:
                return stands
            newer = Customer(**{**vars(customer), part: changed})
            if self._server.run(scripts.COMMIT, [self._commit(stamp, newer)])[0]:
                break
        return changed

    def settle(self, customer_id: str, settle: Settle, *, now: int) -> list[str]:
        for _ in _attempts():
            stamp, customer = self._read([customer_id])[customer_id]
            settled = settle(customer.ledger)
            if settled is None:
                return []
            call = _settling(stamp, customer, settled, now)
            answer = self._server.run(scripts.SETTLE, [call])[0]
            if isinstance(answer, list):
                return [name.decode() for name in answer]
            if answer == scripts.TAKEN:
                raise PaperTakenError(settled.papers[0].key)
            if answer:
                break
        return []

    def levels(self, pools: Sequence[str], *, now: int) -> dict[str, Level]:
        if not pools:
            return {}
        found = self._server.run(scripts.LEVELS, [((), (now, *map(keys.utf8, pools)))])[0]
        rows = [level.decode().split() for level in found]
        levels = [Level(int(used), float(price), int(at)) for used, price, at in rows]
        return dict(zip(pools, levels, strict=True))

    def counters(self, *, after_version: int = 0) -> tuple[int, dict[str, tuple[float, float]]]:
        version, names = self._server.calls(
            [("HGET", keys.VERSIONS, COUNTERS), ("ZRANGEBYSCORE", keys.COUNTED_LAST, f"({after_version}", "+inf")],
            bulk=True,
        )
        sums: dict[str, tuple[float, float]] = {}
        for start in range(0, len(names), PAGE):
            page = names[start : start + PAGE]
            [found] = self._server.calls([("HMGET", keys.COUNTED, *page)], bulk=True)
            pairs = (pair.split() for pair in found)
            sums |= {name.decode(): (float(n), float(p)) for name, (n, p) in zip(page, pairs, strict=True)}
        return int(version or 0), sums

    def merge(self, anonymous: str, known: str, join: Join) -> bool:
        for _ in _attempts():
            document: bytes | None = self._server.call("GET", keys.customer_key(anonymous))
            before = keys.moved_to(document)
            stamp, hers = self._read([known])[known]
            if hers.customer_id in (anonymous, before):
                return False
            mark, other = (keys.NEW, None) if document is None else keys.load_customer(anonymous, document)
            parts = join(hers, other if other is not None and before is None else Customer(anonymous))
            events = list(self._events_of(anonymous, 0))
            call = _merging(anonymous, mark, replace(parts, customer_id=hers.customer_id), stamp, before, events)
            if self._server.run(scripts.MERGE, [call], bulk=True)[0]:
                break
        return True

    def publish(self, profiles: Iterable[tuple[str, bytes]], *, sequence: int, fold: Fold) -> int:
        rows, count = iter(profiles), 0
        while chunk := list(itertools.islice(rows, CHUNK)):
            batches = [chunk[start : start + BATCH] for start in range(0, len(chunk), BATCH)]
            answers = self._server.run(scripts.PUBLISH, [_publication(batch, sequence) for batch in batches], bulk=True)
            for batch, late in zip(batches, answers, strict=True):
                if late == -1:
                    raise InputError(
                        f"the event log has not come to {sequence}: it was emptied or exchanged since training read it. Train again."
                    )
                for index in late:
                    self._refold(batch[index], sequence, fold)
            count += len(chunk)
        return count

    def _refold(self, row: tuple[str, bytes], sequence: int, fold: Fold) -> None:
        """Set a profile together with the events that came after `sequence`."""
        customer_id, profile = row
        for _ in _attempts():
            stamp, customer = self._read([customer_id])[customer_id]
            events = list(self.events(after=sequence, customer_id=customer_id))
            newer = replace(
                customer,
                profile=fold(customer_id, profile, events) if events else profile,
                sequence=events[-1].sequence if events else sequence,
            )
            if self._server.run(scripts.COMMIT, [self._commit(stamp, newer)])[0]:
                break

    def events(self, *, after: int = 0, customer_id: str | None = None) -> Iterator[Entry]:
        if customer_id is not None:
            owner = keys.moved_to(self._server.call("GET", keys.customer_key(customer_id)))
            yield from self._events_of(owner or customer_id, after)
            return
        for bucket in range(after // keys.BUCKET, -(-self.newest() // keys.BUCKET)):
            [found] = self._server.calls([("HGETALL", keys.log_key(bucket))], bulk=True)
            for sequence in sorted(int(field) for field in found):
                if sequence > after:
                    yield keys.load_entry(sequence, found[b"%d" % sequence])

    def _events_of(self, customer_id: str, after: int) -> Iterator[Entry]:
        [found] = self._server.calls([("LRANGE", keys.history_key(customer_id), 0, -1)], bulk=True)
        sequences = [sequence for sequence in map(keys.load_sequence, found) if sequence > after]
        for start in range(0, len(sequences), PAGE):
            page = sequences[start : start + PAGE]
            reads = [("HGET", keys.log_key((sequence - 1) // keys.BUCKET), sequence) for sequence in page]
            for sequence, document in zip(page, self._server.calls(reads, bulk=True), strict=True):
                if document is not None:
                    yield keys.load_entry(sequence, document)

    def drop(self, entries: Sequence[Entry]) -> int:
        rows = [(one.sequence, keys.history_key(one.customer_id), keys.dump_history(one)) for one in entries]
        pages = [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]
        calls: list[tuple[Sequence[Any], Sequence[Any]]] = [((), tuple(itertools.chain(*page))) for page in pages]
        return sum(map(int, self._server.run(scripts.DROP, calls, bulk=True))) if calls else 0

    def newest(self) -> int:
        return int(self._server.call("GET", keys.SEQUENCE) or 0)

    def customer_ids(self) -> list[str]:
        prefix = keys.customer_key("")
        return sorted({keys.load_name(prefix, name) for name in self._named(prefix)} - self.names().keys())

    def names(self) -> dict[str, str]:
        prefix = keys.names_key("")
        owners = sorted({keys.load_name(prefix, name) for name in self._named(prefix)})
        return {name: owner for owner in owners for name in self.names_of(owner)}

    def names_of(self, customer_id: str) -> list[str]:
        return sorted(name.decode() for name in self._server.call("SMEMBERS", keys.names_key(customer_id)))

    def put(
        self, kind: str, key: str, document: bytes, *, expires_s: int | None = None, customer_id: str | None = None
    ) -> bool:
        whose = [] if customer_id is None else [keys.customer_key(customer_id)]
        arguments = (document, "" if expires_s is None else expires_s, keys.utf8(customer_id or ""))
        return bool(self._server.run(scripts.PUT, [((keys.document_key(kind, key), *whose), arguments)])[0])

    def get(self, kind: str, key: str) -> bytes | None:
        document: bytes | None = self._server.call("GET", keys.document_key(kind, key))
        return document

    def get_many(self, kind: str, keys_: Sequence[str]) -> list[bytes | None]:
        names = [keys.document_key(kind, key) for key in keys_]
        return list(self._server.call("MGET", *names)) if names else []

    def papers(self, customer_id: str) -> list[tuple[str, str, bytes]]:
        owner = keys.moved_to(self._server.call("GET", keys.customer_key(customer_id))) or customer_id
        [names] = self._server.calls([("ZRANGE", keys.papers_key(owner), 0, -1)], bulk=True)
        found: list[tuple[str, str, bytes]] = []
        for start in range(0, len(names), PAGE):
            page = names[start : start + PAGE]
            [documents] = self._server.calls([("MGET", *page)], bulk=True)
            kept = ((name, document) for name, document in zip(page, documents, strict=True) if document is not None)
            found += [(*keys.load_document_key(name), document) for name, document in kept]
        return sorted(found)

    def documents(self, kind: str) -> Iterator[tuple[str, bytes]]:
        prefix = keys.document_key(kind, "")
        names = sorted(set(self._named(prefix)))
        for start in range(0, len(names), PAGE):
            page = names[start : start + PAGE]
            [found] = self._server.calls([("MGET", *page)], bulk=True)
            yield from (
                (keys.load_name(prefix, name), document)
                for name, document in zip(page, found, strict=True)
                if document is not None
            )

    def findable(self, customer_id: str, digests: Iterable[str], *, no_longer: Iterable[str] = ()) -> None:
        gone = tuple(no_longer)
        arguments = (keys.utf8(customer_id), len(gone), *gone, *digests)
        self._server.run(scripts.FINDABLE, [((keys.customer_key(customer_id),), arguments)])

    def find(self, digest: str) -> list[str]:
        return sorted(found.decode() for found in self._server.call("SMEMBERS", keys.found_key(digest)))

    def erase(self, customer_id: str, *, leaving: Mapping[str, bytes] = NOTHING) -> int:
        of = (keys.customer_key, keys.history_key, keys.papers_key, keys.names_key, keys.finds_key)
        hers = tuple(key(customer_id) for key in of)
        left = [(keys.document_key(TOMBSTONE, key), document) for key, document in leaving.items()]
        arguments = (keys.utf8(customer_id), *itertools.chain(*left))
        return int(self._server.run(scripts.ERASE, [(hers, arguments)], bulk=True)[0])

    def scrub(self) -> None:
        self._server.rewrite(patience_s=SCRUB_S)

    def versions(self) -> Mapping[str, int]:
        found = self._server.call("HGETALL", keys.VERSIONS)
        return {name.decode(): int(version) for name, version in found.items()}

    def bump(self, name: str) -> int:
        return int(self._server.call("HINCRBY", keys.VERSIONS, keys.utf8(name), 1))

    def upsert_items(self, documents: Mapping[str, bytes]) -> int:
        pairs = [(keys.utf8(item_id), document) for item_id, document in documents.items()]
        names = (keys.VERSIONS, keys.ITEM_DOCUMENTS, keys.ITEMS_CHANGED)
        return int(self._server.run(scripts.UPSERT_ITEMS, [(names, (ITEMS, *itertools.chain(*pairs)))])[0])

    def change_item(self, item_id: str, change: Callable[[bytes | None], bytes | None]) -> bytes | None:
        names = (keys.VERSIONS, keys.ITEM_DOCUMENTS, keys.ITEMS_CHANGED)
        for _ in _attempts():
            stands = self.item(item_id)
            changed = change(stands)
            if changed is None:
                return stands
            arguments = (ITEMS, keys.utf8(item_id), stands or b"", changed)
            if self._server.run(scripts.CHANGE_ITEM, [(names, arguments)])[0]:
                break
        return changed

    def item(self, item_id: str) -> bytes | None:
        document: bytes | None = self._server.call("HGET", keys.ITEM_DOCUMENTS, keys.utf8(item_id))
        return document

    def items(self, *, after_version: int = 0) -> tuple[int, dict[str, bytes]]:
        # The version first: a change that comes in between is read twice, never missed.
        version, changed = self._server.calls(
            [("HGET", keys.VERSIONS, ITEMS), ("ZRANGEBYSCORE", keys.ITEMS_CHANGED, f"({after_version}", "+inf")],
            bulk=True,
        )
        documents: dict[str, bytes] = {}
        for start in range(0, len(changed), PAGE):
            page = changed[start : start + PAGE]
            [found] = self._server.calls([("HMGET", keys.ITEM_DOCUMENTS, *page)], bulk=True)
            documents |= {item_id.decode(): document for item_id, document in zip(page, found, strict=True)}
        return int(version or 0), documents

    def ping(self) -> None:
        self._server.call("PING")

    def close(self) -> None:
        self._server.close()

    def _named(self, prefix: bytes) -> Iterator[bytes]:
        """The keys that begin so, some of them twice: a walk over all keys of the database, a page a round trip."""
        cursor, pattern = b"0", keys.literally(prefix) + b"*"
        while True:
            [[cursor, page]] = self._server.calls([("SCAN", cursor, "MATCH", pattern, "COUNT", SCAN)], bulk=True)
            yield from page
            if cursor in (0, b"0"):
                return

    def _read(self, customer_ids: Sequence[str]) -> dict[str, tuple[bytes, Customer]]:
        return self._read_with(customer_ids, ())[0]

    def _read_with(
        self, customer_ids: Iterable[str], digests: Iterable[bytes]
    ) -> tuple[dict[str, tuple[bytes, Customer]], set[bytes]]:
        """The customers with their stamps, and which of the events' keys are known; one round trip."""
        ids, asked = list(customer_ids), list(digests)
        if not ids:
            return {}, set()
        found: list[Any] = self._server.call("MGET", *map(keys.customer_key, ids), *map(keys.event_key, asked))
        customers = {
            name: (keys.NEW, Customer(name)) if document is None else keys.load_customer(name, document)
            for name, document in zip(ids, found[: len(ids)], strict=True)
        }
        owners = {
            name: owner
            for name, document in zip(ids, found[: len(ids)], strict=True)
            if (owner := keys.moved_to(document)) is not None
        }
        if owners:
            kept = self._read_with(set(owners.values()), ())[0]
            customers |= {name: kept[owner] for name, owner in owners.items()}
        return customers, {digest for digest, seen in zip(asked, found[len(ids) :], strict=True) if seen is not None}

    def _commit(
        self, stamp: bytes, customer: Customer, events: Sequence[tuple[bytes, bytes]] = ()
    ) -> tuple[Sequence[bytes], Sequence[Any]]:
        """Keys and arguments of scripts.COMMIT; an event is the digests of its keys, and itself."""
        names = (keys.customer_key(customer.customer_id), keys.SEQUENCE, keys.history_key(customer.customer_id))
        head = (stamp, os.urandom(8), customer.sequence, keys.dump_parts(customer), self._key_ttl_s)
        return names, (*head, *itertools.chain(*events))


def _publication(batch: list[tuple[str, bytes]], sequence: int) -> tuple[Sequence[bytes], Sequence[Any]]:
    """Keys and arguments of scripts.PUBLISH."""
    names = (keys.SEQUENCE, *(keys.customer_key(customer_id) for customer_id, _ in batch))
    return names, (sequence, os.urandom(8), *(profile for _, profile in batch))


def _settling(stamp: bytes, customer: Customer, settled: Settlement, now: int) -> tuple[Sequence[bytes], Sequence[Any]]:
    """Keys and arguments of scripts.SETTLE."""
    whose, papers = customer.customer_id, settled.papers
    names = [keys.customer_key(whose), keys.VERSIONS, keys.COUNTED, keys.COUNTED_LAST]
    names += [keys.document_key(paper.kind, paper.key) for paper in papers]
    parts = b"" if settled.ledger is None else keys.dump_parts(replace(customer, ledger=settled.ledger))
    moves = list(itertools.chain(*map(_moving, settled.moves)))
    kept = [(paper.document, "" if paper.expires_s is None else paper.expires_s) for paper in papers]
    added = [(keys.utf8(name), repr(tries), repr(positives)) for name, (tries, positives) in settled.counts.items()]
    head = (stamp, os.urandom(8), customer.sequence, parts, now, POOL_KEPT_S, COUNTERS, keys.utf8(whose), len(moves))
    return names, (*head, *moves, *itertools.chain(*kept), *itertools.chain(*added))


def _moving(move: Move) -> Sequence[Any]:
    """The arguments of one move in scripts.SETTLE."""
    pool, until = move.pool, "" if move.until is None else move.until
    where = (move.kind, keys.utf8(pool.name), pool.cap, pool.ends, repr(pool.step))
    return (*where, keys.utf8(move.holder), move.tokens, repr(move.bid), until, int(move.held))


def _merging(
    name: str, mark: bytes, customer: Customer, stamp: bytes, before: str | None, events: Sequence[Entry]
) -> tuple[Sequence[bytes], Sequence[Any]]:
    """Keys and arguments of scripts.MERGE."""
    known = customer.customer_id
    pairs = ((keys.customer_key, name, known), (keys.history_key, name, known), (keys.papers_key, name, known))
    names = [key(whose) for key, *both in pairs for whose in both]
    names += [
        keys.names_key(name),
        keys.names_key(known),
        keys.names_key(known if before is None else before),
        keys.SEQUENCE,
        keys.finds_key(name),
        keys.finds_key(known),
    ]
    head = (mark, stamp, os.urandom(8), customer.sequence, keys.dump_parts(customer), keys.utf8(name), keys.utf8(known))
    moved = [
        (event.sequence, b"".join(map(keys.digest, event.keys)), keys.dump_entry(replace(event, customer_id=known)))
        for event in events
    ]
    return names, (*head, *itertools.chain(*moved))


def _attempts() -> Iterator[None]:
    """Once, and again for CONTENTION_S; then StoreUnavailable."""
    deadline = time.monotonic() + CONTENTION_S
    yield
    while time.monotonic() < deadline:
        yield
    raise StoreUnavailable(f"redis: others kept changing the same customer for {CONTENTION_S:g} s. Try again.")
