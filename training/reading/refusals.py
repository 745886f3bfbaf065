"""Why a row of a history is not kept, counted by reason, with three examples each that never show a customer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import duckdb

from training.reading.sources import Source

EXAMPLES = 3
SHOWN = 80  # signs of a value in an example


class Reason(IntEnum):
    """The reasons, in the order in which a row is tried; a row is refused for one."""

    UNREADABLE = 1
    MISSING_ITEM = 2
    NO_BUYER = 3
    BAD_TIME = 4
    NO_TIME = 5
    BAD_QUANTITY = 6
    BAD_PRICE = 7
    FUTURE = 8
    ZERO_QUANTITY = 9
    NOT_POSITIVE_PRICE = 10
    OVERLAP = 11
    NOT_A_PRODUCT = 12
    OTHER_CURRENCY = 13
    CANCELLATION = 14
    TAKEN_BACK = 15


# What the report says, and the field whose value an example shows.
SAID: dict[Reason, tuple[str, str]] = {
    Reason.UNREADABLE: ("unreadable line", ""),
    Reason.MISSING_ITEM: ("missing item", "item_id"),
    Reason.NO_BUYER: ("neither customer nor order", ""),
    Reason.BAD_TIME: ("unparsable time", "time"),
    Reason.NO_TIME: ("no time, where other rows have one", "time"),
    Reason.BAD_QUANTITY: ("unparsable number: quantity", "quantity"),
    Reason.BAD_PRICE: ("unparsable number: price", "price"),
    Reason.FUTURE: ("later than the clock and a day", "time"),
    Reason.ZERO_QUANTITY: ("zero quantity", "quantity"),
    Reason.NOT_POSITIVE_PRICE: ("negative or zero price", "price"),
    Reason.OVERLAP: ("overlap across files", "item_id"),
    Reason.NOT_A_PRODUCT: ("not a product", "item_id"),
    Reason.OTHER_CURRENCY: ("other currency than the shop's", "currency"),
    Reason.CANCELLATION: ("cancellation", "item_id"),
    Reason.TAKEN_BACK: ("purchase taken back by a cancellation", "item_id"),
}


@dataclass(frozen=True)
class Example:
    """One refused row: where it stands (as a person counts who opens the file, the header being row 1) and what it says there."""

    file: str
    row: int
    column: str
    value: str

    def __str__(self) -> str:
        place = f"{self.file}, row {self.row}"
        return f"{place}, {self.column}: {self.value!r}" if self.column else place


@dataclass(frozen=True)
class Refusal:
    """One reason: how many rows, and the first three of them."""

    reason: str
    count: int
    examples: tuple[Example, ...]


def refusals(con: duckdb.DuckDBPyConnection, sources: Sequence[Source]) -> tuple[Refusal, ...]:
    """All refusals among the judged rows (table `lines`) and the unreadable ones (table `unreadable`), most frequent first."""
    counts = con.execute(
        "SELECT reason, count(*) FROM lines WHERE reason IS NOT NULL GROUP BY ALL UNION ALL "
        "SELECT 1, count(*) FROM unreadable HAVING count(*) > 0 ORDER BY 2 DESC, 1"
    ).fetchall()
    return tuple(Refusal(SAID[Reason(code)][0], count, _examples(con, Reason(code), sources)) for code, count in counts)


def _examples(con: duckdb.DuckDBPyConnection, reason: Reason, sources: Sequence[Source]) -> tuple[Example, ...]:
    if reason is Reason.UNREADABLE:
        rows = con.execute(f"SELECT source, row, value FROM unreadable ORDER BY ALL LIMIT {EXAMPLES}").fetchall()
    else:
        rows = con.execute(
            "SELECT source, row, CASE WHEN reason <= 10 OR reason = 13 THEN value ELSE items.id END FROM lines "
            f"LEFT JOIN items ON items.code = lines.item WHERE reason = ? ORDER BY source, row LIMIT {EXAMPLES}",
            [int(reason)],
        ).fetchall()
    return tuple(_example(sources[source], reason, row, value) for source, row, value in rows)


def _example(source: Source, reason: Reason, row: int, value: str | None) -> Example:
    field = SAID[reason][1]
    headers = source.columns.fields.get(field) or (source.columns.fields.get("amount", ()) if field == "price" else ())
    return Example(source.table.name, row, headers[0] if headers else field, (value or "")[:SHOWN])
