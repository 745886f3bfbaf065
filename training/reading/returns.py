"""Returns: what refunds took back, told as it happened. Models learn from what was kept; a profile remembers the purchase and the return.

note    before purchases in `lines` are reduced: what is about to be taken of each
SELECT  the rows that, added to the kept ones, tell every purchase whole and every refund
"""

from __future__ import annotations

import duckdb

from training.history import PART, PURCHASE
from training.reading.event_names import CANCELLED, REFUND
from training.reading.refusals import Reason

# A purchase taken back whole, the part of one that was taken back, and each refund; a cancelled line, where it took something.
SELECT = f"""
SELECT customer, item, ord, moment, quantity, amount, {PURCHASE} AS event FROM lines WHERE reason = {int(Reason.TAKEN_BACK)}
UNION ALL
SELECT customer, item, ord, moment, taken.quantity, taken.amount, {PART} FROM taken JOIN lines ON lines.rowid = taken.line WHERE event = 0
UNION ALL
SELECT customer, item, ord, moment, quantity, amount, {REFUND} FROM lines WHERE reason = {int(Reason.CANCELLATION)}
    AND (event = {REFUND} OR event = {CANCELLED} AND rowid IN (SELECT line FROM taken))
"""


def prepare(con: duckdb.DuckDBPyConnection) -> None:
    """The empty table that `note` fills."""
    con.execute("CREATE TABLE taken (line BIGINT, quantity DOUBLE, amount BIGINT)")


def note(con: duckdb.DuckDBPyConnection, *, nothing: float) -> None:
    """Keep what `settled` takes of purchases that stand in part, and which refunds took something."""
    con.execute(
        "INSERT INTO taken SELECT line, lines.quantity - remaining, lines.amount - round(lines.amount * remaining / lines.quantity)::BIGINT "
        f"FROM settled JOIN lines ON lines.rowid = settled.line WHERE bought AND remaining > {nothing} "
        "UNION ALL SELECT line, 0, 0 FROM settled WHERE took"
    )
