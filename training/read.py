"""Reading a history: every row of every file is kept or refused, and what is kept becomes columns of numbers.

    survey   which tables there are and what their columns mean       training.reading.sources, files, columns
    land     rows of typed fields, each with the first reason against it   training.reading.landing, taking, writing, values, event_names
    number   ids become numbers in sorted order; lines that are no products are marked    training.reading.goods
    once     what several files say is one fact                       training.reading.overlap
    refunds  take purchases back                                      training.reading.refunds
    fetch    the kept rows, sorted, as numpy columns, and what was returned   training.reading.numbering, returns

All of it happens in duckdb, in a temporary database on disk with a bound on memory: no row ever is a Python object, only distinct ids are.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import orjson

from models.errors import DiskError, InputError
from models.settings import DAY_S, HistorySettings, Shop
from training.history import NO_TIME, History
from training.reading import goods, returns
from training.reading.columns import ALIASES, Columns
from training.reading.event_names import CANCELLED, REFUND
from training.reading.files import tables
from training.reading.goods import NotProduct
from training.reading.landing import Terms, land, prepare
from training.reading.numbering import histories
from training.reading.overlap import count_once
from training.reading.refunds import Refunds, take_back
from training.reading.refusals import Reason, Refusal, refusals
from training.reading.sources import Source, lines_of, survey
from training.reading.table import disk_is_full, first_line, reading
from training.reading.taking import add_companion

STORED = "the service's events"
MOST_NAMED = 12  # headers


@dataclass(frozen=True)
class FileReport:
    """One table as it was understood. `columns` is our field -> the headers it was read from, `unread` the headers that say nothing to us;
    `role` "lines" for purchases."""

    path: str
    rows: int
    export: str | None
    columns: Mapping[str, tuple[str, ...]]
    role: str
    unread: tuple[str, ...] = ()

    def __str__(self) -> str:
        said = ", ".join(f"{name}={' or '.join(headers)}" for name, headers in self.columns.items())
        known = f" as {self.export}" if self.export else ""
        role = {"lines": "", "unused": ": not used"}.get(self.role, f": tells of {self.role}")
        more = f" and {len(self.unread) - MOST_NAMED} more" if len(self.unread) > MOST_NAMED else ""
        unread = (
            f"; not read: {', '.join(self.unread[:MOST_NAMED])}{more}" if self.unread and self.role != "unused" else ""
        )
        return f"{self.path}{known}, {self.rows:,} rows{role}: {said}{unread}"


@dataclass(frozen=True)
class Reading:
    """What was read.

    returned  rows that, added to those of `history`, tell what was bought and brought back; its customers, items and orders are those of the
              history, and more after them (see training.reading.returns)
    products  item id -> what the history says of it: title, category …, `price` in minor units; every item of the history, some with nothing
    counts    rows = kept + refused; refunds_matched, refunds_unmatched; customers, items, orders of the kept rows
    """

    history: History
    returned: History
    products: Mapping[str, Mapping[str, Any]]
    refusals: tuple[Refusal, ...]
    files: tuple[FileReport, ...]
    not_products: tuple[NotProduct, ...]
    counts: Mapping[str, int]


def read(  # noqa: PLR0913 (one call of one recipe; every option has a name)
    paths: Sequence[str],
    *,
    columns: Mapping[str, str],
    settings: HistorySettings,
    shop: Shop,
    now: int,
    events: Iterable[Mapping[str, Any]] | None = None,
    extra_items: Sequence[str] = (),
    threads: int = 0,
    memory_limit: str = "2GB",
    progress: Callable[[str], None] | None = None,
) -> Reading:
    """The history in `paths` and in `events`, the purchases and behaviour that the service has stored.

    `events` are flat mappings, one an item: event, customer_id, item_id, time (RFC 3339 or seconds), order_id, quantity, price (major units
    of one piece), currency. `extra_items` become items though nobody bought them. `now` is the machine's clock, seconds since 1970 UTC.
    Raises InputError where nothing can be read, or all of it is refused; DiskError when the temporary database does not fit on the disk.
    """
    say = progress or (lambda step: None)
    with TemporaryDirectory(prefix="valet-") as folder:
        try:
            with _database(Path(folder), shop.time_zone, threads, memory_limit) as con:
                sources = _sources(con, paths, columns, events, Path(folder))
                rows = _land(con, sources, _terms(sources, settings, shop, now), say)
                say("numbering customers and items")
                goods.number_items(con, settings, extra_items)
                currency = _currency(con, shop)
                _number(con, currency)
                if len(lines_of(sources)) > 1:
                    say("finding what several files say")
                    count_once(con)
                say("taking refunds back")
                refunds = take_back(con)
                _check(con, sources)
                say("sorting")
                return _reading(con, sources, rows, refunds, currency)
        except duckdb.InterruptException as error:
            raise KeyboardInterrupt from error  # Ctrl-C in the middle of a query
        except RuntimeError as error:
            if str(error) != "Query interrupted":  # what duckdb calls Ctrl-C in the middle of another
                raise
            raise KeyboardInterrupt from error
        except (duckdb.Error, OSError) as error:
            if not disk_is_full(error) and getattr(error, "errno", None) not in (
                errno.ENOSPC,
                errno.EDQUOT,
                errno.EFBIG,
            ):
                raise
            raise DiskError(
                f"reading needs more room: {first_line(error)}. Free disk space, or set TMPDIR to a larger disk."
            ) from error


def _database(folder: Path, zone: str, threads: int, memory_limit: str) -> duckdb.DuckDBPyConnection:
    """A database on disk whose session lives in the shop's time zone."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory_limit,
        "temp_directory": str(folder / "spill"),
    }
    if threads:
        config["threads"] = threads
    con = duckdb.connect(str(folder / "history.duckdb"), config=config)
    con.execute("SET TimeZone = ?", [zone])
    con.execute("SET enable_progress_bar = false")
    return con


