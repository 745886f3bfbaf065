"""What is kept of customers: a row each, her parts its columns."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from itertools import chain

from service.store import TOMBSTONE, Customer, Join, Part
from service.store.sqlite import events, names
from service.store.sqlite.text import marks

ONE = "SELECT customer_id, profile, facts, ledger, sequence FROM customers WHERE customer_id = ?"


def one(db: sqlite3.Connection, name: str) -> Customer | None:
    """The customer of this name, if one is known."""
    row = db.execute(ONE, (name,)).fetchone()
    if row is None:  # nobody is kept under another name of hers
        return several(db, (name,)).get(name)
    return Customer(*row)


def several(db: sqlite3.Connection, given: Sequence[str]) -> dict[str, Customer]:
    """The customers of these names; who is unknown is left out."""
    found = _kept(db, given)
    missing = [name for name in given if name not in found]
    if missing:  # nobody is kept under another name of hers
        owners = names.owners(db, missing)
        kept = _kept(db, list(owners.values()))
        found |= {name: kept[owner] for name, owner in owners.items() if owner in kept}
    return found


def _kept(db: sqlite3.Connection, ids: Sequence[str]) -> dict[str, Customer]:
    query = f"SELECT customer_id, profile, facts, ledger, sequence FROM customers WHERE customer_id IN ({marks(ids)})"
    return {row[0]: Customer(*row) for row in db.execute(query, ids)} if ids else {}


def part(db: sqlite3.Connection, name: str, part: Part) -> tuple[str, bytes | None]:
    """Under which id the customer of this name is kept, and one of her parts."""
    query = (
        f"SELECT owner, {part} FROM (SELECT coalesce((SELECT customer_id FROM aliases WHERE alias = ?1), ?1) AS owner) "
        "LEFT JOIN customers ON customer_id = owner"
    )
    found: tuple[str, bytes | None] = db.execute(query, (name,)).fetchone()
    return found


def set_part(db: sqlite3.Connection, customer_id: str, part: Part, document: bytes) -> None:
    query = (
        f"INSERT INTO customers (customer_id, {part}) VALUES (?, ?) ON CONFLICT DO UPDATE SET {part} = excluded.{part}"
    )
    db.execute(query, (customer_id, document))


def swap_ledger(db: sqlite3.Connection, read: Customer, ledger: bytes) -> bool:
    """Put another ledger in the place of the one that was read; whether it still stood there."""
    query = "UPDATE customers SET ledger = ? WHERE customer_id = ? AND ledger IS ?"
    return db.execute(query, (ledger, read.customer_id, read.ledger)).rowcount == 1


def _set_all(db: sqlite3.Connection, customer: Customer) -> None:
    db.execute(
        "INSERT INTO customers (customer_id, profile, facts, ledger, sequence) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE "
        "SET profile = excluded.profile, facts = excluded.facts, ledger = excluded.ledger, sequence = excluded.sequence",
        (customer.customer_id, customer.profile, customer.facts, customer.ledger, customer.sequence),
    )


def merge(db: sqlite3.Connection, anonymous: str, known: str, join: Join) -> bool:
    """See service.store.Store.merge."""
    known, before = names.owner(db, known), names.owner(db, anonymous)
    if known in (anonymous, before):
        return False
    hers = several(db, (known,)).get(known, Customer(known))
    other = several(db, (anonymous,)).get(anonymous) if before == anonymous else None
    parts = join(hers, other or Customer(anonymous))
    names.rename(db, anonymous, known)
    sequence = events.move(db, anonymous, known) or hers.sequence
    _set_all(db, parts._replace(customer_id=known, sequence=sequence))
    return True


def erase(db: sqlite3.Connection, customer_id: str, leaving: Mapping[str, bytes]) -> int:
    """Remove all that is hers, and leave tombstones; how many records went."""
    rows = db.execute("SELECT keys FROM events WHERE customer_id = ?", (customer_id,)).fetchall()
    events.forget(db, chain.from_iterable(json.loads(keys) for (keys,) in rows))
    count = sum(
        db.execute(f"DELETE FROM {table} WHERE customer_id = ?", (customer_id,)).rowcount
        for table in ("customers", "events", "documents")
    )
    db.execute("DELETE FROM aliases WHERE ? IN (customer_id, alias)", (customer_id,))
    db.execute("DELETE FROM findable WHERE customer_id = ?", (customer_id,))
    db.executemany(
        "INSERT INTO documents (kind, key, document) VALUES (?, ?, ?) "
        "ON CONFLICT DO UPDATE SET document = excluded.document",
        [(TOMBSTONE, key, document) for key, document in leaving.items()],
    )
    return count
