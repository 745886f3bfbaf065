"""A ledger with what goes with it (see service.store.Settlement)."""

from __future__ import annotations

import sqlite3

from service.store import PaperTakenError, Settle
from service.store.sqlite import counters, customers, papers, pools


def settle(db: sqlite3.Connection, name: str, change: Settle, *, now: int, clock: int) -> list[str]:
    """The names of the pools that refused (then the transaction must not be kept). `clock`: seconds since 1970, for expiry."""
    customer_id, ledger = customers.part(db, name, "ledger")
    settled = change(ledger)
    if settled is None:
        return []
    if any(not papers.put(db, paper, customer_id, clock) for paper in settled.papers):
        raise PaperTakenError(settled.papers[0].key)
    if refused := pools.move(db, settled.moves, now=now):
        return refused
    if settled.ledger is not None:
        customers.set_part(db, customer_id, "ledger", settled.ledger)
    if settled.counts:
        counters.add(db, settled.counts)
    return []
