"""A sheet of rows for other systems: CSV, JSON lines or Parquet by the file's suffix, there whole or not at all.

Rows are collected as JSON lines in a hidden file beside the sheet; done, they are converted, and renamed into place. A run that was cut off
is taken up where its last whole customer ended, if it asked the same of the same bundle.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
import orjson

from models.errors import DiskError, InputError
from training.reading.sql import literal

LONGEST = 64 << 20  # bytes of a row
FORMATS = {".parquet": "FORMAT parquet, COMPRESSION zstd", ".csv": "FORMAT csv, HEADER", ".jsonl": ""}


class Sheet:
    """A sheet being written. `columns`: name -> DuckDB type; `asked`: what must be the same for a cut-off run to be taken up."""

    def __init__(self, out: Path, columns: Mapping[str, str], asked: Mapping[str, Any]) -> None:
        if out.suffix not in FORMATS:
            raise InputError(f"--out {out}: write a file that ends in {', '.join(FORMATS)}")
        self._out, self._columns = out, columns
        self._part = out.with_name(f".{out.name}.part")
        self._asked = orjson.dumps(asked, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            self.customers, self.last = self._take_up()
            self._file = self._part.open("ab")
        except OSError as error:
            raise DiskError(f"{out}: {error.strerror}. Free space, or name another --out.") from error

    def write(self, rows: bytes, *, last: str, customers: int) -> None:
        """Add the lines of some customers, `last` the last of them, whether they have lines or not."""
        self.customers, self.last = self.customers + customers, last
        mark = orjson.dumps([last, self.customers], option=orjson.OPT_APPEND_NEWLINE)
        try:
            self._file.write(rows + mark)  # the mark says that all before it is whole
        except OSError as error:
            raise DiskError(
                f"{self._part}: {error.strerror}. Free space, and run again: it goes on from there."
            ) from error

    def close(self) -> None:
        """Leave what is written to be taken up."""
        self._file.close()

    def finish(self) -> int:
        """Convert and put the sheet in its place; the number of rows."""
        self._file.close()
        fresh, lines = self._out.with_name(f".{self._out.name}.new"), self._out.with_name(f".{self._out.name}.lines")
        try:
            count = _without_marks(self._part, lines)
            if self._out.suffix == ".jsonl":
                lines.rename(fresh)
            else:
                _convert(lines, fresh, self._columns, FORMATS[self._out.suffix])
            with fresh.open("rb") as file:
                os.fsync(file.fileno())
            fresh.rename(self._out)
        except OSError as error:
            raise DiskError(
                f"{self._out}: {error.strerror}. Free space, and run again: only this step is left."
            ) from error
        finally:
            lines.unlink(missing_ok=True)
        self._part.unlink()
        return count

    def _take_up(self) -> tuple[int, str | None]:
        """How many customers a cut-off run wrote, and the last of them; what it wrote behind her is cut off."""
        customers, last, whole, at = 0, None, 0, 0
        with suppress(FileNotFoundError), self._part.open("rb") as file:
            same = file.readline() == self._asked
            whole = at = file.tell() if same else 0
            for line in file if same else ():
                at += len(line)
                if line.startswith(b"[") and line.endswith(b"\n"):
                    last, customers = orjson.loads(line)
                    whole = at
        with self._part.open("ab") as file:
            file.truncate(whole)
            if not whole:
                file.write(self._asked)
        return customers, last


def _without_marks(part: Path, lines: Path) -> int:
    """Copy the rows alone; how many there are."""
    count = 0
    with part.open("rb") as written, lines.open("wb") as rows:
        next(written)  # what was asked
        for line in written:
            if not line.startswith(b"["):
                rows.write(line)
                count += 1
    return count


def _convert(lines: Path, fresh: Path, columns: Mapping[str, str], how: str) -> None:
    kinds = ", ".join(f"'{name}': '{kind}'" for name, kind in columns.items())
    rows = f"read_json(?, format = 'newline_delimited', columns = {{{kinds}}}, maximum_object_size = {LONGEST})"
    with duckdb.connect() as con:
        try:
            con.execute(f"COPY (SELECT * FROM {rows}) TO {literal(str(fresh))} ({how})", [str(lines)])
        except duckdb.IOException as error:
            raise DiskError(f"{fresh}: {error}. Free space, and run again: only this step is left.") from error
