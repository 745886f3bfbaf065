"""From a table as a file has it to rows of our fields: typed, ids settled, and each with the first reason against it.

    land(con, source …)   raw text → view `raw` (with companions joined) → appended to table `landed`

`landed`: source, row, customer, item, ord (texts), moment (seconds since 1970 UTC), day (shop's calendar, days since 1970), quantity, amount and
unit (minor units: the line and one piece), event (see EVENT_CODES), currency, reason and the value that caused it, what the line says of
its item.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from models.errors import InputError
from training import values
from training.columns import DESCRIPTIVE
from training.files import Table, first_line
from training.history import EVENTS
from training.refusals import Reason
from training.sources import Source
from training.sql import literal
from training.values import Writing

MINOR = 100  # minor units in a major one
LARGEST = 1e15  # of a line, in major units: what is more is no price
DAY_S = 86_400
REFUND = EVENTS.index("refund")
CANCELLED = len(
    EVENTS
)  # a purchase whose own line says that it was cancelled: it takes back that order's line and no other
IDS = {"customer_id": "customer", "item_id": "item", "order_id": "ord"}
TYPED = ("time", "quantity", "price", "amount")
EVENT_CODES: Mapping[str, str] = {
    "purchase": r"(ecommerce_)?purchased?|transactions?|buy|bought|orders?|ordered|sales?|sold|conversion|order_completed|completed_order"
    r"|checkout_completed|pay(ment)?",
    "add_to_cart": r"(product_)?(add(ed)?_?to_?(cart|basket|bag)|cart|basket|begin_checkout|checkout)|product_added",
    "add_to_wishlist": r"(add(ed)?_?to_?)?(wish_?list|favou?rites?|fav|like|liked)(_add)?",
    "view_item": r"(product_)?(view(ed)?(_item|_product|_content|_details)?|pv|click(ed)?|detail_?page_?view|detail(_view)?|select_item)",
    "rating": r"rat(e|ed|ing)|review(ed)?",
    "refund": r"refund(ed)?|return(ed)?|cancel(led|ed|lation)?|chargeback",
}  # a name in lower case with _ between its words, matched whole
CANCELLED_STATUS = r"cancell?ed|cancell?ation|refunded|returned|failed|voided|void|unavailable|declined|rejected|chargeback|trash|ยกเลิก"


@dataclass(frozen=True)
class Terms:
    """What holds for every table of one reading.

    zone       the shop's time zone    day_first  what 03/04/2011 means where the column does not tell
    latest     seconds since 1970: what is later is refused
    has_times  whether rows must say when
    """

    zone: str
    day_first: bool
    latest: int
    has_times: bool


def prepare(con: duckdb.DuckDBPyConnection) -> None:
    """The empty tables that `land` fills."""
    described = ", ".join(f"{name} VARCHAR" for name in DESCRIPTIVE)
    con.execute(
        "CREATE TABLE landed (source SMALLINT, row BIGINT, customer VARCHAR, item VARCHAR, ord VARCHAR, moment BIGINT, day INTEGER, "
        f"quantity DOUBLE, amount BIGINT, unit BIGINT, event TINYINT, currency VARCHAR, reason TINYINT, value VARCHAR, {described})"
    )
    con.execute("CREATE TABLE unreadable (source SMALLINT, row BIGINT, value VARCHAR)")
    con.execute("CREATE TABLE ordered (order_id VARCHAR, customer_id VARCHAR, time VARCHAR, status VARCHAR)")
    con.execute("CREATE TABLE people (customer_id VARCHAR, person_id VARCHAR)")
    con.execute("CREATE TABLE told (item VARCHAR, " + ", ".join(f"{name} VARCHAR" for name in DESCRIPTIVE) + ")")


def add_companion(con: duckdb.DuckDBPyConnection, source: Source) -> int:
    """What a table of orders, people or products tells; the number of its rows."""
    target, names = {
        "orders": ("ordered", ("order_id", "customer_id", "time", "status")),
        "people": ("people", ("customer_id", "person_id")),
        "products": ("told", ("item_id", *DESCRIPTIVE)),
    }[source.role]
    chosen = ", ".join(_coalesced(source, name) for name in names)
    try:
        return int(con.execute(f"INSERT INTO {target} SELECT {chosen} FROM {source.table.scan}").fetchall()[0][0])
    except duckdb.Error as error:
        raise InputError(f"{source.table.name}: cannot be read: {first_line(error)}. Export it again.") from error


def land(con: duckdb.DuckDBPyConnection, number: int, source: Source, terms: Terms) -> int:
    """Append a table of lines to `landed`, every row of it; the number of its rows, unreadable ones among them."""
    fields = _take(con, number, source)
    writing = _writing(con, source, fields, terms)
    con.execute(f"INSERT INTO landed BY NAME {_judged(_parsed(con, number, source, fields, writing, terms), terms)}")
    con.execute("DROP VIEW raw")
    con.execute("DROP VIEW taken" if source.table.ordered else "DROP TABLE taken")
    (count,) = con.execute(
        f"SELECT (SELECT count(*) FROM landed WHERE source = {number}) + (SELECT count(*) FROM unreadable WHERE source = {number})"
    ).fetchall()[0]
    return int(count)


def _take(con: duckdb.DuckDBPyConnection, number: int, source: Source) -> dict[str, str]:
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
    if table.ordered:
        _check(con, table)
    return kinds


def _scan_once(con: duckdb.DuckDBPyConnection, number: int, table: Table, chosen: str) -> None:
    """The table in the order of its file; unreadable lines go to `unreadable`. Not UTF-8 after all: once more in the other encoding."""
    query = "CREATE TABLE taken AS SELECT {chosen}, {first} AS first FROM {scan}"
    try:
        con.execute(query.format(chosen=chosen, first=table.first, scan=table.scan))
    except duckdb.InvalidInputException as error:
        if not table.rejects or "store_rejects=true" not in table.scan:
            raise InputError(f"{table.name}: {first_line(error)}. Export it again.") from error
        _forget_rejects(con)
        lenient = table.scan.replace("store_rejects=true", "store_rejects=true, strict_mode=false, parallel=false")
        _lenient(con, query.format(chosen=chosen, first=table.first, scan=lenient), table)
    except duckdb.Error as error:
        raise InputError(f"{table.name}: cannot be read: {first_line(error)}. Copy or export it again.") from error
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


def _lenient(con: duckdb.DuckDBPyConnection, query: str, table: Table) -> None:
    try:
        con.execute(query)
    except duckdb.Error as error:
        raise InputError(f"{table.name}: cannot be read: {first_line(error)}. Copy or export it again.") from error


def _misspelt(con: duckdb.DuckDBPyConnection) -> bool:
    return bool(
        con.execute("SELECT count(*) FROM reject_errors WHERE error_type = 'INVALID ENCODING'").fetchall()[0][0]
    )


def _forget_rejects(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("DROP TABLE IF EXISTS reject_errors")
    con.execute("DROP TABLE IF EXISTS reject_scans")


def _check(con: duckdb.DuckDBPyConnection, table: Table) -> None:
    try:
        con.execute("SELECT * FROM raw LIMIT 1").fetchall()
    except duckdb.Error as error:
        raise InputError(f"{table.name}: cannot be read: {first_line(error)}. Export it again.") from error


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


def _writing(con: duckdb.DuckDBPyConnection, source: Source, kinds: Mapping[str, str], terms: Terms) -> Writing:
    """How this table writes its values: one look over the columns, a second only where something is out of the ordinary."""
    tests = {f"float {name}": f"bool_or(contains({name}, '.0'))" for name in IDS if name in kinds}
    for name in ("quantity", "price", "amount"):
        if kinds.get(name) == "VARCHAR":
            tests[f"odd {name}"] = (
                f"bool_or({name} IS NOT NULL AND NOT coalesce(isfinite(try_cast({name} AS DOUBLE)), false))"
            )
    if kinds.get("time") == "VARCHAR":
        tests["zoned"] = f"bool_or({values.has_zone('time')})"
        dated = "try_cast(time AS TIMESTAMP) >= '1000-01-01' AND isfinite(try_cast(time AS TIMESTAMP))"
        iso = f"coalesce({dated} AND (NOT {values.has_zone('time')} OR try_cast(time AS TIMESTAMPTZ) IS NOT NULL), false)"
        tests["odd time"] = f"bool_or(time IS NOT NULL AND NOT {iso})" if not source.columns.time_of_day else "true"
    found = _ask(con, tests)
    floats = _ask(
        con, {n: rf"bool_and(regexp_full_match({n}, '[+-]?\d+(\.0+)?'))" for n in IDS if found.get(f"float {n}")}
    )
    odd = [name for name in ("quantity", "price", "amount") if found.get(f"odd {name}")]
    commas = _ask(con, {name: _decimal_comma(name) for name in odd})
    return Writing(
        floats=frozenset(name for name, is_float in floats.items() if is_float),
        odd_times=bool(found.get("odd time")),
        zoned=bool(found.get("zoned")),
        day_first=bool(found.get("odd time")) and _day_first(con, terms),
        odd_numbers=frozenset(odd),
        decimal_comma=frozenset(name for name, comma in commas.items() if comma),
    )


def _decimal_comma(name: str) -> str:
    bare = values.bare_number(name)
    return rf"bool_or(regexp_full_match({bare}, '[+-]?[\d.]+,\d{{1,2}}')) AND NOT bool_or(regexp_full_match({bare}, '[+-]?[\d,]+\.\d{{1,2}}'))"


def _day_first(con: duckdb.DuckDBPyConnection, terms: Terms) -> bool:
    """What the column shows (31/12 or 12/31), else what the settings say."""
    one, two = values.day_and_month("time")
    first, second = con.execute(f"SELECT coalesce(max({one}), 0), coalesce(max({two}), 0) FROM raw").fetchall()[0]
    return bool(first > 12) if (first > 12) != (second > 12) else terms.day_first


def _ask(con: duckdb.DuckDBPyConnection, tests: Mapping[str, str]) -> dict[str, bool]:
    if not tests:
        return {}
    answers = con.execute(f"SELECT {', '.join(tests.values())} FROM raw").fetchall()[0]
    return dict(zip(tests, map(bool, answers), strict=True))


def _parsed(
    con: duckdb.DuckDBPyConnection,
    number: int,
    source: Source,
    kinds: Mapping[str, str],
    writing: Writing,
    terms: Terms,
) -> str:
    """The query that reads each value of `raw` once."""

    def read(name: str) -> str:
        if name not in kinds:
            return "NULL::DOUBLE"
        return values.number(
            name, kinds[name], is_odd=name in writing.odd_numbers, decimal_comma=name in writing.decimal_comma
        )

    ids = [
        f"{values.identity(n, is_float=n in writing.floats) if n in kinds else 'NULL::VARCHAR'} AS {as_}"
        for n, as_ in IDS.items()
    ]
    texts = [f"{name}::VARCHAR AS {name}_text" if name in kinds else f"NULL::VARCHAR AS {name}_text" for name in TYPED]
    moment = _moment(source, kinds, writing, terms)
    return (
        f"SELECT {number} AS source, row, {', '.join(ids)}, {', '.join(texts)}, {moment} AS moment, "
        f"{read('quantity')} AS pieces, {read('price')} AS price, {read('amount')} AS line_amount, "
        f"{'upper(trim(currency))' if 'currency' in kinds else 'NULL::VARCHAR'} AS currency, "
        f"{_event(con, source, kinds)} AS kind, "
        + ", ".join(name if name in kinds else f"NULL::VARCHAR AS {name}" for name in DESCRIPTIVE)
        + " FROM raw"
    )


def _moment(source: Source, kinds: Mapping[str, str], writing: Writing, terms: Terms) -> str:
    if "time" not in kinds or not terms.has_times:
        return "NULL::BIGINT"
    if not source.columns.time_of_day:
        return values.time("time", kinds["time"], writing, terms.zone)
    date = "regexp_replace(time::VARCHAR, '[ T]00:00(:00)?$', '')"
    joined = f"(CASE WHEN regexp_matches(time_of_day, '^\\d{{1,2}}:\\d\\d') THEN {date} || ' ' || time_of_day ELSE time::VARCHAR END)"
    return values.time(joined, "VARCHAR", Writing(odd_times=True, day_first=writing.day_first), terms.zone)


def _event(con: duckdb.DuckDBPyConnection, source: Source, kinds: Mapping[str, str]) -> str:
    """The event's code as SQL: by the event column, the status, and the numbers of cancelled invoices."""
    code = (
        _coded(con, "event", {name: _event_code(name) for name in _distinct(con, "event")}) if "event" in kinds else "0"
    )
    cancelled = []
    if "status" in kinds:
        gone = [name for name in _distinct(con, "status") if re.fullmatch(CANCELLED_STATUS, _worded(name))]
        cancelled.append(f"status IN ({', '.join(map(literal, gone))})" if gone else "false")
    if "cancelled" in kinds:
        cancelled.append("lower(trim(cancelled)) NOT IN ('false', '0', '0.0', 'no', 'n', 'f')")
    if cancelled:
        code = f"CASE WHEN {' OR '.join(f'coalesce({test}, false)' for test in cancelled)} THEN {CANCELLED} ELSE {code} END"
    export = source.columns.export
    if export and export.cancelled_prefix and "order_id" in kinds:
        code = f"CASE WHEN regexp_matches(order_id, {literal('^' + export.cancelled_prefix + '[0-9]')}) THEN {REFUND} ELSE {code} END"
    return code


