"""The archive: what was drained from a capped log, as Parquet files that training reads on with the log.

    drain   events of the log → events-<first>-<last>-<mark>.parquet, whole or not at all → the log may be capped
    forget  the files anew, without who was erased and what is old
    read    what the files hold and the log no longer does, under the ids that their customers have today

The log knows the mark of every file that was drained from it. One that was emptied, or put back from a backup, knows fewer, and what it holds
besides is drained anew, whatever its numbers; an event that stands in several files is read once.

A file names nobody: customers stand in it by the pseudonym that a tombstone has, events by a digest of their key, and nothing personal. Who
was erased leads nowhere at once, and is taken out of the files by the next run.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import duckdb
import orjson

from models.errors import DiskError
from service.fields import digest
from service.people.erasure import Tombs
from service.people.facts import impersonal
from service.retention import pages
from service.store import Entry, Store
from training.reading.sql import literal, quoted

COLUMNS = {
    "sequence": "BIGINT",
    "customer": "VARCHAR",
    "key": "VARCHAR",
    "at": "BIGINT",
    "received": "BIGINT",
    "body": "VARCHAR",
}
NAME = re.compile(r"events-(\d+)-(\d+)(?:-(\w+))?\.parquet")
MARK = "drained"  # the kind of document by which a log knows what was drained from it
NAMELESS = ("event_id", "recommendation_id", "decision_id")  # what training does not read, and might lead to somebody


@dataclass(frozen=True)
class Archive:
    """A folder of drained events. `tombs` give the pseudonyms."""

    folder: Path
    tombs: Tombs

    def upto(self, store: Store) -> int:
        """The sequence of the newest event that was drained from this very log; 0 for none."""
        spans = list(map(_span, self._files()))
        known = store.get_many(MARK, [mark for _, _, mark in spans])
        return max((last for (_, last, _), seen in zip(spans, known, strict=True) if seen is not None), default=0)

    def drain(self, store: Store) -> int:
        """Write the events that came since the last drain; how many. Raises DiskError; nothing is half written then."""
        mark = secrets.token_hex(8)
        store.put(MARK, mark, b"")  # before anything is read: a log that is exchanged meanwhile does not know it
        after, upto = self.upto(store), store.newest()
        rows = takewhile(lambda entry: entry.sequence <= upto, store.events(after=after))
        lines = self.folder / f".drain-{os.getpid()}.jsonl"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            count = self._spool(lines, rows)
            if count:
                _convert(lines, self.folder / f"events-{after + 1}-{upto}-{mark}.parquet")
        except OSError as error:
            raise DiskError(f"{self.folder}: {error.strerror}. Free space, and run again.") from error
        finally:
            with suppress(OSError):
                lines.unlink()
        return count

    def events(self, store: Store, *, of: str | None = None) -> Iterator[Entry]:
        """The drained events that the log no longer holds, once each, of all customers whom the store knows, or of one."""
        seen = {self._key(entry) for entry in store.events(customer_id=of)}
        owners = (
            self._owners(store) if of is None else dict.fromkeys(map(self.tombs.key, [of, *store.names_of(of)]), of)
        )
        for file in self._files():
            for sequence, customer, key, at, received, body in _rows(file, None if of is None else list(owners)):
                if (owner := owners.get(customer)) is not None and key not in seen:
                    seen.add(key)
                    yield Entry(owner, (key,), at, body.encode(), sequence, received)

    def forget(self, *, keep_s: int) -> int:
        """Rewrite the files without what is of those who were erased, and what came `keep_s` before the newest; how many events went."""
        files = self._files()
        stones = ", ".join(f"({literal(key)}, {at})" for key, at in self.tombs.all().items()) or "('', 0)"
        erased = f"EXISTS (FROM (VALUES {stones}) AS stones(name, until) WHERE name = customer AND received <= until)"
        old = max((_newest(file) for file in files), default=0) - keep_s
        return sum(_rewrite(file, f"NOT ({erased}) AND received >= {old}") for file in files)

    def _owners(self, store: Store) -> dict[str, str]:
        """The id of every customer whom the store knows, by the pseudonyms of all her names."""
        owners = {self.tombs.key(name): name for name in store.customer_ids()}
        return owners | {self.tombs.key(name): owner for name, owner in store.names().items()}

    def _spool(self, lines: Path, rows: Iterable[Entry]) -> int:
        count = 0
        with lines.open("wb") as out:
            for page in pages(rows):
                for entry in page:
                    out.write(orjson.dumps(self._row(entry), option=orjson.OPT_APPEND_NEWLINE))
                count += len(page)
        return count

    def _row(self, entry: Entry) -> dict[str, object]:
        body = {name: value for name, value in orjson.loads(entry.body).items() if name not in NAMELESS}
        return {
            "sequence": entry.sequence,
            "customer": self.tombs.key(entry.customer_id),
            "key": self._key(entry),
            "at": entry.at,
            "received": entry.received,
            "body": orjson.dumps({**body, "extra": impersonal(body.get("extra", {}))}).decode(),
        }

    def _key(self, entry: Entry) -> str:
        """By what an event is known here and in the log: its keys, or all that it says, which is an id of its own too."""
        return digest(entry.keys or entry.body.decode())

    def _files(self) -> list[Path]:
        found = [path for path in self.folder.glob("events-*.parquet") if NAME.fullmatch(path.name)]
        return sorted(found, key=_span)


def _span(file: Path) -> tuple[int, int, str]:
    """The first and the last sequence that a file spans, and its mark."""
    found = NAME.fullmatch(file.name)
    assert found is not None  # noqa: S101  (only such are listed)
    return int(found[1]), int(found[2]), found[3] or ""


def _rows(file: Path, customers: Sequence[str] | None) -> Iterator[tuple[int, str, str, int, int, str]]:
    """The rows of a file, of these pseudonyms alone; None: all."""
    chosen = "" if customers is None else f"WHERE customer IN ({', '.join(map(literal, customers))})"
    columns = ", ".join(map(quoted, COLUMNS))
    with duckdb.connect() as con:
        found = con.execute(f"SELECT {columns} FROM read_parquet(?) {chosen} ORDER BY sequence", [str(file)])
        while page := found.fetchmany(10_000):
            yield from page


def _convert(lines: Path, out: Path) -> None:
    kinds = ", ".join(f"'{name}': '{kind}'" for name, kind in COLUMNS.items())
    with duckdb.connect() as con:
        _copy(con, f"read_json({literal(str(lines))}, format = 'newline_delimited', columns = {{{kinds}}})", out)


def _newest(file: Path) -> int:
    """When the newest event of a file came; 0 where it holds none."""
    with duckdb.connect() as con:
        found: tuple[int | None] = con.execute("SELECT max(received) FROM read_parquet(?)", [str(file)]).fetchall()[0]
        return found[0] or 0


def _rewrite(file: Path, kept: str) -> int:
    """Leave what `kept` (SQL) says; a file with nothing left keeps its name, so that what it spans is not drained again."""
    scan = f"read_parquet({literal(str(file))})"
    with duckdb.connect() as con:
        (gone,) = con.execute(f"SELECT count(*) FROM {scan} WHERE NOT ({kept})").fetchall()[0]
        if gone:
            _copy(con, f"{scan} WHERE {kept}", file)
    return int(gone)


def _copy(con: duckdb.DuckDBPyConnection, source: str, out: Path) -> None:
    """Write rows to a file that appears whole, in the place of what stood there."""
    fresh = out.with_name(f".{out.name}.new")
    con.execute(f"COPY (SELECT * FROM {source}) TO {literal(str(fresh))} (FORMAT parquet, COMPRESSION zstd)")
    with fresh.open("rb") as file:
        os.fsync(file.fileno())
    fresh.replace(out)
