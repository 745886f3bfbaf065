"""From a file's table to the view `raw`: the mapped columns under our names, rows numbered, companions joined, unreadable lines put aside."""

from __future__ import annotations

import duckdb

from training.reading import values
from training.reading.columns import DESCRIPTIVE
from training.reading.sources import Source
from training.reading.table import Table, reading

TYPED = ("time", "quantity", "price", "amount")


def add_companion(con: duckdb.DuckDBPyConnection, source: Source) -> int:
    """What a table of orders, people or products tells; the number of its rows."""
    target, names = {
        "orders": ("ordered", ("order_id", "customer_id", "time", "status")),
        "people": ("people", ("customer_id", "person_id")),
        "products": ("told", ("item_id", *DESCRIPTIVE)),
    }[source.role]
    chosen = ", ".join(_coalesced(source, name) for name in names)
    with reading(source.table.name):
        return int(con.execute(f"INSERT INTO {target} SELECT {chosen} FROM {source.table.scan}").fetchall()[0][0])


def take(con: duckdb.DuckDBPyConnection, number: int, source: Source) -> dict[str, str]:
    """The mapped columns of a table as the view `raw`, companions joined; the type of each field there."""
    table = source.table
    kinds = {name: _kind(source, name) for name in source.columns.fields}
    chosen = ", ".join(f"{_coalesced(source, name)} AS {name}" for name in kinds)
    if source.columns.time_of_day and "time" in kinds:
        chosen += f", {values.text(table.columns[source.columns.time_of_day] + '::VARCHAR')} AS time_of_day"
    if table.ordered:
        con.execute(f"CREATE VIEW taken AS SELECT file_row_number + 1 AS row, {chosen} FROM {table.scan}")
    else:
        _scan_once(con, number, table, chosen)
    con.execute(f"CREATE VIEW raw AS {_joined(con, source, kinds)}")
    return kinds


def _scan_once(con: duckdb.DuckDBPyConnection, number: int, table: Table, chosen: str) -> None:
    """The table in the order of its file; unreadable lines go to `unreadable`. Not UTF-8 after all: once more in the other encoding."""
    query = f"CREATE TABLE taken AS SELECT {chosen}, {table.first} AS first FROM "
    with reading(table.name):
        try:
            con.execute(query + table.scan)
        except (
            duckdb.InvalidInputException
        ):  # not quite a CSV (mixed line ends, stray quotes): read leniently, on one thread
            if not table.rejects:
                raise
            _forget_rejects(con)
            con.execute(
                query
                + table.scan.replace("store_rejects=true", "store_rejects=true, strict_mode=false, parallel=false")
            )
    if table.rejects and table.again and _misspelt(con):
        con.execute("DROP TABLE taken")
        _forget_rejects(con)
        _scan_once(con, number, table.again(), chosen)
        return
    if table.rejects:
        con.execute(
            f"INSERT INTO unreadable SELECT {number}, line, any_value(lower(error_type::VARCHAR)) FROM reject_errors GROUP BY line"
        )
        _forget_rejects(con)


def _misspelt(con: duckdb.DuckDBPyConnection) -> bool:
    return bool(
        con.execute("SELECT count(*) FROM reject_errors WHERE error_type = 'INVALID ENCODING'").fetchall()[0][0]
    )


def _forget_rejects(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("DROP TABLE IF EXISTS reject_errors")
    con.execute("DROP TABLE IF EXISTS reject_scans")


def _kind(source: Source, name: str) -> str:
    """The type of a field in `raw`: numbers and times keep the file's, everything else is text."""
    headers = source.columns.fields[name]
    kind = source.table.types[headers[0]]
    return (
        kind if name in TYPED and len(headers) == 1 and (values.is_numeric(kind) or values.is_time(kind)) else "VARCHAR"
    )


def _coalesced(source: Source, name: str) -> str:
    """The field as an expression over the table: typed where its type says enough, else text, the first header that has a value."""
    headers = source.columns.fields.get(name, ())
    if not headers:
        return "NULL::VARCHAR"
    if _kind(source, name) != "VARCHAR":
        return source.table.columns[headers[0]]
    texts = [values.text(source.table.columns[header], source.table.types[header]) for header in headers]
    return texts[0] if len(texts) == 1 else f"coalesce({', '.join(texts)})"


def _joined(con: duckdb.DuckDBPyConnection, source: Source, kinds: dict[str, str]) -> str:
    """The query behind `raw`: rows with their numbers, and what companions know where the lines do not say it themselves."""
    row = "row" if source.table.ordered else "taken.rowid + first"
    own = ", ".join(_filled(source, name) for name in kinds)
    clock = ", time_of_day" if source.columns.time_of_day and "time" in kinds else ""
    query = f"SELECT {row} AS row, {own}{clock} FROM taken"
    known = con.execute(
        "SELECT count(order_id), count(customer_id), count(time), count(status) FROM ordered"
    ).fetchall()[0]
    lacking = [
        name
        for name, count in zip(("customer_id", "time", "status"), known[1:], strict=True)
        if count and name not in kinds
    ]
    if "order_id" in kinds and lacking:
        told = ", ".join(f"min({name}) AS {name}" for name in lacking)
        one_each = f"SELECT order_id, {told} FROM ordered GROUP BY 1"
        query = f"SELECT own.*, {', '.join(lacking)} FROM ({query}) own LEFT JOIN ({one_each}) USING (order_id)"
        kinds.update(dict.fromkeys(lacking, "VARCHAR"))
    if "customer_id" in kinds and con.execute("SELECT count(*) FROM people").fetchall()[0][0]:
        one_each = "SELECT customer_id, min(person_id) AS person_id FROM people GROUP BY 1"
        person = "coalesce(person_id, customer_id) AS customer_id"
        query = f"SELECT own.* REPLACE ({person}) FROM ({query}) own LEFT JOIN ({one_each}) USING (customer_id)"
    return query


def _filled(source: Source, name: str) -> str:
    """A column; in exports that say the order's own columns once, the value of its first line."""
    export = source.columns.export
    if export and export.header_rows_only and name in ("customer_id", "time", "status", "cancelled", "currency"):
        return f"coalesce({name}, min({name}) OVER (PARTITION BY order_id)) AS {name}"
    return name
