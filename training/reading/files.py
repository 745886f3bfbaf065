"""The files of a history: found by path, glob and folder, and opened as tables that duckdb can scan.

What a file is, its content says, not its name: Parquet, Excel, JSON lines and CSV (any usual delimiter; UTF-8, UTF-16 or Windows-1252),
gzip and zstd around them. Excel and other encodings than UTF-8 are written out as UTF-8 CSV first, and then read as any CSV.
"""

from __future__ import annotations

import codecs
import csv
import glob
import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
from python_calamine import CalamineError, CalamineWorkbook

from models.errors import InputError
from training.reading.sql import literal, quoted

SUFFIXES = re.compile(
    r".*\.(csv|tsv|txt|json|jsonl|ndjson|parquet|pq|xlsx|xlsm|xlsb|xls|ods)(\.(gz|gzip|zst|zstd))?", re.I
)
HEAD_BYTES = 1 << 18
BLOCK_BYTES = 1 << 22
DELIMITERS = (",", "\t", ";", "|")
# Nested lists with one element a line of the order
LISTS = ("items", "line_items", "lineitems", "products", "ecommerce.items")


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
        yield _parquet(con, path)
    elif head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        yield from _excel(path, scratch)
    elif packed != "zstd" and head.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] in (b"{", b"["):
        yield _json(con, path, packed)
    elif packed == "zstd":
        yield _zstd(con, path)
    else:
        yield _text(path, head, packed, scratch)


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


def _parquet(con: duckdb.DuckDBPyConnection, path: Path) -> Table:
    scan = f"read_parquet({_exactly(path)}, binary_as_string=true, file_row_number=true)"
    relation = _described(con, scan, path, "the Parquet file is damaged")
    names = [name for name in relation.columns if name != "file_row_number"]
    return _nested(path, scan, dict(zip(relation.columns, relation.types, strict=True)), names, ordered=True)


def _json(con: duckdb.DuckDBPyConnection, path: Path, packed: str) -> Table:
    """JSON lines or one JSON array. Scalars come as text: `0012` and UUIDs stay as they are written."""
    common = f"{_exactly(path)}, compression={literal(packed)}, ignore_errors=true, maximum_object_size=67108864"
    detect = f"read_json({common}, sample_size=200000, map_inference_threshold=-1, field_appearance_threshold=0)"
    try:
        relation = _described(con, detect, path, "the lines are no JSON objects")
    except InputError:
        array = detect.replace("ignore_errors=true", "ignore_errors=false")  # one array cannot skip its errors
        relation, common = (
            _described(con, array, path, "the JSON is damaged"),
            common.replace("ignore_errors=true", "ignore_errors=false"),
        )
    if relation.columns == ["json"]:
        raise InputError(f"{path}: the JSON holds no objects with named fields. Write one object a line.")
    kinds = {name: _text_type(kind) for name, kind in zip(relation.columns, relation.types, strict=True)}
    declared = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in kinds.items())
    return _nested(
        path,
        f"read_json({common}, columns={{{declared}}})",
        dict(zip(relation.columns, relation.types, strict=True)),
        list(kinds),
    )


def _text_type(kind: Any) -> str:
    """A type with its structure, and VARCHAR for every scalar in it."""
    if kind.id == "struct":
        return "STRUCT(" + ", ".join(f"{quoted(name)} {_text_type(part)}" for name, part in kind.children) + ")"
    if kind.id in ("list", "array"):
        return f"{_text_type(kind.children[0][1])}[]"
    return "VARCHAR"


def _nested(path: Path, scan: str, kinds: Mapping[str, Any], names: Sequence[str], *, ordered: bool = False) -> Table:
    """A table of possibly nested columns: structures are reached by path, the list of an order's lines is unfolded."""
    columns: dict[str, str] = {}
    types: dict[str, str] = {}
    unfold: list[tuple[str, str]] = []

    def add(header: str, expression: str, kind: Any, depth: int) -> None:
        if kind.id == "struct" and depth < 3:
            for name, part in kind.children:
                add(f"{header}.{name}", f"{expression}.{quoted(name)}", part, depth + 1)
        elif kind.id == "list" and header.lower() in LISTS and kind.children[0][1].id == "struct" and not unfold:
            unfold.append((header, expression))
            for name, part in kind.children[0][1].children:
                add(f"{header}.{name}", f"line_of_order.{quoted(name)}", part, depth + 1)
        elif kind.id not in ("struct", "list", "map", "array"):
            columns[header], types[header] = expression, "VARCHAR" if not ordered else str(kind)

    for name in names:
        add(name, f"scanned.{quoted(name)}", kinds[name], 0)
    scan = f"{scan} AS scanned"
    if unfold:  # a record without lines stays one row, so that it is counted
        lines = f"CASE WHEN len({unfold[0][1]}) > 0 THEN {unfold[0][1]} ELSE [NULL] END"
        scan = f"{scan}, LATERAL (SELECT unnest({lines}) AS line_of_order) AS unfolded"
    return Table(str(path), scan, columns, types, ordered=ordered)


