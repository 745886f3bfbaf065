"""Documents under (kind, key), some of them a customer's, some of them until they expire. `now`: seconds since 1970."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from service.store import Paper
from service.store.sqlite.text import PAGE, marks

PUT = """INSERT INTO documents (kind, key, document, expires_at, customer_id) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
    document = excluded.document, expires_at = excluded.expires_at, customer_id = excluded.customer_id
    WHERE documents.expires_at <= ?"""
ALIVE = "(expires_at IS NULL OR expires_at > ?)"


def put(db: sqlite3.Connection, paper: Paper, owner: str | None, now: int) -> bool:
    """Keep a document unless one stands in its place; whether it is new."""
    expires_at = None if paper.expires_s is None else now + paper.expires_s
    cursor = db.execute(PUT, (paper.kind, paper.key, paper.document, expires_at, owner, now))
    return cursor.rowcount == 1


def sweep(db: sqlite3.Connection, now: int) -> None:
    """Remove what has expired."""
    db.execute("DELETE FROM documents WHERE expires_at <= ?", (now,))


def several(db: sqlite3.Connection, kind: str, keys: Sequence[str], now: int) -> dict[str, bytes]:
    """The documents under some keys of a kind."""
    if not keys:
        return {}
    query = f"SELECT key, document FROM documents WHERE kind = ? AND key IN ({marks(keys)}) AND {ALIVE}"
    return dict(db.execute(query, (kind, *keys, now)))


def of(db: sqlite3.Connection, customer_id: str, now: int) -> list[tuple[str, str, bytes]]:
    """(kind, key, document) of a customer's, sorted."""
    query = f"SELECT kind, key, document FROM documents WHERE customer_id = ? AND {ALIVE} ORDER BY kind, key"
    return db.execute(query, (customer_id, now)).fetchall()


def keys_of(db: sqlite3.Connection, kind: str, now: int) -> list[str]:
    """The keys of a kind."""
    return [key for (key,) in db.execute(f"SELECT key FROM documents WHERE kind = ? AND {ALIVE}", (kind, now))]


def page(db: sqlite3.Connection, kind: str, last: str, now: int) -> list[tuple[str, bytes]]:
    """(key, document) of a kind behind a key: a page."""
    query = f"SELECT key, document FROM documents WHERE kind = ? AND key > ? AND {ALIVE} ORDER BY key LIMIT ?"
    return db.execute(query, (kind, last, now, PAGE)).fetchall()
