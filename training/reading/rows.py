"""The rows of small tables, like a catalogue, customer attributes or consents: texts by header, in the formats of the history."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from training.reading import values
from training.reading.files import tables
from training.reading.table import reading


def table_rows(
    file: Path, *, torn: Callable[[str], object] = lambda place: None
) -> Iterator[tuple[str, int, dict[str, str]]]:
    """(table, row, header -> text) of every row of a file; what is missing is left out. Raises InputError.

    `torn` hears of each row that has not the cells of its header, by its place.
    """
    with TemporaryDirectory(prefix="valet-") as folder, duckdb.connect() as con:
        for table in tables(con, file, Path(folder)):
            texts = [values.text(expression, table.types[header]) for header, expression in table.columns.items()]
            with reading(table.name):
                rows = con.execute(f"SELECT {', '.join(texts)} FROM {table.scan}").fetchall()
            if table.rejects:
                for (line,) in con.execute("SELECT DISTINCT line FROM reject_errors ORDER BY 1").fetchall():
                    torn(f"{table.name}, line {line}")
            settle = [_settler([row[at] for row in rows]) for at in range(len(texts))]
            for number, row in enumerate(rows, table.first):
                cells = zip(table.columns, settle, row, strict=True)
                yield table.name, number, {header: kept(cell) for header, kept, cell in cells if cell is not None}


def _settler(column: Sequence[str | None]) -> Callable[[str], str]:
    """`.0` goes where all of a column are whole numbers written with it."""
    filled = [cell for cell in column if cell is not None]
    whole = any(cell.endswith(".0") for cell in filled) and all(
        re.fullmatch(r"[+-]?\d+(\.0+)?", cell) for cell in filled
    )
    return (lambda cell: cell.partition(".")[0]) if whole else str
