"""A table of a file, ready to be scanned by duckdb, and what is said where duckdb cannot."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from models.errors import InputError
from training.reading.sql import literal


@dataclass(frozen=True)
class Table:
    """One table of a file, ready to be scanned.

    name      the file as messages call it, with the sheet of a workbook
    scan      what stands after FROM
    columns   header -> SQL expression, in the file's order
    types     header -> duckdb's name of its type
    first     the number of the first row, as a person counts who opens the file
    ordered   whether `scan` has its own `file_row_number`
    rejects   whether duckdb puts unreadable lines aside while scanning
    again     the same table in another encoding, for a file that turns out not to be UTF-8
    """

    name: str
    scan: str
    columns: Mapping[str, str]
    types: Mapping[str, str]
    first: int = 1
    ordered: bool = False
    rejects: bool = False
    again: Callable[[], Table] | None = None

    def named(self, name: str) -> Table:
        """The same table under another name."""
        return replace(self, name=name)


def exactly(path: Path) -> str:
    """The path as duckdb's literal; signs that are wildcards to it stand for themselves."""
    return literal(re.sub(r"([*?\[])", r"[\1]", str(path)))


def described(con: duckdb.DuckDBPyConnection, scan: str, path: Path, complaint: str) -> duckdb.DuckDBPyRelation:
    try:
        return con.sql(f"SELECT * FROM {scan} LIMIT 0")
    except duckdb.Error as error:
        raise InputError(f"{path}: {complaint} ({first_line(error)}). Export it again.") from error


def fetched(con: duckdb.DuckDBPyConnection, query: str, path: Path, complaint: str) -> list[tuple[Any, ...]]:
    try:
        return con.execute(query).fetchall()
    except duckdb.Error as error:
        raise InputError(f"{path}: {complaint} ({first_line(error)}). Copy or export it again.") from error


def first_line(error: Exception) -> str:
    """The first line of a message, which says what is wrong."""
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def disk_is_full(error: Exception) -> bool:
    """Whether duckdb failed over its own temporary files, not over what it was given to read."""
    signs = ("No space left", "Could not write", "Could not truncate", "max_temp_directory_size")
    return isinstance(error, duckdb.OutOfMemoryException) or any(sign in str(error) for sign in signs)


@contextmanager
def reading(name: str) -> Iterator[None]:
    """What duckdb cannot read within is the fault of the file `name`: an InputError. A full disk is not, and passes."""
    try:
        yield
    except duckdb.Error as error:
        if disk_is_full(error):
            raise
        raise InputError(
            f"{name}: cannot be read: {first_line(error)}. Copy or export it again as CSV in UTF-8."
        ) from error
