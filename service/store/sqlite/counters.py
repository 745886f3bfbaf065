"""What is counted: version numbers, and the sums of outcomes."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from service.store import COUNTERS

ADD = """INSERT INTO counters VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET
    tries = tries + excluded.tries, positives = positives + excluded.positives, version = excluded.version"""


def bump(db: sqlite3.Connection, name: str) -> int:
    """Count a version number up by one; the new one."""
    query = "INSERT INTO versions VALUES (?, 1) ON CONFLICT DO UPDATE SET version = version + 1 RETURNING version"
    version: int = db.execute(query, (name,)).fetchone()[0]
    return version


def add(db: sqlite3.Connection, counts: Mapping[str, tuple[float, float]]) -> None:
    """Add to counters, with their next version."""
    version = bump(db, COUNTERS)
    db.executemany(ADD, [(name, tries, positives, version) for name, (tries, positives) in counts.items()])


def since(db: sqlite3.Connection, version: int) -> dict[str, tuple[float, float]]:
    """The sums of what was added to after a version."""
    rows = db.execute("SELECT name, tries, positives FROM counters WHERE version > ?", (version,))
    return {name: (tries, positives) for name, tries, positives in rows}