def _sources(
    con: duckdb.DuckDBPyConnection,
    paths: Sequence[str],
    columns: Mapping[str, str],
    events: Iterable[Mapping[str, Any]] | None,
    folder: Path,
) -> tuple[Source, ...]:
    """The tables of the files, and the stored events as the last one."""
    scratch = folder / "scratch"
    scratch.mkdir()
    stored = folder / "events.jsonl"
    with stored.open("wb") as out:
        count = sum(bool(out.write(orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE))) for event in events or ())
    sources = survey(con, paths, columns, scratch) if paths or not count else ()
    if not count:
        return sources
    (table,) = tables(con, stored, scratch)
    fields = {name: (name,) for name in ALIASES if name in table.columns}
    return (*sources, Source(table.named(STORED), Columns(fields), "lines"))


def _terms(sources: Sequence[Source], settings: HistorySettings, shop: Shop, now: int) -> Terms:
    """Rows must say when, unless no file does; then the times of stored events are no use either."""
    files = [source for source in sources if source.table.name != STORED] or sources
    has_times = any("time" in source.columns for source in files)
    return Terms(zone=shop.time_zone, day_first=settings.day_first, latest=now + DAY_S, has_times=has_times)


def _land(
    con: duckdb.DuckDBPyConnection, sources: Sequence[Source], terms: Terms, say: Callable[[str], None]
) -> list[int]:
    """Every table into `landed`, companions first; the number of rows of each."""
    prepare(con)
    rows = [0] * len(sources)
    for number, source in enumerate(sources):
        if source.role not in ("lines", "unused"):
            rows[number] = add_companion(con, source)
    for number, source in lines_of(sources):
        say(f"reading {source.table.name} ({number + 1} of {len(sources)})")
        with reading(source.table.name):
            rows[number] = land(con, number, source, terms)
    return rows


def _currency(con: duckdb.DuckDBPyConnection, shop: Shop) -> str | None:
    """The shop's currency, else the only one of the files. Raises InputError where they mix several."""
    found = con.execute(
        "SELECT currency, count(*) FROM landed WHERE currency IS NOT NULL AND reason IS NULL GROUP BY 1 ORDER BY 2 DESC, 1"
    ).fetchall()
    if shop.currency or len(found) < 2:
        return shop.currency or (found[0][0] if found else None)
    counted = ", ".join(f"{name} ({rows:,} rows)" for name, rows in found[:6])
    raise InputError(
        f"the history mixes currencies: {counted}. Name the shop's with [shop] currency in valet.toml; rows in others are refused."
    )


