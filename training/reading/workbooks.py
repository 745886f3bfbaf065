"""Excel and OpenDocument workbooks as tables: each sheet that holds something is written out as CSV, and read as any CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from models.errors import InputError
from training.reading.delimited import HEAD_BYTES, csv_table, line_of
from training.reading.table import Table


def workbook_tables(path: Path, scratch: Path) -> Iterator[Table]:
    try:
        workbook = CalamineWorkbook.from_path(str(path))
    except (CalamineError, OSError) as error:
        raise InputError(
            f"{path}: is no workbook that can be read ({error}). Unpack an archive first; save a workbook as .xlsx."
        ) from error
    sheets = [(name, _write_sheet(workbook, name, scratch)) for name in workbook.sheet_names]
    filled = [(name, file) for name, file in sheets if file]
    if not filled:
        raise InputError(f"{path}: the workbook is empty. Export it again, or leave it out.")
    for name, file in filled:
        yield csv_table(
            f"{path}, sheet {name}" if len(filled) > 1 else str(path),
            file,
            line_of(file.read_bytes()[:HEAD_BYTES].decode(errors="ignore")),
            "none",
        )


def _write_sheet(workbook: Any, name: str, scratch: Path) -> Path | None:
    """A sheet as a CSV file, without leading empty rows; None when it is empty. Excel has no whole numbers: 17850.0 is 17850."""
    file = scratch / f"{len(list(scratch.iterdir()))}.csv"
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        rows = workbook.get_sheet_by_name(name).iter_rows()
        header = next((row for row in rows if any(cell != "" for cell in row)), None)
        if header is None:
            return None
        writer.writerow([_cell(cell) for cell in header])
        writer.writerows([_cell(cell) for cell in row] for row in rows)
    return file


def _cell(cell: Any) -> Any:
    return int(cell) if isinstance(cell, float) and cell.is_integer() else cell
