"""Lists of values and of rows in the text of a statement."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import chain, islice
from typing import Any, TypeVar

T = TypeVar("T")
PAGE = 500  # values a statement, rows a page
ROWS = 50  # of an INSERT


def marks(values: Sequence[object]) -> str:
    """A question mark for each."""
    return ",".join("?" * len(values))


def by_pages(values: Iterable[T]) -> Iterator[list[T]]:
    """The values in parts of a length that a statement takes."""
    left = iter(values)
    while part := list(islice(left, PAGE)):
        yield part


def insert(db: sqlite3.Connection, into: str, rows: Iterable[Sequence[Any]], *, then: str = "") -> None:
    """`INSERT INTO {into} VALUES …{then}`, some rows a statement: executemany lets another thread run after each of them."""
    left = iter(rows)
    while part := list(islice(left, ROWS)):
        db.execute(_inserting(into, then, len(part), len(part[0])), list(chain.from_iterable(part)))


@cache
def _inserting(into: str, then: str, rows: int, columns: int) -> str:
    one = f"({marks(range(columns))})"
    return f"INSERT INTO {into} VALUES {','.join([one] * rows)} {then}"
