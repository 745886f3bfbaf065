"""A ledger with what goes with it (see service.store.Settlement)."""

from __future__ import annotations

import sqlite3

from service.store import Customer, PaperTakenError, Settle, Settlement
from service.store.sqlite import counters, customers, papers, pools


def settle(
    db: sqlite3.Connection, name: str, change: Settle, *, now: int, clock: int, read: Customer | None
) -> list[str]:
    """The names of the pools that refused (then the transaction must not be kept). `clock`: seconds since 1970, for expiry."""
    settled = None if read is None else _unchanged(db, read, change)
    if settled is None or read is None:
        customer_id, ledger = customers.part(db, name, "ledger")
        settled = change(ledger)
        if settled is None:
            return []
        if settled.ledger is not None:
            customers.set_part(db, customer_id, "ledger", settled.ledger)
    else:
        customer_id = read.customer_id
    if any(not papers.put(db, paper, customer_id, clock) for paper in settled.papers):
        raise PaperTakenError(settled.papers[0].key)
    if refused := pools.move(db, settled.moves, now=now):
        return refused
    if settled.counts:
        counters.add(db, settled.counts)
    return []


def _unchanged(db: sqlite3.Connection, read: Customer, change: Settle) -> Settlement | None:
    """What is settled of the ledger as it was read, once the new one stands in its place; None where another stands there by now."""
    settled = change(read.ledger)
    if settled is None or settled.ledger is None:
        return None
    return settled if customers.swap_ledger(db, read, settled.ledger) else None
