"""The files of a history: found by path, glob and folder, and opened as tables.

What a file is, its content says, not its name: Parquet, Excel, JSON lines and CSV, gzip and zstd around them.
"""

from __future__ import annotations

import glob
import re
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb

from models.errors import InputError
from training.reading.delimited import HEAD_BYTES, csv_table, line_of, text_table
from training.reading.nested import json_table, parquet_table
from training.reading.table import Table, exactly, fetched
from training.reading.workbooks import workbook_tables

SUFFIXES = re.compile(
    r".*\.(csv|tsv|txt|json|jsonl|ndjson|parquet|pq|xlsx|xlsm|xlsb|xls|ods)(\.(gz|gzip|zst|zstd))?", re.I
)


def find(paths: Sequence[str]) -> list[Path]:
    """The files that paths, globs and folders name: sorted, each once. Raises InputError for one that names none."""
    found = {file.resolve(): file for path in paths for file in sorted(_matches(path))}
    return sorted(found.values())


def _matches(path: str) -> list[Path]:
    place = Path(path)
    if place.is_dir():
        files = [file for file in place.rglob("*") if file.is_file() and SUFFIXES.fullmatch(file.name)]
        if not files:
            raise InputError(
                f"{path}: the folder holds no CSV, TSV, JSON, Parquet or Excel file. Name the file itself."
            )
        return files
    if place.is_file():
        return [place]
    files = [Path(name) for name in glob.glob(path, recursive=True) if Path(name).is_file()]  # noqa: PTH207 (absolute globs)
    if not files:
        raise InputError(f"{path}: no such file or folder, and no file matches it as a glob. Check the path.")
    return files


def tables(con: duckdb.DuckDBPyConnection, path: Path, scratch: Path) -> Iterator[Table]:
    """The tables of a file: one, or one a sheet. Raises InputError when nothing in it can be read."""
    head, packed = _head(path)
    if not head.strip(b"\0 \r\n\t\xef\xbb\xbf"):
        raise InputError(f"{path}: the file is empty. Export it again, or leave it out.")
    if head.startswith(b"PAR1"):
        yield parquet_table(con, path)
    elif head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        yield from workbook_tables(path, scratch)
    elif packed != "zstd" and head.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] in (b"{", b"["):
        yield json_table(con, path, packed)
    elif packed == "zstd":
        yield _zstd(con, path)
    else:
        yield text_table(path, head, packed, scratch)


def _head(path: Path) -> tuple[bytes, str]:
    """The first bytes, unpacked, and the compression: "gzip", "zstd" or "none"."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise InputError(f"{path}: cannot be opened: {error.strerror}. Check that it may be read.") from error
    if head.startswith(b"\x1f\x8b"):
        try:
            return zlib.decompressobj(wbits=31).decompress(head, HEAD_BYTES), "gzip"
        except zlib.error as error:
            raise InputError(f"{path}: the gzip file is damaged ({error}). Copy or export it again.") from error
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        return head, "zstd"
    if path.suffix.lower() in {".gz", ".gzip", ".zst", ".zstd"} and head:
        raise InputError(f"{path}: is not packed as its name says ({path.suffix}). Rename it, or export it again.")
    return head, "none"


def _zstd(con: duckdb.DuckDBPyConnection, path: Path) -> Table:
    """A zstd file: its first line is read through duckdb, since the standard library cannot."""
    whole_lines = "auto_detect=false, header=false, delim='', quote='', escape='', columns={'line': 'VARCHAR'}"
    lines = f"SELECT line FROM read_csv({exactly(path)}, compression='zstd', {whole_lines}) LIMIT 5"
    head = "\n".join(row[0] or "" for row in fetched(con, lines, path, "the zstd file is damaged"))
    return (
        json_table(con, path, "zstd")
        if head.lstrip("\ufeff \n")[:1] in ("{", "[")
        else csv_table(str(path), path, line_of(head), "zstd")
    )
