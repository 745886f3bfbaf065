"""The items' overlay: what the shop changed since training."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from service.store import ITEMS
from service.store.sqlite.counters import bump

SET = "INSERT INTO items VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET document = excluded.document, version = excluded.version"


def upsert(db: sqlite3.Connection, documents: Mapping[str, bytes]) -> int:
    """Set documents with the next version, which is returned."""
    version = bump(db, ITEMS)
    db.executemany(SET, ((item_id, document, version) for item_id, document in documents.items()))
    return version


def one(db: sqlite3.Connection, item_id: str) -> bytes | None:
    row = db.execute("SELECT document FROM items WHERE item_id = ?", (item_id,)).fetchone()
    return None if row is None else row[0]


def since(db: sqlite3.Connection, version: int) -> dict[str, bytes]:
    """What changed after a version: what changed first comes first, changes of one version by id."""
    query = "SELECT item_id, document FROM items WHERE version > ? ORDER BY version, item_id"
    return dict(db.execute(query, (version,)))
