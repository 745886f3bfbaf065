"""From a table as a file has it to rows of our fields: typed, ids settled, and each with the first reason against it.

    land(con, source …)   raw text → view `raw` (with companions joined) → appended to table `landed`

`landed`: source, row, customer, item, ord (texts), moment (seconds since 1970 UTC), day (shop's calendar, days since 1970), quantity, amount and
unit (minor units: the line and one piece), event (see EVENT_CODES), currency, reason and the value that caused it, what the line says of
its item.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from training.reading import values
from training.reading.columns import DESCRIPTIVE
from training.reading.event_names import CANCELLED, REFUND, event_code
from training.reading.refusals import Reason
from training.reading.sources import Source
from training.reading.sql import literal
from training.reading.taking import TYPED, take
from training.reading.values import Writing
from training.reading.writing import writing_of

NUMBERED = {"customer_id": "customer", "item_id": "item", "order_id": "ord"}
MINOR = 100  # minor units in a major one
LARGEST = 1e15  # of a line, in major units: what is more is no price


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


def land(con: duckdb.DuckDBPyConnection, number: int, source: Source, terms: Terms) -> int:
    """Append a table of lines to `landed`, every row of it; the number of its rows, unreadable ones among them."""
    fields = take(con, number, source)
    writing = writing_of(con, source, fields, day_first=terms.day_first)
    con.execute(f"INSERT INTO landed BY NAME {_judged(_parsed(con, number, source, fields, writing, terms), terms)}")
    con.execute("DROP VIEW raw")
    con.execute("DROP VIEW taken" if source.table.ordered else "DROP TABLE taken")
    (count,) = con.execute(
        f"SELECT (SELECT count(*) FROM landed WHERE source = {number}) + (SELECT count(*) FROM unreadable WHERE source = {number})"
    ).fetchall()[0]
    return int(count)


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
        for n, as_ in NUMBERED.items()
    ]
    texts = [f"{name}::VARCHAR AS {name}_text" if name in kinds else f"NULL::VARCHAR AS {name}_text" for name in TYPED]
    moment = _moment(source, kinds, writing, terms)
    return (
        f"SELECT {number} AS source, row, {', '.join(ids)}, {', '.join(texts)}, {moment} AS moment, "
        f"{read('quantity')} AS pieces, {read('price')} AS price, {read('amount')} AS line_amount, "
        f"{'upper(trim(currency))' if 'currency' in kinds else 'NULL::VARCHAR'} AS currency, "
        f"{event_code(con, source, kinds)} AS kind, "
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
