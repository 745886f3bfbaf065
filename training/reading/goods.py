"""What a history says of its items: titles, categories, prices, and which lines are no products (postage, fees, samples, corrections)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from models.errors import InputError
from models.settings import DAY_S, HistorySettings
from training.reading.columns import DESCRIPTIVE
from training.reading.refusals import Reason
from training.reading.sql import literal
from training.reading.table import first_line

PRICE_DAYS = (
    30  # an item's price is the median of its last month on sale: one promotion does not decide, last year neither
)
TOLD = 1 << 60  # a table of products outweighs any number of lines

_PRODUCTS = """
WITH sold AS (SELECT item, unit, moment FROM lines WHERE reason IS NULL AND event = 0 AND unit > 0),
last AS (SELECT item, max(moment) AS latest FROM sold GROUP BY item),
recent AS (SELECT item, unit, count(*) AS n FROM sold JOIN last USING (item) WHERE moment IS NULL OR moment > latest - {days} GROUP BY ALL),
running AS (SELECT item, unit, sum(n) OVER (PARTITION BY item ORDER BY unit) AS below, sum(n) OVER (PARTITION BY item) AS n FROM recent),
priced AS (SELECT item, min(unit) AS price FROM running WHERE 2 * below >= n GROUP BY item)
SELECT id, price, {names} FROM items LEFT JOIN priced ON priced.item = items.code
WHERE code IN (SELECT item FROM lines WHERE reason IS NULL) OR id IN (SELECT id FROM listed) ORDER BY id
"""


@dataclass(frozen=True)
class NotProduct:
    """An item id that stands for no product, and how many rows had it."""

    item_id: str
    title: str | None
    rows: int


def number_items(con: duckdb.DuckDBPyConnection, settings: HistorySettings, listed: Sequence[str]) -> None:
    """Table `items`: id, code (its place in sorted order), what is told of it, and whether it is a product.

    `listed` items are in the catalogue: they exist without being sold, and are products whatever their id looks like.
    Raises InputError for a pattern of the settings that the regular expressions of duckdb (RE2) do not know.
    """
    con.execute("CREATE TABLE listed (id VARCHAR)")
    if listed:
        con.execute("INSERT INTO listed SELECT DISTINCT unnest(?::VARCHAR[])", [list(listed)])
    for name in DESCRIPTIVE:
        con.execute(f"CREATE TABLE said_{name} AS {_spelling(name)}")
    said = " ".join(f"LEFT JOIN said_{name} USING (id)" for name in DESCRIPTIVE)
    ids = "SELECT item AS id FROM landed WHERE item IS NOT NULL UNION SELECT id FROM listed"
    by_id, by_title = _matches("id", settings.not_product_ids), _matches("title", settings.not_product_titles)
    is_product = f"NOT (coalesce({by_id}, false) OR coalesce({by_title}, false))"
    try:
        con.execute(
            f"CREATE TABLE items AS SELECT id, (row_number() OVER (ORDER BY id) - 1)::INTEGER AS code, {', '.join(DESCRIPTIVE)}, "
            f"{is_product} OR id IN (SELECT id FROM listed) AS is_product FROM ({ids}) {said} ORDER BY id"
        )
    except duckdb.InvalidInputException as error:
        raise InputError(
            f"history.not_product_ids, not_product_titles: {first_line(error)}. RE2 has no look-around."
        ) from error


def _matches(column: str, patterns: Sequence[str]) -> str:
    whole = "(?i)(" + "|".join(f"(?:{pattern})" for pattern in patterns) + ")"
    return f"regexp_full_match(trim({column}), {literal(whole)})" if patterns else "false"


def _spelling(name: str) -> str:
    """Each item's text: what a table of products tells, else the most frequent among good rows, the latest of equals."""
    clean = rf"trim(regexp_replace({name}, '\s+', ' ', 'g'))"
    return (
        f"WITH spelt AS (SELECT item, {name}, count(*) FILTER (reason IS NULL) AS good, count(*) AS n, max(moment) AS latest FROM landed "
        f"WHERE item IS NOT NULL AND {name} IS NOT NULL GROUP BY ALL "
        f"UNION ALL SELECT item, {name}, {TOLD}, 1, NULL FROM told WHERE item IS NOT NULL AND {name} IS NOT NULL), "
        f"merged AS (SELECT item AS id, {clean} AS {name}, sum(good) AS good, sum(n) AS n, max(latest) AS latest FROM spelt GROUP BY ALL) "
        f"SELECT id, {name} FROM merged WHERE {name} <> '' "
        f"QUALIFY row_number() OVER (PARTITION BY id ORDER BY good DESC, n DESC, latest DESC NULLS LAST, {name}) = 1"
    )


def not_products(con: duckdb.DuckDBPyConnection) -> tuple[NotProduct, ...]:
    """The item ids refused as no products, most rows first."""
    rows = con.execute(
        "SELECT id, any_value(title), count(*) FROM lines JOIN items ON items.code = lines.item "
        f"WHERE reason = {int(Reason.NOT_A_PRODUCT)} GROUP BY id ORDER BY 3 DESC, 1"
    ).fetchall()
    return tuple(NotProduct(*row) for row in rows)


def products(con: duckdb.DuckDBPyConnection) -> dict[str, Mapping[str, Any]]:
    """By item id of the history: the fields that are known, `price` in minor units."""
    rows = con.execute(_PRODUCTS.format(days=PRICE_DAYS * DAY_S, names=", ".join(DESCRIPTIVE))).fetchall()
    names = ("price", *DESCRIPTIVE)
    return {
        row[0]: {name: value for name, value in zip(names, row[1:], strict=True) if value is not None} for row in rows
    }
