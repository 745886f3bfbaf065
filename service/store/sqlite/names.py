"""Other names of a customer, and the digests by which she is found."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable
from itertools import chain

from service.store.sqlite.text import by_pages, marks


def owner(db: sqlite3.Connection, name: str) -> str:
    """Under which id the customer of this name is kept."""
    row = db.execute("SELECT customer_id FROM aliases WHERE alias = ?", (name,)).fetchone()
    return name if row is None else row[0]


def owners(db: sqlite3.Connection, names: Collection[str]) -> dict[str, str]:
    """Under which id those are kept whose name is another one."""
    query = "SELECT alias, customer_id FROM aliases WHERE alias IN"
    return dict(chain.from_iterable(db.execute(f"{query} ({marks(part)})", part) for part in by_pages(names)))


def rename(db: sqlite3.Connection, name: str, known: str) -> None:
    """Let a name, and all that were names of it, be names of a customer."""
    db.execute("UPDATE aliases SET customer_id = ? WHERE customer_id = ?", (known, name))
    db.execute(
        "INSERT INTO aliases VALUES (?, ?) ON CONFLICT DO UPDATE SET customer_id = excluded.customer_id", (name, known)
    )
    db.execute("UPDATE documents SET customer_id = ? WHERE customer_id = ?", (known, name))
    db.execute("INSERT OR IGNORE INTO findable SELECT digest, ? FROM findable WHERE customer_id = ?", (known, name))
    db.execute("DELETE FROM findable WHERE customer_id = ?", (name,))
    db.execute("DELETE FROM customers WHERE customer_id = ?", (name,))


def findable(db: sqlite3.Connection, customer_id: str, digests: Iterable[str], no_longer: Iterable[str]) -> None:
    """Let her be found by some digests, and no longer by others."""
    pairs = [(digest, customer_id) for digest in no_longer]
    db.executemany("DELETE FROM findable WHERE digest = ? AND customer_id = ?", pairs)
    db.executemany("INSERT OR IGNORE INTO findable VALUES (?, ?)", [(digest, customer_id) for digest in digests])