def _excel(path: Path, scratch: Path) -> Iterator[Table]:
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
        yield _csv(
            f"{path}, sheet {name}" if len(filled) > 1 else str(path),
            file,
            _line(file.read_bytes()[:HEAD_BYTES].decode(errors="ignore")),
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


def _zstd(con: duckdb.DuckDBPyConnection, path: Path) -> Table:
    """A zstd file: its first line is read through duckdb, since the standard library cannot."""
    whole_lines = "auto_detect=false, header=false, delim='', quote='', escape='', columns={'line': 'VARCHAR'}"
    lines = f"SELECT line FROM read_csv({_exactly(path)}, compression='zstd', {whole_lines}) LIMIT 5"
    head = "\n".join(row[0] or "" for row in _fetched(con, lines, path, "the zstd file is damaged"))
    return (
        _json(con, path, "zstd")
        if head.lstrip("\ufeff \n")[:1] in ("{", "[")
        else _csv(str(path), path, _line(head), "zstd")
    )


def _text(path: Path, head: bytes, packed: str, scratch: Path) -> Table:
    encoding = _encoding(head)
    if encoding is None:
        raise InputError(
            f"{path}: is neither text nor Parquet nor Excel. Export it as CSV in UTF-8; unpack an archive first."
        )
    if encoding != "utf-8":
        return _transcoded(path, encoding, packed, scratch)
    line = _line(head.decode("utf-8", errors="ignore"))
    if re.search(r"[\x00-\x08\x0e-\x1f]", line.text):
        raise InputError(f"{path}: the first line {line.text[:60]!r} is not text. Export the file as CSV in UTF-8.")
    return _csv(str(path), path, line, packed, again=lambda: _transcoded(path, "cp1252", packed, scratch))


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
    return _csv(str(path), file, _line(file.read_bytes()[:HEAD_BYTES].decode(errors="ignore")), "none")


@dataclass(frozen=True)
class Line:
    """The header line of a text file: where it stands, and the delimiter."""

    text: str
    skip: int
    delimiter: str


def _line(text: str) -> Line:
    """The first line that is not blank; Excel's `sep=;` names the delimiter of the next."""
    lines = text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    skip = next((number for number, line in enumerate(lines) if line.strip()), 0)
    if lines[skip].lower().startswith("sep=") and skip + 1 < len(lines):
        return Line(lines[skip + 1], skip + 1, lines[skip][4:5] or ",")
    unquoted = re.sub(r'"[^"]*"', "", lines[skip])
    return Line(lines[skip], skip, max(DELIMITERS, key=unquoted.count))


def _csv(name: str, file: Path, line: Line, packed: str, again: Callable[[], Table] | None = None) -> Table:
    try:
        headers = _headers(line)
    except csv.Error as error:
        raise InputError(
            f"{name}: the first line {line.text[:60]!r} … is no header ({error}). Export the file as CSV in UTF-8."
        ) from error
    declared = ", ".join(f"{literal(header)}: 'VARCHAR'" for header in headers)
    scan = (
        f"read_csv({_exactly(file)}, auto_detect=false, header=true, skip={line.skip}, delim={literal(line.delimiter)}, quote='\"', "
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


def _exactly(path: Path) -> str:
    """The path as duckdb's literal; signs that are wildcards to it stand for themselves."""
    return literal(re.sub(r"([*?\[])", r"[\1]", str(path)))


def _described(con: duckdb.DuckDBPyConnection, scan: str, path: Path, complaint: str) -> duckdb.DuckDBPyRelation:
    try:
        return con.sql(f"SELECT * FROM {scan} LIMIT 0")
    except duckdb.Error as error:
        raise InputError(f"{path}: {complaint} ({first_line(error)}). Export it again.") from error


def _fetched(con: duckdb.DuckDBPyConnection, query: str, path: Path, complaint: str) -> list[tuple[Any, ...]]:
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
