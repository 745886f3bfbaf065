"""Pools of tokens in SQLite, inside a transaction that holds the write lock (see service.store.Move and models.budgets)."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from models.budgets import FULL, Level, admits, drawn
from service.store import POOL_KEPT_S, Move
from service.store.sqlite.text import marks

LEVELS = (
    "SELECT name, used - (SELECT coalesce(sum(tokens), 0) FROM held WHERE pool = name AND until <= ?), price, at "
    "FROM pools WHERE name IN (NAMES)"
)
SET = (
    "INSERT INTO pools (name, used, price, at, ends) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT DO UPDATE SET used = excluded.used, price = excluded.price, at = excluded.at"
)


def level(db: sqlite3.Connection, name: str, *, now: int) -> Level:
    """How a pool stands; what has come back by now is not counted."""
    return levels(db, (name,), now=now)[name]


def levels(db: sqlite3.Connection, names: Sequence[str], *, now: int) -> dict[str, Level]:
    """How pools stand."""
    if not names:
        return {}
    query = LEVELS.replace("NAMES", marks(names))
    found = {name: Level(*rest) for name, *rest in db.execute(query, (now, *names))}
    return {name: found.get(name, FULL) for name in names}


def move(db: sqlite3.Connection, moves: Sequence[Move], *, now: int) -> list[str]:
    """Make the moves, in their order; the names of the pools that refused (then the transaction must not be kept)."""
    refused: list[str] = []
    for one in moves:
        before = level(db, one.pool.name, now=now)
        db.execute("DELETE FROM held WHERE pool = ? AND until <= ?", (one.pool.name, now))
        after = _MOVES[one.kind](db, one, before, now)
        if after is None:
            refused.append(one.pool.name)
        elif after != FULL:
            if before == FULL:
                db.execute("DELETE FROM pools WHERE ends > 0 AND ends <= ?", (now - POOL_KEPT_S,))
            db.execute(SET, (one.pool.name, after.used, after.price, after.at, one.pool.ends))
    return refused


def _take(db: sqlite3.Connection, one: Move, before: Level, now: int) -> Level | None:
    if not admits(one.pool, before, tokens=one.tokens, bid=one.bid, now=now):
        return None
    if one.until is not None:
        db.execute(
            "INSERT OR REPLACE INTO held VALUES (?, ?, ?, ?)", (one.pool.name, one.holder, one.tokens, one.until)
        )
    return drawn(one.pool, before, tokens=one.tokens, now=now)


def _keep(db: sqlite3.Connection, one: Move, before: Level, _: int) -> Level:
    if _let_go(db, one) or before == FULL:
        return before
    return Level(before.used + one.tokens, before.price, before.at)


def _back(db: sqlite3.Connection, one: Move, before: Level, _: int) -> Level:
    if before == FULL or not (_let_go(db, one) or not one.held):
        return before
    return Level(before.used - one.tokens, before.price, before.at)


def _let_go(db: sqlite3.Connection, one: Move) -> bool:
    """Whether the tokens were held; they are not any longer."""
    return db.execute("DELETE FROM held WHERE pool = ? AND holder = ?", (one.pool.name, one.holder)).rowcount == 1


_MOVES = {"take": _take, "keep": _keep, "back": _back}
