"""How a table writes its values: one look over its columns, a second only where something is out of the ordinary."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from training.reading import values
from training.reading.sources import Source
from training.reading.values import Writing

IDS = ("customer_id", "item_id", "order_id")


def writing_of(con: duckdb.DuckDBPyConnection, source: Source, kinds: Mapping[str, str], *, day_first: bool) -> Writing:
    """How the view `raw` writes its values; `kinds` are the types of its fields, `day_first` what holds where a column does not tell."""
    tests = {f"float {name}": f"bool_or(contains({name}, '.0'))" for name in IDS if name in kinds}
    for name in ("quantity", "price", "amount"):
        if kinds.get(name) == "VARCHAR":
            tests[f"odd {name}"] = (
                f"bool_or({name} IS NOT NULL AND NOT coalesce(isfinite(try_cast({name} AS DOUBLE)), false))"
            )
    if kinds.get("time") == "VARCHAR":
        tests["zoned"] = f"bool_or({values.has_zone('time')})"
        dated = "try_cast(time AS TIMESTAMP) >= '1000-01-01' AND isfinite(try_cast(time AS TIMESTAMP))"
        iso = (
            f"coalesce({dated} AND (NOT {values.has_zone('time')} OR try_cast(time AS TIMESTAMPTZ) IS NOT NULL), false)"
        )
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
        day_first=bool(found.get("odd time")) and _day_first(con, otherwise=day_first),
        odd_numbers=frozenset(odd),
        decimal_comma=frozenset(name for name, comma in commas.items() if comma),
    )


def _decimal_comma(name: str) -> str:
    bare = values.bare_number(name)
    return rf"bool_or(regexp_full_match({bare}, '[+-]?[\d.]+,\d{{1,2}}')) AND NOT bool_or(regexp_full_match({bare}, '[+-]?[\d,]+\.\d{{1,2}}'))"


def _day_first(con: duckdb.DuckDBPyConnection, *, otherwise: bool) -> bool:
    """What the column shows (31/12 or 12/31), else `otherwise`."""
    one, two = values.day_and_month("time")
    first, second = con.execute(f"SELECT coalesce(max({one}), 0), coalesce(max({two}), 0) FROM raw").fetchall()[0]
    return bool(first > 12) if (first > 12) != (second > 12) else otherwise


def _ask(con: duckdb.DuckDBPyConnection, tests: Mapping[str, str]) -> dict[str, bool]:
    if not tests:
        return {}
    answers = con.execute(f"SELECT {', '.join(tests.values())} FROM raw").fetchall()[0]
    return dict(zip(tests, map(bool, answers), strict=True))
