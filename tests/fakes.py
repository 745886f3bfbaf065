"""Fakes with a dict inside: a store that keeps the contract of service.store, without a file or a server."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from models.errors import StoreUnavailable
from service.store import ITEMS, Customer, Entry, Fold, Join, Part, Status


class FakeStore:
    """See service.store.Store. `away` makes every call fail; `before_change` runs once inside the next `change`, as a faster caller would."""

    def __init__(self) -> None:
        self.people: dict[str, Customer] = {}
        self.log: list[Entry] = []
        self.papers: dict[tuple[str, str], bytes] = {}
        self.names: dict[str, str] = {}
        self.changed: dict[str, tuple[int, bytes]] = {}
        self.version = 0
        self.away = False
        self.writes = 0
        self.before_change: Callable[[], object] | None = None

    def customer(self, customer_id: str) -> Customer | None:
        self._answer()
        return self.people.get(self.names.get(customer_id, customer_id))

    def customers(self, customer_ids: Sequence[str]) -> list[Customer | None]:
        return [self.customer(customer_id) for customer_id in customer_ids]

    def record(self, entries: Sequence[Entry], fold: Fold) -> list[Status]:
        self._answer()
        return [self._record(entry, fold) for entry in entries]

    def _record(self, entry: Entry, fold: Fold) -> Status:
        if {key for known in self.log for key in known.keys} & set(entry.keys):
            return "repeated"
        self.writes += 1
        owner = self.names.get(entry.customer_id, entry.customer_id)
        entry = replace(entry, customer_id=owner, sequence=len(self.log) + 1)
        self.log.append(entry)
        old = self.people.get(entry.customer_id, Customer(entry.customer_id))
        profile = fold(entry.customer_id, old.profile, [entry])
        self.people[entry.customer_id] = replace(old, profile=profile, sequence=entry.sequence)
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
            old = replace(old, **{part: document})
            self.people[customer_id] = old
        stands: bytes | None = getattr(old, part)
        return stands

    def merge(self, anonymous: str, known: str, join: Join) -> bool:
        self._answer()
        known = self.names.get(known, known)
        if known in (anonymous, self.names.get(anonymous)):
            return False
        hers = self.people.get(known, Customer(known))
        self.people[known] = join(hers, self.people.pop(anonymous, Customer(anonymous)))
        self.log = [replace(e, customer_id=known) if e.customer_id == anonymous else e for e in self.log]
        self.names[anonymous] = known
        return True

    def publish(self, profiles: Iterable[tuple[str, bytes]], *, sequence: int, fold: Fold) -> int:
        self._answer()
        published = dict(profiles)
        for customer_id, profile in published.items():
            later = list(self.events(after=sequence, customer_id=customer_id))
            old = self.people.get(customer_id, Customer(customer_id))
            newest = fold(customer_id, profile, later) if later else profile
            self.people[customer_id] = replace(old, profile=newest, sequence=len(self.log))
        return len(published)

    def events(self, *, after: int = 0, customer_id: str | None = None) -> Iterator[Entry]:
        self._answer()
        return iter(
            [entry for entry in self.log if entry.sequence > after and customer_id in (None, entry.customer_id)]
        )

    def newest(self) -> int:
        self._answer()
        return len(self.log)

    def customer_ids(self) -> list[str]:
        self._answer()
        return sorted(self.people)

    def put(
        self, kind: str, key: str, document: bytes, *, expires_s: int | None = None, customer_id: str | None = None
    ) -> bool:
        self._answer()
        new = (kind, key) not in self.papers
        self.writes += new
        self.papers.setdefault((kind, key), document)
        return new

    def get(self, kind: str, key: str) -> bytes | None:
        self._answer()
        return self.papers.get((kind, key))

    def documents(self, kind: str) -> Iterator[tuple[str, bytes]]:
        self._answer()
        return iter([(key, document) for (name, key), document in sorted(self.papers.items()) if name == kind])

    def erase(self, customer_id: str) -> int:
        self._answer()
        return 1 if self.people.pop(customer_id, None) else 0

    def versions(self) -> Mapping[str, int]:
        self._answer()
        return {ITEMS: self.version} if self.version else {}

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
