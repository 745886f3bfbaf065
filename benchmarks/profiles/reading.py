"""Reading one customer, as a request does, beside a bare GET of the same bytes: Redis' own client, a plain query of SQLite."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

import numpy as np
from redis import Redis

from models.profile import EMPTY, Event, dump, fold, load
from service.events import fold as fold_entries
from service.store.open import open_store

CUSTOMERS, ROUNDS = 200, 25
ORDERS, LINES = 6, 4  # of each


@dataclass(frozen=True)
class Read:
    """Medians in microseconds."""

    size: int
    bare: float
    read: float
    loaded: float

    def __str__(self) -> str:
        return (
            f"{self.size} bytes: bare GET {self.bare:.0f} µs, customer {self.read:.0f} µs ({self.read / self.bare:.2f} ×), "
            f"and made a profile {self.loaded:.0f} µs; one round trip"
        )


def measure(url: str, folder: Path) -> Read:
    """Read many customers, in turns with the bare GET of as many bytes, so that both see the same machine."""
    document = dump(reduce(fold, _life(), EMPTY))
    store = open_store(url)
    assert store is not None
    ids = [f"customer {number}" for number in range(CUSTOMERS)]
    store.publish(((customer_id, document) for customer_id in ids), sequence=0, fold=fold_entries)
    bare = _bare(url, folder, ids, document)
    ways: dict[str, Callable[[str], object]] = {
        "bare": bare,
        "read": store.customer,
        "loaded": lambda customer_id: load(getattr(store.customer(customer_id), "profile", None)),
    }
    took: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            for customer_id in ids:
                begun = time.perf_counter()
                way(customer_id)
                took[name].append(time.perf_counter() - begun)
    store.close()
    return Read(len(document), *(float(np.median(took[name])) * 1e6 for name in ways))


def _bare(url: str, folder: Path, ids: list[str], document: bytes) -> Callable[[str], object]:
    if url.startswith("redis"):
        client = Redis.from_url(url.partition("?")[0])
        for customer_id in ids:
            client.set(f"bare:{customer_id}", document)
        return lambda customer_id: client.get(f"bare:{customer_id}")
    db = sqlite3.connect(folder / "bare.db", isolation_level=None)
    db.execute("CREATE TABLE bare (key TEXT NOT NULL UNIQUE, document BLOB)")
    db.executemany("INSERT INTO bare VALUES (?, ?)", ((customer_id, document) for customer_id in ids))
    return lambda customer_id: db.execute("SELECT document FROM bare WHERE key = ?", (customer_id,)).fetchone()


def _life() -> list[Event]:
    return [
        Event("purchase", 1_700_000_000 + order * 2_000_000, f"SKU-{order * 7 + line:05}", 1 + line, 1_990, f"W{order}")
        for order in range(ORDERS)
        for line in range(LINES)
    ]
