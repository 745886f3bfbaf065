"""Fakes with a dict inside: a store that keeps the contract of service.store, without a file or a server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from models.budgets import FULL, Level, admits, drawn
from models.errors import StoreUnavailable
from service.store import (
    BLOCK,
    COUNTERS,
    ITEMS,
    NOTHING,
    TOMBSTONE,
    Customer,
    Entry,
    Fold,
    Found,
    Join,
    Move,
    PaperTakenError,
    Part,
    Settle,
    Settled,
    Settling,
    Sift,
    Status,
)


class FakeStore:
    """See service.store.Store. `away` makes every call fail; `before_change` runs once inside the next `change`, as a faster caller would."""

    capped = False

    def __init__(self) -> None:
        self.people: dict[str, Customer] = {}
        self.log: list[Entry] = []
        self.kept: dict[tuple[str, str], bytes] = {}
        self.aliases: dict[str, str] = {}
        self.found: set[tuple[str, str]] = set()
        self.whose: dict[tuple[str, str], str] = {}
        self.changed: dict[str, tuple[int, bytes]] = {}
        self.pools: dict[str, Level] = {}
        self.held: dict[tuple[str, str], tuple[int, int]] = {}
        self.version = 0
        self.counted: dict[str, tuple[int, float, float]] = {}
        self.counted_version = 0
        self.away = False
        self.writes = 0
        self.before_change: Callable[[], object] | None = None

    def customer(self, customer_id: str) -> Customer | None:
        self._answer()
        return self.people.get(self.aliases.get(customer_id, customer_id))

    def customers_with(self, customer_ids: Sequence[str], pools: Sequence[str], *, now: int) -> list[Found]:
        return [Found(customer, self.levels(pools, now=now)) for customer in self.customers(customer_ids)]

    def customers(self, customer_ids: Sequence[str]) -> list[Customer | None]:
        return [self.customer(customer_id) for customer_id in customer_ids]

    def record(self, entries: Sequence[Entry], fold: Fold, sift: Sift | None = None) -> list[Status]:
        self._answer()
        return [self._record(entry, fold, sift) for entry in entries]

    def _record(self, entry: Entry, fold: Fold, sift: Sift | None) -> Status:
        if {key for known in self.log for key in known.keys} & set(entry.keys):
            return "repeated"
        self.writes += 1
        owner = self.aliases.get(entry.customer_id, entry.customer_id)
        facts = self.people.get(owner, Customer(owner)).facts
        entry = entry._replace(customer_id=owner)
        entry = entry if sift is None or facts is None else sift(facts, entry)
        entry = entry._replace(sequence=len(self.log) + 1, received=entry.received or entry.at)
        self.log.append(entry)
        old = self.people.get(entry.customer_id, Customer(entry.customer_id))
        profile = fold(entry.customer_id, old.profile, [entry] if entry.folded else [])
        self.people[entry.customer_id] = old._replace(profile=profile, sequence=entry.sequence)
        return "accepted"

    def change(self, customer_id: str, part: Part, change: Callable[[bytes | None], bytes | None]) -> bytes | None:
        self._answer()
        change(getattr(self.people.get(customer_id, Customer(customer_id)), part))
        if self.before_change is not None:
            faster, self.before_change = self.before_change, None
            faster()
        old = self.people.get(customer_id, Customer(customer_id))
        document = change(getattr(old, part))
        if document is not None:
            self.writes += 1
            old = old._replace(**{part: document})
            self.people[customer_id] = old
        stands: bytes | None = getattr(old, part)
        return stands

    def settle(self, customer_id: str, settle: Settle, *, now: int) -> list[str]:
        self._answer()
        settle(self.people.get(customer_id, Customer(customer_id)).ledger)
        if self.before_change is not None:
            faster, self.before_change = self.before_change, None
            faster()
        old = self.people.get(customer_id, Customer(customer_id))
        settled = settle(old.ledger)
        if settled is None:
            return []
        if any((paper.kind, paper.key) in self.kept for paper in settled.papers):
            raise PaperTakenError(settled.papers[0].key)
        refused = self._move(settled.moves, now)
        if not refused:
            self.writes += 1
            for paper in settled.papers:
                self.put(paper.kind, paper.key, paper.document, expires_s=paper.expires_s, customer_id=customer_id)
            if settled.ledger is not None:
                self.people[customer_id] = old._replace(ledger=settled.ledger)
            self._count(settled.counts)
        return refused

    def settle_all(self, several: Sequence[Settling], *, now: int) -> list[Settled]:
        return [self._settled(one, now) for one in several]

    def _settled(self, one: Settling, now: int) -> Settled:
        try:
            return self.settle(one.customer_id, one.settle, now=now)
        except (PaperTakenError, StoreUnavailable) as error:
            return error

    def levels(self, pools: Sequence[str], *, now: int) -> dict[str, Level]:
        self._answer()
        return {name: self._level(name, now) for name in pools}

    def _level(self, name: str, now: int) -> Level:
        level = self.pools.get(name, FULL)
        late = sum(tokens for (pool, _), (tokens, until) in self.held.items() if pool == name and until <= now)
        return level._replace(used=level.used - late)

    def _move(self, moves: Sequence[Move], now: int) -> list[str]:
        pools, held, refused = dict(self.pools), dict(self.held), list[str]()
        for one in moves:
            name, key = one.pool.name, (one.pool.name, one.holder)
            level = self._level(name, now)
            self.held = {key: kept for key, kept in self.held.items() if key[0] != name or kept[1] > now}
            if one.kind == "take":
                if not admits(one.pool, level, tokens=one.tokens, bid=one.bid, now=now):
                    refused.append(name)
                    continue
                if one.until is not None:
                    self.held[key] = (one.tokens, one.until)
                level = drawn(one.pool, level, tokens=one.tokens, now=now)
            elif name not in self.pools:
                continue
            else:
                was_held = self.held.pop(key, None) is not None
                if one.kind == "keep" and not was_held:
                    level = level._replace(used=level.used + one.tokens)
                if one.kind == "back" and (was_held or not one.held):
                    level = level._replace(used=level.used - one.tokens)
            self.pools[name] = level
        if refused:
            self.pools, self.held = pools, held
        return refused

    def _count(self, counts: Mapping[str, tuple[float, float]]) -> None:
        self.counted_version += bool(counts)
        for name, (tries, positives) in counts.items():
            _, *sums = self.counted.get(name, (0, 0.0, 0.0))
            self.counted[name] = (self.counted_version, sums[0] + tries, sums[1] + positives)

    def counters(self, *, after_version: int = 0) -> tuple[int, dict[str, tuple[float, float]]]:
        self._answer()
        newer = {name: (n, p) for name, (version, n, p) in self.counted.items() if version > after_version}
        return self.counted_version, newer

    def merge(self, anonymous: str, known: str, join: Join) -> bool:
        self._answer()
        known = self.aliases.get(known, known)
        if known in (anonymous, self.aliases.get(anonymous)):
            return False
        hers = self.people.get(known, Customer(known))
        self.people[known] = join(hers, self.people.pop(anonymous, Customer(anonymous)))
        self.log = [e._replace(customer_id=known) if e.customer_id == anonymous else e for e in self.log]
        self.aliases[anonymous] = known
        return True

    def publish(self, profiles: Iterable[tuple[str, bytes]], *, sequence: int, fold: Fold) -> int:
        self._answer()
        published = dict(profiles)
        for customer_id, profile in published.items():
            later = list(self.events(after=sequence, customer_id=customer_id))
            old = self.people.get(customer_id, Customer(customer_id))
            newest = fold(customer_id, profile, later) if later else profile
            self.people[customer_id] = old._replace(profile=newest, sequence=len(self.log))
        return len(published)

    def events(self, *, after: int = 0, customer_id: str | None = None) -> Iterator[Entry]:
        self._answer()
        return iter(
            [entry for entry in self.log if entry.sequence > after and customer_id in (None, entry.customer_id)]
        )

    def blocks(self) -> dict[int, int]:
        self._answer()
        return dict(Counter((entry.sequence - 1) // BLOCK for entry in self.log))

    def drop(self, entries: Sequence[Entry]) -> int:
        gone, before = {entry.sequence for entry in entries}, len(self.log)
        self.log = [entry for entry in self.log if entry.sequence not in gone]
        return before - len(self.log)

    def newest(self) -> int:
        self._answer()
        return len(self.log)

    def customer_ids(self) -> list[str]:
        self._answer()
        return sorted(self.people)

    def names(self) -> dict[str, str]:
        return dict(self.aliases)

    def names_of(self, customer_id: str) -> list[str]:
        return sorted(name for name, owner in self.aliases.items() if owner == customer_id)

    def put(
        self, kind: str, key: str, document: bytes, *, expires_s: int | None = None, customer_id: str | None = None
    ) -> bool:
        self._answer()
        new = (kind, key) not in self.kept
        self.writes += new
        if customer_id is not None:
            self.whose.setdefault((kind, key), customer_id)
        self.kept.setdefault((kind, key), document)
        return new

    def get(self, kind: str, key: str) -> bytes | None:
        self._answer()
        return self.kept.get((kind, key))

    def get_many(self, kind: str, keys: Sequence[str]) -> list[bytes | None]:
        return [self.get(kind, key) for key in keys]

    def papers(self, customer_id: str) -> list[tuple[str, str, bytes]]:
        return [(*paper, self.kept[paper]) for paper, owner in sorted(self.whose.items()) if owner == customer_id]

    def keys(self, kind: str) -> list[str]:
        self._answer()
        return [key for name, key in self.kept if name == kind]

    def documents(self, kind: str) -> Iterator[tuple[str, bytes]]:
        self._answer()
        return iter([(key, document) for (name, key), document in sorted(self.kept.items()) if name == kind])

    def findable(self, customer_id: str, digests: Iterable[str], *, no_longer: Iterable[str] = ()) -> None:
        self._answer()
        self.found -= {(digest, customer_id) for digest in no_longer}
        self.found |= {(digest, customer_id) for digest in digests}

    def find(self, digest: str) -> list[str]:
        return sorted(customer_id for found, customer_id in self.found if found == digest)

    def erase(self, customer_id: str, *, leaving: Mapping[str, bytes] = NOTHING) -> int:
        self._answer()
        self.kept |= {(TOMBSTONE, key): document for key, document in leaving.items()}
        return 1 if self.people.pop(customer_id, None) else 0

    def scrub(self) -> None:
        self._answer()

    def versions(self) -> Mapping[str, int]:
        self._answer()
        versions = {ITEMS: self.version, COUNTERS: self.counted_version}
        return {name: version for name, version in versions.items() if version}

    def bump(self, name: str) -> int:
        return 1

    def upsert_items(self, documents: Mapping[str, bytes]) -> int:
        self._answer()
        self.version += 1
        self.changed |= {item_id: (self.version, document) for item_id, document in documents.items()}
        return self.version

    def change_item(self, item_id: str, change: Callable[[bytes | None], bytes | None]) -> bytes | None:
        stands = self.item(item_id)
        changed = change(stands)
        if changed is None:
            return stands
        self.upsert_items({item_id: changed})
        return changed

    def item(self, item_id: str) -> bytes | None:
        self._answer()
        return self.changed[item_id][1] if item_id in self.changed else None

    def items(self, *, after_version: int = 0) -> tuple[int, dict[str, bytes]]:
        self._answer()
        newer = {item_id: document for item_id, (version, document) in self.changed.items() if version > after_version}
        return self.version, newer

    def ping(self) -> None:
        self._answer()

    def close(self) -> None:
        return None

    def _answer(self) -> None:
        if self.away:
            raise StoreUnavailable("the fake is away")
