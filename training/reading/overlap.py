"""A purchase counts once: what several files, or a file and the service's events, say alike is one fact.

The key of a purchase is (order, item), else (customer, item, day, quantity); of any other row, all it says. Of the tables that hold a
key, the one with the most rows counts, with all its rows: repeats inside one file are real.
"""

from __future__ import annotations

import duckdb

from training.reading.refusals import Reason

_LOST = """
WITH shared AS (SELECT key FROM lines GROUP BY key HAVING min(source) <> max(source)),
held AS (SELECT lines.rowid AS line, key, source, row, customer < 0 AS nobody FROM lines SEMI JOIN shared USING (key)),
sized AS (SELECT *, count(*) OVER (PARTITION BY key, source) AS n FROM held),
placed AS (
    SELECT line, row_number() OVER (PARTITION BY key ORDER BY n DESC, nobody, source, row) AS place, max(n) OVER (PARTITION BY key) AS n
    FROM sized
)
SELECT line FROM placed WHERE place > n
"""
# A purchase without an order is the same as one with an order in another file, when customer, item, day and quantity agree.
_LOST_WITHOUT_ORDER = """
WITH keyed AS (
    SELECT rowid AS line, source, row, ord >= 0 AS ordered, hash(customer, item, day, quantity) AS key FROM lines
    WHERE reason IS NULL AND event = 0 AND customer >= 0
),
shared AS (SELECT key FROM keyed GROUP BY key HAVING bool_or(ordered) AND NOT bool_and(ordered) AND min(source) <> max(source)),
placed AS (
    SELECT line, ordered, row_number() OVER (PARTITION BY key, source, ordered ORDER BY row) AS place,
        count(*) FILTER (ordered) OVER (PARTITION BY key) - count(*) FILTER (ordered) OVER (PARTITION BY key, source) AS elsewhere
    FROM keyed SEMI JOIN shared USING (key)
)
SELECT line FROM placed WHERE NOT ordered AND place <= elsewhere
"""


def count_once(con: duckdb.DuckDBPyConnection) -> None:
    """Refuse the rows of `lines` that another table says too."""
    for lost in (_LOST, _LOST_WITHOUT_ORDER):
        con.execute(f"UPDATE lines SET reason = {int(Reason.OVERLAP)} WHERE rowid IN ({lost})")
