"""CSV and its kin as tables: any usual delimiter; UTF-8, or UTF-16 and Windows-1252, which are written out as UTF-8 first."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from models.errors import InputError
from training.reading.sql import literal, quoted
from training.reading.table import Table, exactly

HEAD_BYTES = 1 << 18
BLOCK_BYTES = 1 << 22
DELIMITERS = (",", "\t", ";", "|")


def text_table(path: Path, head: bytes, packed: str, scratch: Path) -> Table:
    encoding = _encoding(head)
    if encoding is None:
        raise InputError(
            f"{path}: is neither text nor Parquet nor Excel. Export it as CSV in UTF-8; unpack an archive first."
        )
    if encoding != "utf-8":
        return _transcoded(path, encoding, packed, scratch)
    line = line_of(head.decode("utf-8", errors="ignore"))
    if re.search(r"[\x00-\x08\x0e-\x1f]", line.text):
        raise InputError(f"{path}: the first line {line.text[:60]!r} is not text. Export the file as CSV in UTF-8.")
    return csv_table(str(path), path, line, packed, again=lambda: _transcoded(path, "cp1252", packed, scratch))


def _encoding(head: bytes) -> str | None:
    """utf-8, utf-16 or cp1252 (Western Europe, what Excel writes); None for what is no text."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    zeros = head.count(0)
    if zeros > len(head) // 4:
        return "utf-16-le" if head[1:2] == b"\0" else "utf-16-be" if head[:1] == b"\0" else None
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        control = sum(byte < 9 or 13 < byte < 32 for byte in head[:4096])
        return "cp1252" if control == 0 else None
    return "utf-8"


def _transcoded(path: Path, encoding: str, packed: str, scratch: Path) -> Table:
    """The file written out in UTF-8, block by block."""
    file = scratch / f"{len(list(scratch.iterdir()))}.csv"
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    try:
        with gzip.open(path) if packed == "gzip" else path.open("rb") as source, file.open("wb") as out:
            while block := source.read(BLOCK_BYTES):
                out.write(decoder.decode(block).encode())
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path}: the gzip file is damaged ({error}). Copy or export it again.") from error
    return csv_table(str(path), file, line_of(file.read_bytes()[:HEAD_BYTES].decode(errors="ignore")), "none")


@dataclass(frozen=True)
class Line:
    """The header line of a text file: where it stands, and the delimiter."""

    text: str
    skip: int
    delimiter: str


def line_of(text: str) -> Line:
    """The first line that is not blank; Excel's `sep=;` names the delimiter of the next."""
    lines = text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    skip = next((number for number, line in enumerate(lines) if line.strip()), 0)
    if lines[skip].lower().startswith("sep=") and skip + 1 < len(lines):
        return Line(lines[skip + 1], skip + 1, lines[skip][4:5] or ",")
    unquoted = re.sub(r'"[^"]*"', "", lines[skip])
    return Line(lines[skip], skip, max(DELIMITERS, key=unquoted.count))


def csv_table(name: str, file: Path, line: Line, packed: str, again: Callable[[], Table] | None = None) -> Table:
    try:
        headers = _headers(line)
    except csv.Error as error:
        raise InputError(
            f"{name}: the first line {line.text[:60]!r} … is no header ({error}). Export the file as CSV in UTF-8."
        ) from error
    declared = ", ".join(f"{literal(header)}: 'VARCHAR'" for header in headers)
    scan = (
        f"read_csv({exactly(file)}, auto_detect=false, header=true, skip={line.skip}, delim={literal(line.delimiter)}, quote='\"', "
        f"escape='\"', compression={literal(packed)}, columns={{{declared}}}, store_rejects=true, rejects_limit=0, max_line_size=16777216)"
    )
    columns = {header: quoted(header) for header in headers}
    return Table(name, scan, columns, dict.fromkeys(headers, "VARCHAR"), first=line.skip + 2, rejects=True, again=again)


def _headers(line: Line) -> list[str]:
    """The names of the columns: blank ones are numbered, repeated ones too."""
    cells = next(csv.reader(io.StringIO(line.text), delimiter=line.delimiter), [])
    headers: list[str] = []
    for number, cell in enumerate(cells, 1):
        name = cell.strip() or f"column {number}"
        headers.append(f"{name} ({number})" if name.casefold() in {header.casefold() for header in headers} else name)
    return headers
