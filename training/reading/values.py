"""Times, numbers and ids as people's files write them, as SQL expressions over a text or typed column.

How a column is written is decided for the whole column (`Writing`), so that `1.234` beside `12,50` and `03/04/2011` beside `31/12/2010`
are read the way their neighbours are.
"""

from __future__ import annotations

from dataclasses import dataclass

from training.reading.sql import literal

NUMERIC = (
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "HUGEINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
    "FLOAT",
    "DOUBLE",
)
MISSING = ("", "nan", "null", "none", "nat", "<na>", "\\n")  # lower case; \N is what databases write

_DAY_MONTH = r"^\s*(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4}|\d{2})(\D.*)?$"
_NAMED_MONTH = (
    "%d %b %Y", "%d-%b-%Y", "%d-%b-%y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y", "%d %b %Y %H:%M", "%d %b %Y %H:%M:%S", "%b %d, %Y %H:%M:%S",
    "%b %d, %Y, %I:%M %p", "%b %d, %Y %I:%M %p", "%d-%b-%Y %H:%M:%S", "%B %d, %Y %H:%M", "%d/%b/%Y", "%a %b %d %H:%M:%S %Y",
)  # fmt: skip
_WITH_ZONE = ("%a, %d %b %Y %H:%M:%S %z", "%d %b %Y %H:%M:%S %z", "%d/%b/%Y:%H:%M:%S %z", "%a %b %d %H:%M:%S %z %Y")
_HALF_DAYS = (
    "%Y-%m-%d %I:%M:%S %p",
    "%Y-%m-%d %I:%M %p",
    "%Y-%m-%d %I:%M:%S%p",
    "%Y-%m-%d %I:%M%p",
    "%Y-%m-%d, %I:%M:%S %p",
)
_CURRENCY = r"[\p{Sc}\s\x{00a0}\x{202f}'’]|^(?:[A-Z]{3}|Rs\.?|kr\.?|R\$)|(?:[A-Z]{3}|kr\.?|zł|Kč|Ft|lei|บาท|baht)$"


@dataclass(frozen=True)
class Writing:
    """How one table writes its values.

    floats         the id columns whose values are all whole numbers written with `.0`
    zoned          some times name their zone
    odd_times      some times are not ISO, so the slower ways are tried too
    day_first      03/04/2011 is the 3rd of April
    odd_numbers    the number columns with values that are no plain numbers: signs of currencies, thousands
    decimal_comma  the number columns where 12,50 is twelve and a half
    """

    floats: frozenset[str] = frozenset()
    odd_times: bool = False
    zoned: bool = False
    day_first: bool = False
    odd_numbers: frozenset[str] = frozenset()
    decimal_comma: frozenset[str] = frozenset()


def is_numeric(kind: str) -> bool:
    """Whether a duckdb type is a number."""
    return kind in NUMERIC or kind.startswith("DECIMAL")


def is_time(kind: str) -> bool:
    """Whether a duckdb type is a date or a time of a day."""
    return kind.startswith(("TIMESTAMP", "DATE"))


def text(column: str, kind: str = "VARCHAR") -> str:
    """The column as text, NULL where it says nothing. Floats keep their `.0`: whether it goes is decided for the whole column."""
    if kind in ("FLOAT", "DOUBLE"):
        whole = f"isfinite({column}) AND {column} = trunc({column}) AND abs({column}) < 1e18"
        column = f"CASE WHEN {whole} THEN {column}::BIGINT::VARCHAR || '.0' ELSE {column}::VARCHAR END"
    elif kind != "VARCHAR":
        return f"{column}::VARCHAR"
    words = ", ".join(literal(word) for word in MISSING)
    return f"CASE WHEN strlen({column}) <= 4 AND lower(trim({column})) IN ({words}) THEN NULL ELSE {column} END"


def identity(column: str, *, is_float: bool) -> str:
    """An id: untouched, but for the `.0` of a column of whole numbers."""
    return rf"regexp_replace({column}, '\.0+$', '')" if is_float else column


def time(column: str, kind: str, writing: Writing, zone: str) -> str:
    """Seconds since 1970 UTC (BIGINT), NULL where it cannot be read; a time without a zone is in `zone`, the session's time zone."""
    here = literal(zone)
    if kind == "TIMESTAMP WITH TIME ZONE":
        return _seconds(column)
    if is_time(kind):
        return _seconds(f"timezone({here}, {column}::TIMESTAMP)")
    if is_numeric(kind):
        return _counted(f"{column}::VARCHAR", here)
    if not writing.odd_times:
        return f"floor(epoch_us(try_cast({column} AS {iso_type(zone, is_zoned=writing.zoned)})) / 1e6)::BIGINT"
    zoned = rf"regexp_replace(trim({column}), ' ([+-]\d)', '\1')"
    iso = rf"CASE WHEN regexp_matches({column}, '^\s*\d{{4}}-|^\s*\d{{4}}/') THEN {_seconds(f'try_cast({zoned} AS TIMESTAMPTZ)')} END"
    half = f"timezone({here}, try_strptime(upper(trim({column})), {_list(_HALF_DAYS)}))"
    ordered = _year_first(column, day_first=writing.day_first)
    named = f"timezone({here}, try_strptime(trim({column}), {_list(_NAMED_MONTH)}))"
    return (
        f"CASE WHEN regexp_matches({column}, '^\\s*\\d+([.]\\d+)?\\s*$') THEN {_counted(column, here)} "
        f"WHEN regexp_matches({column}, {literal(_DAY_MONTH)}) THEN coalesce({_seconds(f'try_cast({ordered} AS TIMESTAMPTZ)')}, "
        f"{_seconds(f'timezone({here}, try_strptime(upper({ordered}), {_list(_HALF_DAYS)}))')}) "
        f"ELSE coalesce({iso}, {_seconds(half)}, {_seconds(named)}, {_seconds(f'try_strptime(trim({column}), {_list(_WITH_ZONE)})')}) END"
    )


