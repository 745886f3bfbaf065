"""Refunds take purchases back, newest first: those of the order they name, else those of the customer that came before.

Purchases of one item stack up and refunds take from the top. With X the running sum of what is bought (+) and returned (−), the height of
the stack is X reflected at zero, S = X − min(0, running minimum of X), and of a purchase that ends at height S there remains what no later
moment undercuts: min over the future of S, less the height it began at, between 0 and its quantity. So a window function over sorted rows
does what looks like a loop (the discrete Skorokhod map).
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from training.reading import returns
from training.reading.event_names import CANCELLED, REFUND
from training.reading.refusals import Reason

NOTHING = 1e-6  # pieces; less remains only by rounding

_SETTLED = """
CREATE OR REPLACE TABLE settled AS
WITH asked AS (SELECT DISTINCT {group} FROM lines WHERE reason IS NULL AND {refund} AND {known}),
moved AS (
    SELECT lines.rowid AS line, {group}, event = 0 AS bought, quantity, CASE WHEN event = 0 THEN quantity ELSE -quantity END AS move,
        row_number() OVER (PARTITION BY {group} ORDER BY {order}, source, row) AS place
    FROM lines SEMI JOIN asked USING ({group}) WHERE reason IS NULL AND (event = 0 OR {refund})
),
summed AS (SELECT *, sum(move) OVER (PARTITION BY {group} ORDER BY place) AS x FROM moved),
stacked AS (SELECT *, x - least(0, min(x) OVER (PARTITION BY {group} ORDER BY place)) AS s FROM summed),
seen AS (
    SELECT *, min(s) OVER (PARTITION BY {group} ORDER BY place ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS lowest,
        coalesce(lag(s) OVER (PARTITION BY {group} ORDER BY place), 0) AS before
    FROM stacked
)
SELECT line, bought, greatest(0, least(quantity, lowest - (s - quantity))) AS remaining, NOT bought AND before > {nothing} AS took FROM seen
WHERE bought AND lowest < s - {nothing} OR NOT bought AND before > {nothing}
"""


@dataclass(frozen=True)
class Refunds:
    """What became of the refunds: how many took something back, and how many found nothing to take."""

    matched: int
    unmatched: int


def take_back(con: duckdb.DuckDBPyConnection) -> Refunds:
    """Reduce or refuse the purchases in `lines` that were returned; every refund and cancelled line is refused as a cancellation."""
    returns.prepare(con)
    if not con.execute(
        f"SELECT count(*) FROM lines WHERE reason IS NULL AND event IN ({REFUND}, {CANCELLED})"
    ).fetchall()[0][0]:
        return Refunds(0, 0)
    matched = _settle(
        con, "ord, item", "event <> 0, moment", known="ord >= 0", refund=f"event IN ({REFUND}, {CANCELLED})"
    )
    matched += _settle(con, "customer, item", "moment, event <> 0", known="customer >= 0", refund=f"event = {REFUND}")
    (unmatched,) = con.execute(f"SELECT count(*) FROM lines WHERE reason IS NULL AND event = {REFUND}").fetchall()[0]
    con.execute(
        f"UPDATE lines SET reason = {int(Reason.CANCELLATION)} WHERE reason IS NULL AND event IN ({REFUND}, {CANCELLED})"
    )
    return Refunds(matched, int(unmatched))


def _settle(con: duckdb.DuckDBPyConnection, group: str, order: str, *, known: str, refund: str) -> int:
    """Match refunds with purchases of the same group, in this order; the number of refunds that took something."""
    con.execute(_SETTLED.format(group=group, order=order, known=known, refund=refund, nothing=NOTHING))
    returns.note(con, nothing=NOTHING)
    con.execute(
        f"UPDATE lines SET reason = CASE WHEN remaining <= {NOTHING} THEN {int(Reason.TAKEN_BACK)} END, "
        f"quantity = CASE WHEN remaining <= {NOTHING} THEN quantity ELSE remaining END, "
        f"amount = CASE WHEN remaining <= {NOTHING} THEN amount ELSE round(amount * remaining / quantity)::BIGINT END "
        "FROM settled WHERE bought AND settled.line = lines.rowid"
    )
    con.execute(
        f"UPDATE lines SET reason = {int(Reason.CANCELLATION)} FROM settled WHERE took AND settled.line = lines.rowid"
    )
    return int(con.execute("SELECT count(*) FROM settled WHERE took").fetchall()[0][0])