def _distinct(con: duckdb.DuckDBPyConnection, name: str) -> list[str]:
    return [
        row[0]
        for row in con.execute(
            f"SELECT DISTINCT {name} FROM raw WHERE {name} IS NOT NULL ORDER BY 1 LIMIT 10000"
        ).fetchall()
    ]


def _coded(con: duckdb.DuckDBPyConnection, column: str, codes: Mapping[str, int]) -> str:
    by_code = {code: [name for name in codes if codes[name] == code] for code in sorted(set(codes.values()))}
    cases = " ".join(
        f"WHEN {column} IN ({', '.join(map(literal, names))}) THEN {code}" for code, names in by_code.items()
    )
    other = EVENTS.index("other")
    return f"CASE {cases} ELSE {other} END" if cases else str(other)


def _event_code(name: str) -> int:
    named = next((event for event, pattern in EVENT_CODES.items() if re.fullmatch(pattern, _worded(name))), "other")
    return EVENTS.index(named)


def _worded(name: str) -> str:
    return re.sub(r"[\s\-]+", "_", name.strip().casefold())


def _judged(parsed: str, terms: Terms) -> str:
    """The query that gives each parsed row its event, money, day and the first reason against it."""
    tests = (
        ("item IS NULL", Reason.MISSING_ITEM),
        ("customer IS NULL AND ord IS NULL", Reason.NO_BUYER),
        ("moment IS NULL AND time_text IS NOT NULL" if terms.has_times else "false", Reason.BAD_TIME),
        ("moment IS NULL" if terms.has_times else "false", Reason.NO_TIME),
        ("pieces IS NULL AND quantity_text IS NOT NULL", Reason.BAD_QUANTITY),
        ("price IS NULL AND price_text IS NOT NULL", Reason.BAD_PRICE),
        ("line_amount IS NULL AND amount_text IS NOT NULL", Reason.BAD_PRICE),
        (f"abs(each * number) >= {LARGEST}", Reason.BAD_PRICE),
        (f"moment > {terms.latest}", Reason.FUTURE),
        ("pieces = 0 AND sold", Reason.ZERO_QUANTITY),
        ("each <= 0 AND sold", Reason.NOT_POSITIVE_PRICE),
    )  # fmt: skip
    shown = {
        "time_text": (Reason.BAD_TIME, Reason.FUTURE),
        "quantity_text": (Reason.BAD_QUANTITY, Reason.ZERO_QUANTITY),
        "coalesce(price_text, amount_text)": (Reason.BAD_PRICE, Reason.NOT_POSITIVE_PRICE),
    }
    reason = " ".join(f"WHEN {test} THEN {int(code)}" for test, code in tests)
    value = " ".join(
        f"WHEN reason IN ({', '.join(str(int(code)) for code in codes)}) THEN left({text}, 80)"
        for text, codes in shown.items()
    )
    measured = (
        f"SELECT *, coalesce(pieces, 1) AS number, coalesce(price, line_amount / nullif(coalesce(pieces, 1), 0)) AS each, "
        f"kind IN (0, {REFUND}, {CANCELLED}) AS sold FROM ({parsed})"
    )
    return (
        f"SELECT source, row, customer, item, ord, moment, {_day(terms.zone)} AS day, abs(number) AS quantity, "
        f"coalesce(try_cast(round(each * abs(number) * {MINOR}) AS BIGINT), 0) AS amount, try_cast(round(each * {MINOR}) AS BIGINT) AS unit, "
        f"CASE WHEN kind = 0 AND pieces < 0 THEN {REFUND} ELSE kind END::TINYINT AS event, currency, reason, CASE {value} END AS value, "
        f"{', '.join(DESCRIPTIVE)} FROM (SELECT *, CASE {reason} END::TINYINT AS reason FROM ({measured}))"
    )


def _day(zone: str) -> str:
    """The shop's calendar day of `moment`, days since 1970."""
    local = f"timezone({literal(zone)}, to_timestamp(moment))::DATE"
    return (
        "floor(moment / 86400)::INTEGER" if zone == "UTC" else f"date_diff('day', DATE '1970-01-01', {local})::INTEGER"
    )


def lines_of(sources: Sequence[Source]) -> list[tuple[int, Source]]:
    """The tables of lines with their numbers."""
    return [(number, source) for number, source in enumerate(sources) if source.role == "lines"]
