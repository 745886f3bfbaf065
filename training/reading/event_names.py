"""What the names of events and the states of orders mean: the code of each row's event, as SQL over the view `raw`."""

from __future__ import annotations

import re
from collections.abc import Mapping

import duckdb

from training.history import EVENTS
from training.reading.sources import Source
from training.reading.sql import literal

REFUND = EVENTS.index("refund")
# A purchase whose own line says that it was cancelled: it takes back that order's line and no other.
CANCELLED = len(EVENTS)
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


def event_code(con: duckdb.DuckDBPyConnection, source: Source, kinds: Mapping[str, str]) -> str:
    """The event's code as SQL: by the event column, the status, and the numbers of cancelled invoices."""
    code = _coded("event", {name: _event_code(name) for name in _distinct(con, "event")}) if "event" in kinds else "0"
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


def _coded(column: str, codes: Mapping[str, int]) -> str:
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
