"""Rights: whom training must not bring back, whose profile it must not make, and who is known under several names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from models.profile import dump, joined, load
from service.people.consents import refusing
from service.people.erasure import Tombs
from service.people.pseudonyms import Pseudonyms
from service.store import Store
from training.history import History

CHUNK = 500  # customers a round trip
Rows = Iterable[tuple[str, bytes]]  # (customer_id, profile document)


@dataclass(frozen=True)
class Erased:
    """Who was erased, by the keys of their tombstones; nobody where there is no store."""

    tombs: Tombs | None = None
    stones: frozenset[str] = field(default_factory=frozenset)

    def __contains__(self, customer_id: str) -> bool:
        return bool(self.stones) and self.tombs is not None and self.tombs.key(customer_id) in self.stones


def erased(store: Store | None) -> Erased:
    """Who was erased until now."""
    if store is None:
        return Erased()
    tombs = Tombs(store, Pseudonyms(store))
    return Erased(tombs, frozenset(tombs.all()))


def without(history: History, gone: Erased) -> History:
    """The history without the rows of those who were erased."""
    if not gone.stones:
        return history
    codes = [code for code in range(len(history.customers)) if history.customers.text(code) in gone]
    return history.where(~np.isin(history.customer, codes)) if codes else history


def publishable(store: Store, everybody: Rows) -> Iterator[tuple[str, bytes]]:
    """The profiles that may be published: nobody who was erased or refused to be profiled, and each customer under one name.

    Who refused is asked for chunk by chunk, just before her profile is set. Who was erased and came back keeps the profile that her
    events have told since.
    """
    gone = erased(store)
    rows = ((name, profile) for name, profile in _as_one(everybody, store.names()) if name not in gone)
    while chunk := list(islice(rows, CHUNK)):
        refuses = refusing(store, [name for name, _ in chunk])
        yield from (row for row in chunk if row[0] not in refuses)


def erase_again(store: Store, names: Iterable[str], before: Erased) -> int:
    """Erase those of some customers who were erased while they were published; how many."""
    now = erased(store)
    if now.stones == before.stones:
        return 0
    back = [name for name in names if name in now and name not in before]
    for name in back:
        store.erase(name)
    if back:
        store.scrub()
    return len(back)


def _as_one(everybody: Rows, names: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    """The profiles of all names of a customer as one, under the id that she is kept under."""
    owners, held = set(names.values()), dict[str, bytes]()
    for name, profile in everybody:
        owner = names.get(name, name)
        if owner not in owners:
            yield name, profile
        else:
            held[owner] = dump(joined(load(held[owner]), load(profile))) if owner in held else profile
    yield from held.items()