def _number(con: duckdb.DuckDBPyConnection, currency: str | None) -> None:
    """Table `lines`: as `landed`, with numbers for ids (-1: none). A code is the place of the id in sorted order."""
    for table, column in (("customers", "customer"), ("orders", "ord")):
        con.execute(
            f"CREATE TABLE {table} AS SELECT DISTINCT {column} AS id FROM landed WHERE {column} IS NOT NULL ORDER BY 1"
        )
    con.execute("SET preserve_insertion_order = false")
    other = "landed.currency <> ?" if currency else "?::VARCHAR IS NOT NULL"
    late = f"reason IS NULL OR reason IN ({int(Reason.NOT_POSITIVE_PRICE)}, {int(Reason.ZERO_QUANTITY)})"
    con.execute(
        "CREATE TABLE lines AS SELECT * REPLACE (CASE "
        f"WHEN reason IS NULL AND event IN (0, {REFUND}, {CANCELLED}) AND ord >= 0 THEN hash(1, event, ord, item) "
        "WHEN reason IS NULL AND event = 0 THEN hash(2, customer, item, day, quantity) "
        "ELSE hash(3, customer, item, ord, moment, quantity, amount, unit, event, reason, value) END AS key) FROM ("
        "SELECT source, row, coalesce(customers.rowid, -1)::INTEGER AS customer, coalesce(items.code, -1)::INTEGER AS item, "
        "coalesce(orders.rowid, -1)::INTEGER AS ord, moment, day, quantity, amount, unit, event, "
        f"(CASE WHEN ({late}) AND NOT is_product THEN {int(Reason.NOT_A_PRODUCT)} "
        f"WHEN reason IS NULL AND {other} THEN {int(Reason.OTHER_CURRENCY)} ELSE reason END)::TINYINT AS reason, "
        f"CASE WHEN reason IS NULL AND {other} THEN landed.currency ELSE value END AS value, 0::UBIGINT AS key "
        "FROM landed LEFT JOIN items ON items.id = landed.item LEFT JOIN customers ON customers.id = landed.customer "
        "LEFT JOIN orders ON orders.id = landed.ord)",
        [currency, currency],
    )
    con.execute("DROP TABLE landed")
    con.execute("SET preserve_insertion_order = true")


def _check(con: duckdb.DuckDBPyConnection, sources: Sequence[Source]) -> None:
    """Raise InputError when nothing is kept, with the reasons."""
    if con.execute("SELECT count(*) FROM lines WHERE reason IS NULL").fetchall()[0][0]:
        return
    name = ", ".join(source.table.name for _, source in lines_of(sources))
    found = refusals(con, sources)
    if not found:
        raise InputError(f"{name}: there is a header but no row below it. Export the file again.")
    reasons = "; ".join(f"{refusal.reason}: {refusal.count:,} rows, as {refusal.examples[0]}" for refusal in found[:3])
    raise InputError(
        f"{name}: every row is refused. {reasons}. Mend them, or say what the columns mean with --columns field=HEADER."
    )


def _reading(
    con: duckdb.DuckDBPyConnection,
    sources: Sequence[Source],
    rows: Sequence[int],
    refunds: Refunds,
    currency: str | None,
) -> Reading:
    refused, listed, products = refusals(con, sources), goods.not_products(con), goods.products(con)
    history, returned = _history(con, currency)
    files = tuple(_report(source, count) for source, count in zip(sources, rows, strict=True))
    counts = {
        "rows": sum(rows[number] for number, _ in lines_of(sources)),
        "kept": len(history),
        "refused": sum(refusal.count for refusal in refused),
        "refunds_matched": refunds.matched,
        "refunds_unmatched": refunds.unmatched,
        "customers": len(history.customers),
        "items": len(history.items),
        "orders": int(history.order.max(initial=-1)) + 1,
    }
    return Reading(history, returned, products, refused, files, listed, counts)


def _report(source: Source, rows: int) -> FileReport:
    export = source.columns.export.name if source.columns.export else None
    read_ = {source.columns.time_of_day, *chain.from_iterable(source.columns.fields.values())}
    unread = tuple(header for header in source.table.columns if header not in read_)
    return FileReport(source.table.name, rows, export, source.columns.fields, source.role, unread)


def _history(con: duckdb.DuckDBPyConnection, currency: str | None) -> tuple[History, History]:
    """The kept rows, sorted, in numpy, and what was returned; ids that only refused rows had are forgotten, listed items are not."""
    con.execute(
        "CREATE TABLE baskets AS SELECT DISTINCT customer, day FROM lines "
        "WHERE reason IS NULL AND ord < 0 AND customer >= 0 AND day IS NOT NULL ORDER BY ALL"
    )
    basket = "CASE WHEN ord >= 0 THEN ord ELSE coalesce((SELECT count(*) FROM orders) + baskets.rowid, -1) END::INTEGER"
    con.execute(
        f"CREATE TABLE sorted AS SELECT customer, item, {basket} AS ord, coalesce(moment, {NO_TIME}) AS moment, "
        "quantity::FLOAT AS quantity, amount, event FROM lines LEFT JOIN baskets USING (customer, day) WHERE reason IS NULL "
        "ORDER BY moment, customer, ord, item, quantity, amount, event"
    )
    con.execute(
        f"CREATE TABLE back AS SELECT * REPLACE (coalesce(moment, {NO_TIME}) AS moment) FROM ({returns.SELECT}) "
        "WHERE customer >= 0 AND item >= 0 ORDER BY moment, customer, ord, item, quantity, amount, event"
    )
    con.execute("DROP TABLE lines")
    con.execute("SET memory_limit = '512MB'")  # the rest of the memory is for the columns
    return histories(con, currency)