def iso_type(zone: str, *, is_zoned: bool) -> str:
    """What ISO texts are cast to. TIMESTAMP drops an offset without a word, but is three times as quick where there is none."""
    return "TIMESTAMP" if zone == "UTC" and not is_zoned else "TIMESTAMPTZ"


def has_zone(column: str) -> str:
    """Whether an ISO text may say its zone: false for dates, and for times to the minute or second that stop there."""
    return f"NOT (strlen({column}) IN (10, 16) OR strlen({column}) = 19 AND substr({column}, 17, 1) = ':')"


def _list(formats: tuple[str, ...]) -> str:
    return "[" + ", ".join(literal(form) for form in formats) + "]"


def _seconds(moment: str) -> str:
    return f"CASE WHEN isfinite({moment}) THEN floor(epoch_us({moment}) / 1e6)::BIGINT END"


def _year_first(column: str, *, day_first: bool) -> str:
    """31/12/2010 8:26 as 2010-12-31 8:26; dots are always day first; two-digit years are of this century."""
    year = f"right('20' || regexp_extract({column}, {literal(_DAY_MONTH)}, 3), 4)"
    one, two, rest = (f"regexp_extract({column}, {literal(_DAY_MONTH)}, {part})" for part in (1, 2, 4))
    is_day_first = "true" if day_first else f"regexp_matches({column}, '^\\s*\\d+[.]')"
    day_month = f"CASE WHEN {is_day_first} THEN {two} || '-' || {one} ELSE {one} || '-' || {two} END"
    return f"{year} || '-' || {day_month} || regexp_replace({rest}, ' ([+-]\\d)', '\\1')"


def _counted(column: str, here: str) -> str:
    """A number as a time: 20101201, 20101201082600, days since 1899-12-30 (Excel), or seconds, ms, µs, ns since 1970 by its size."""
    number = f"try_cast({column} AS DOUBLE)"
    date = f"timezone({here}, try_strptime(left(trim({column}), 8), ['%Y%m%d']))"
    moment = f"timezone({here}, try_strptime(left(trim({column}), 14), ['%Y%m%d%H%M%S']))"
    excel = f"timezone({here}, make_timestamp((round(({number} - 25569) * 86400) * 1000000)::BIGINT))"
    return (
        f"CASE WHEN {number} BETWEEN 18000101 AND 21991231 THEN {_seconds(date)} "
        f"WHEN {number} BETWEEN 18000101000000 AND 21991231235959 AND isfinite({moment}) THEN {_seconds(moment)} "
        f"WHEN {number} BETWEEN 20000 AND 80000 THEN {_seconds(excel)} "
        f"WHEN {number} < 1e8 THEN NULL WHEN {number} < 1e11 THEN floor({number})::BIGINT "
        f"WHEN {number} < 1e14 THEN floor({number} / 1e3)::BIGINT "
        f"WHEN {number} < 1e17 THEN floor({number} / 1e6)::BIGINT WHEN {number} < 1e20 THEN floor({number} / 1e9)::BIGINT END"
    )


def number(column: str, kind: str, *, is_odd: bool, decimal_comma: bool) -> str:
    """A number (DOUBLE), NULL where it cannot be read or is not finite. Signs of currencies and unambiguous thousands are understood."""
    if is_numeric(kind):
        return f"CASE WHEN isfinite({column}::DOUBLE) THEN {column}::DOUBLE END"
    if not is_odd:
        return f"try_cast({column} AS DOUBLE)"
    bare = bare_number(column)
    if decimal_comma:
        whole = rf"regexp_full_match({bare}, '[+-]?(\d+|\d{{1,3}}(\.\d{{3}})+)(,\d+)?')"
        return f"CASE WHEN {whole} THEN try_cast(replace(replace({bare}, '.', ''), ',', '.') AS DOUBLE) END"
    return (
        rf"CASE WHEN regexp_full_match({bare}, '[+-]?\d{{1,3}}(,\d{{3}})+(\.\d*)?') THEN try_cast(replace({bare}, ',', '') AS DOUBLE) "
        rf"WHEN regexp_full_match({bare}, '[+-]?(\d+|\d{{1,3}}(\.\d{{3}})+),\d{{1,2}}') "
        rf"THEN try_cast(replace(replace({bare}, '.', ''), ',', '.') AS DOUBLE) "
        rf"WHEN regexp_full_match({bare}, '[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?') THEN try_cast({bare} AS DOUBLE) END"
    )


def bare_number(column: str) -> str:
    """The column without signs of currencies and spaces; (12.50) is −12.50."""
    return rf"regexp_replace(regexp_replace({column}, {literal(_CURRENCY)}, '', 'g'), '^\((.*)\)$', '-\1')"


def day_and_month(column: str) -> tuple[str, str]:
    """The first and the second part of 31/12/2010, as numbers; NULL for texts of another shape."""
    one, two = (f"try_cast(regexp_extract({column}, {literal(_DAY_MONTH)}, {part}) AS INTEGER)" for part in (1, 2))
    return one, two
