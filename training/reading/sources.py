"""The tables of a history with the meaning of their columns, and which of them tell more about the lines of others.

Most exports are one table of lines. Some systems split: lines name only an order, and another table says who ordered and when (Olist,
Instacart), or which people stand behind customer ids, or what the products are called.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from models.errors import InputError
from training.reading.columns import Columns, Role, recognise
from training.reading.files import find, tables
from training.reading.table import Table

SHOWN = 12  # headers in a message


@dataclass(frozen=True)
class Source:
    """A table, what its columns mean, and the part it plays."""

    table: Table
    columns: Columns
    role: Role


def survey(
    con: duckdb.DuckDBPyConnection, paths: Sequence[str], columns: Mapping[str, str], scratch: Path
) -> tuple[Source, ...]:
    """All tables that the paths name, in the order of their files. Raises InputError where no table has lines, or one is of no use."""
    found = [table for path in find(paths) for table in tables(con, path, scratch)]
    if not found:
        raise InputError("no history files: give --history PATH…")
    _check_chosen(found, columns)
    sources = [
        Source(table, meaning, meaning.role) for table in found for meaning in [recognise(list(table.columns), columns)]
    ]
    lines = [source for source in sources if source.role == "lines"]
    if not lines:
        raise _unusable(sources[0])
    split = any("customer_id" not in source.columns or "time" not in source.columns for source in lines)
    for source in sources:
        if source.role == "orders" and not split:
            raise _unusable(source)
        if source.role == "unused" and set(source.columns.fields) & {"time", "event", "quantity", "price"}:
            raise _unusable(source)
    return tuple(sources)


def _check_chosen(found: Sequence[Table], columns: Mapping[str, str]) -> None:
    for name, header in columns.items():
        if not any(
            header in recognise(list(table.columns), {name: header}).fields.get(name, ()) or _has(table, header)
            for table in found
        ):
            raise InputError(
                f"{found[0].name}: there is no column {header!r}, which --columns {name}={header} names. Its columns: {_shown(found[0])}"
            )


def _has(table: Table, header: str) -> bool:
    return bool({header.casefold()} & {known.casefold() for known in table.columns})


def _unusable(source: Source) -> InputError:
    """What is missing, and the cure; a first line that looks like data is shown as such."""
    name = source.table.name
    if _looks_like_data(list(source.table.columns)):
        return InputError(
            f"{name}: the first line looks like data, not like a header: {_shown(source.table)}. "
            "Put a line with the names of the columns first, such as customer_id,item_id,time,quantity,price."
        )
    field, missing = (
        ("customer_id", "customer_id or order_id") if "item_id" in source.columns else ("item_id", "item_id")
    )
    return InputError(
        f"{name}: no column for {missing} among {_shown(source.table)}. Name it with --columns {field}=HEADER."
    )


def _looks_like_data(headers: Sequence[str]) -> bool:
    return any(header[:1].isdigit() or header[:2].lstrip("-").isdigit() for header in headers)


def _shown(table: Table) -> str:
    headers = [header[:40] for header in table.columns]
    return ", ".join(repr(header) for header in headers[:SHOWN]) + (" …" if len(headers) > SHOWN else "")


def lines_of(sources: Sequence[Source]) -> list[tuple[int, Source]]:
    """The tables of lines with their numbers."""
    return [(number, source) for number, source in enumerate(sources) if source.role == "lines"]
