"""A ledger with what goes with it (see service.store.Settlement)."""

from __future__ import annotations

import sqlite3

from service.store import Customer, PaperTakenError, Settle, Settled, Settlement, Settling
from service.store.sqlite import counters, customers, papers, pools


def settle(db: sqlite3.Connection, one: Settling, *, now: int, clock: int) -> Settled:
    """What came of it; of what is refused nothing is written. `clock`: seconds since 1970, for expiry."""
    db.execute("SAVEPOINT settling")
    came = _settled(db, one, now=now, clock=clock)
    if came:
        db.execute("ROLLBACK TO settling")
    db.execute("RELEASE settling")
    return came


def _settled(db: sqlite3.Connection, one: Settling, *, now: int, clock: int) -> Settled:
    customer_id, settled = _as_read(db, one) or _read(db, one.customer_id, one.settle)
    if settled is None:
        return []
    if any(not papers.put(db, paper, customer_id, clock) for paper in settled.papers):
        return PaperTakenError(settled.papers[0].key)
    if refused := pools.move(db, settled.moves, now=now):
        return refused
    if settled.counts:
        counters.add(db, settled.counts)
    return []


def _as_read(db: sqlite3.Connection, one: Settling) -> tuple[str, Settlement] | None:
    """Who she is, and what is settled of the ledger that was read, once the new one stands in its place; None where that is another by now."""
    read: Customer | None = None if one.found is None else one.found.customer
    settled = None if read is None else one.settle(read.ledger)
    if read is None or settled is None or settled.ledger is None:
        return None
    return (read.customer_id, settled) if customers.swap_ledger(db, read, settled.ledger) else None


def _read(db: sqlite3.Connection, name: str, settle: Settle) -> tuple[str, Settlement | None]:
    """Who she is, and what is settled of the ledger that stands, once the new one stands in its place."""
    customer_id, ledger = customers.part(db, name, "ledger")
    settled = settle(ledger)
    if settled is not None and settled.ledger is not None:
        customers.set_part(db, customer_id, "ledger", settled.ledger)
    return customer_id, settled
