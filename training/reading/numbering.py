"""From the table of kept rows to columns in numpy: ids that nothing uses are forgotten, the others numbered without gaps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import duckdb
import numpy as np
from numpy.typing import NDArray

from models.vocabulary import Vocabulary
from training.history import TEXT, History

CHUNK = 1 << 21  # rows fetched at a time
COLUMNS = {
    "customer": np.int32,
    "item": np.int32,
    "ord": np.int32,
    "moment": np.int64,
    "quantity": np.float32,
    "amount": np.int64,
    "event": np.int8,
}

Codes = NDArray[np.int32]


class Ids(NamedTuple):
    """The ids of the kept rows, and with those of the returned rows after them; the codes of both in these numbers."""

    kept: NDArray[Any]
    more: NDArray[Any]
    codes: Codes
    returned: Codes


def histories(con: duckdb.DuckDBPyConnection, currency: str | None) -> tuple[History, History]:
    """What the tables `sorted` (kept) and `back` (returned) hold; the numbers of the first are those of the second, too."""
    kept, back = _columns(con, "sorted"), _columns(con, "back")
    listed = np.asarray(con.execute("SELECT code FROM items SEMI JOIN listed USING (id)").fetchnumpy()["code"])
    people, goods = _ids(con, "customers", kept, back, "customer"), _ids(con, "items", kept, back, "item", listed)
    orders = _ids(con, "orders", kept, back, "ord")
    customers, items = (Vocabulary.of_sorted(ids.kept.tolist()) for ids in (people, goods))
    order_ids = orders.kept if orders.kept.any() else orders.kept[:0]
    history = History(
        customers=customers,
        items=items,
        customer=people.codes,
        item=goods.codes,
        order=orders.codes,
        **_rest(kept),
        currency=currency,
        order_ids=order_ids,
    )
    returned = History(
        customers=customers.extended(people.more.tolist()),
        items=items.extended(goods.more.tolist()),
        customer=people.returned,
        item=goods.returned,
        order=orders.returned,
        **_rest(back),
        currency=currency,
        order_ids=np.append(orders.kept, orders.more),
    )
    return history, returned


def _columns(con: duckdb.DuckDBPyConnection, table: str) -> dict[str, NDArray[Any]]:
    """A table as arrays, chunk by chunk, so that it is never in memory twice."""
    (count,) = con.execute(f"SELECT count(*) FROM {table}").fetchall()[0]
    arrays = {name: np.empty(count, dtype=dtype) for name, dtype in COLUMNS.items()}
    for start in range(0, count, CHUNK):
        chunk = con.execute(f"SELECT * FROM {table} WHERE rowid >= {start} AND rowid < {start + CHUNK}").fetchnumpy()
        for name, array in arrays.items():
            array[start : start + CHUNK] = chunk[name]
    return arrays


def _rest(columns: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    names = {"moment": "at", "quantity": "quantity", "amount": "amount", "event": "event"}
    return {name: columns[column] for column, name in names.items()}


def _ids(
    con: duckdb.DuckDBPyConnection,
    table: str,
    kept: dict[str, NDArray[Any]],
    back: dict[str, NDArray[Any]],
    name: str,
    listed: NDArray[Any] | None = None,
) -> Ids:
    """The ids of `table` that rows use (or that are listed); a code beyond them has none, which is "". Takes the codes out of the columns."""
    codes, returned = kept.pop(name), back.pop(name)
    texts = con.execute(f"SELECT id FROM {table} ORDER BY id").fetchnumpy()["id"]
    beyond = max(int(codes.max(initial=-1)) + 1 - len(texts), 0)
    texts = np.append(np.asarray(texts, dtype=TEXT), np.zeros(beyond, dtype=TEXT))
    used, more = _used(codes, len(texts)), _used(returned, len(texts))
    if listed is not None:
        used[listed.astype(np.int64)] = True
    more &= ~used
    numbers = np.where(used, np.cumsum(used) - 1, int(used.sum()) + np.cumsum(more) - 1)
    numbers = np.append(numbers, -1).astype(np.int32)  # the place at the end answers for -1
    return Ids(texts[used], texts[more], numbers[codes], numbers[returned])


def _used(codes: Codes, size: int) -> NDArray[np.bool_]:
    used = np.zeros(size, dtype=np.bool_)
    used[codes[codes >= 0]] = True
    return used
