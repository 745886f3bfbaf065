"""Erasure: a customer is forgotten, with everything that names her, and stays forgotten.

    look (dry run) → what is kept under her id, her other names and her visit → erase each, leaving tombstones → a receipt

A tombstone is a keyed hash of an id with the receipt: it names nobody, and tells later imports and trainings whom not to bring back. What she
does afterwards is new, and begins her anew; what is sent late of the time before is refused. Erasing again answers the same receipt.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

import orjson

from service.decisions import ledger as ledger_of
from service.decisions.chain import EMPTIED, name_of
from service.decisions.record import KIND
from service.people import facts as facts_of
from service.people.customers import SESSION
from service.people.pseudonyms import Pseudonyms
from service.store import TOMBSTONE, Customer, Store

EMPTIED_KEPT_S = 3 * 365 * 86_400  # longer than most keep their decisions
NAME = "name"  # what a tombstone's pseudonym is of
COUNTED = ("customers", "names", "attributes", "consents", "contacts", "events", "documents")


@dataclass(frozen=True)
class Receipt:
    """What was erased, in numbers; it names nobody. `at`: seconds since 1970 UTC."""

    erasure_id: str | None
    at: int
    counts: Mapping[str, int]


class Tombs:
    """Who was erased in one store."""

    def __init__(self, store: Store, pseudonyms: Pseudonyms) -> None:
        self._store = store
        self._pseudonyms = pseudonyms

    def key(self, name: str) -> str:
        """The key of a name's tombstone."""
        return self._pseudonyms.of(NAME, name)

    def erased(self, names: Iterable[str]) -> dict[str, int]:
        """Those of some names that were erased, and when; one round trip."""
        asked = list(dict.fromkeys(names))
        found = self._store.get_many(TOMBSTONE, [self.key(name) for name in asked])
        return {name: load(stone).at for name, stone in zip(asked, found, strict=True) if stone is not None}

    def receipt(self, name: str) -> Receipt | None:
        """The receipt of a name's erasure; None where it never was."""
        stone = self._store.get(TOMBSTONE, self.key(name))
        return None if stone is None else load(stone)

    def all(self) -> dict[str, int]:
        """Every tombstone: its key, and when. For jobs."""
        return {key: load(stone).at for key, stone in self._store.documents(TOMBSTONE)}


def load(stone: bytes) -> Receipt:
    """The receipt in a tombstone."""
    return Receipt(**orjson.loads(stone))


def look(store: Store, tombs: Tombs, customer_id: str, *, now: int) -> Receipt:
    """What an erasure would remove; where nothing is kept, what the last one removed. Writes nothing."""
    counts = _counts(store, _owners(store, customer_id))
    if not any(counts.values()) and (before := tombs.receipt(customer_id)) is not None:
        return before
    return Receipt(None, now, counts)


def erase(store: Store, tombs: Tombs, customer_id: str, *, now: int) -> tuple[Receipt, bool]:
    """Erase her; the receipt, and whether it is of now. Raises StoreUnavailable where bytes may be left: send it again then."""
    owners = _owners(store, customer_id)
    names = _names(store, customer_id, owners)
    found = look(store, tombs, customer_id, now=now)
    fresh = found.erasure_id is None
    receipt = Receipt(secrets.token_hex(16), now, found.counts) if fresh else found
    stones = {tombs.key(name): orjson.dumps(asdict(receipt)) for name in names} if fresh else {}
    _empty(store, owners)
    for name in names:
        store.erase(name, leaving=stones)
    store.scrub()
    return receipt, fresh


def _empty(store: Store, owners: Sequence[str]) -> None:
    """Say that there were decisions: their records go with her, and the chain that they stand in still holds."""
    for owner in owners:
        for kind, key, _ in store.papers(owner):
            if kind == KIND:
                store.put(EMPTIED, name_of(key), b"", expires_s=EMPTIED_KEPT_S)


def _owners(store: Store, customer_id: str) -> list[str]:
    """The ids under which something may be kept of her: that of her name, and that of the visit of that name."""
    asked = (customer_id, f"{SESSION}{customer_id}")
    found = store.customers(asked)
    kept = (name if one is None else one.customer_id for name, one in zip(asked, found, strict=True))
    return list(dict.fromkeys(kept))


def _names(store: Store, customer_id: str, owners: Sequence[str]) -> list[str]:
    """All her names, those first that lead to the others."""
    others = (name for owner in owners for name in store.names_of(owner))
    return list(dict.fromkeys((*owners, *others, customer_id)))


def _counts(store: Store, owners: Sequence[str]) -> dict[str, int]:
    counts = Counter(dict.fromkeys(COUNTED, 0))
    for owner, customer in zip(owners, store.customers(owners), strict=True):
        if customer is not None:
            counts.update(_of_parts(customer))
        counts["names"] += len(store.names_of(owner))
        counts["events"] += sum(1 for _ in store.events(customer_id=owner))
        counts["documents"] += len(store.papers(owner))
    return dict(counts)


def _of_parts(customer: Customer) -> dict[str, int]:
    facts = facts_of.load(customer.facts)
    return {
        "customers": 1,
        "attributes": len(facts["attributes"]),
        "consents": len(facts["consents"]),
        "contacts": len(ledger_of.load(customer.ledger).contacts),
    }
