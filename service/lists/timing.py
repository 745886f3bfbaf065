"""Timing: when a customer is due to buy an item again, as answers tell it, and what is too early to be offered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.bundle import Models
from models.settings import DAY_S
from service.lists.taste import Taste

Rows = NDArray[np.int32]
EARLY, DUE, OVERDUE = STATES = ("early", "due", "overdue")
TEXTS: Mapping[str, Mapping[str, str]] = {
    "today": {"en": "Usually bought every {every}; last bought today", "th": "ปกติซื้อทุก {every} ซื้อครั้งล่าสุดวันนี้"},
    "ago": {"en": "Usually bought every {every}; last {ago} ago", "th": "ปกติซื้อทุก {every} ซื้อครั้งล่าสุด {ago}ที่แล้ว"},
}


@dataclass(frozen=True)
class Due:
    """When one item is due. state: one of STATES; times in seconds since 1970 UTC; expected_at may be long ago."""

    state: str
    interval_days: int
    waited_days: int
    last_at: int
    expected_at: int

    def text(self, lang: str) -> str:
        """As the customer reads it: "Usually bought every 28 days; last 30 days ago"."""
        said = TEXTS["ago" if self.waited_days else "today"][lang]
        return said.format_map(
            {"every": _days(self.interval_days, lang, every=True), "ago": _days(self.waited_days, lang)}
        )


def due(rows: Rows, *, models: Models, taste: Taste, now: int) -> dict[int, Due]:
    """By row, when those of `rows` that the customer owns are due; nothing where the history taught no intervals."""
    places = np.flatnonzero(np.isin(taste.rows, rows) & (taste.purchases > 0))
    if models.repeat is None or not len(places):
        return {}
    last_at = taste.last_at[places]
    timing = models.repeat.timing(taste.rows[places], taste.purchases[places], taste.first_at[places], last_at, now=now)
    expected_at = last_at + np.rint(timing.interval_days * DAY_S).astype(np.int64)
    days = np.maximum(np.rint(timing.interval_days), 1).astype(np.int64)
    state = np.where(timing.early, 0, np.where(timing.overdue, 2, 1))
    columns = (taste.rows[places], state, days, timing.wait_days.astype(np.int64), last_at, expected_at)
    return {
        row: Due(STATES[one], *rest) for row, one, *rest in zip(*(column.tolist() for column in columns), strict=True)
    }


def too_early(*, models: Models, taste: Taste, now: int) -> Rows:
    """int32: the rows of her own items that are not due yet; none in a shop where that is no reason to wait (Repeat.waits)."""
    owned = taste.purchases > 0
    if models.repeat is None or not models.repeat.waits or not owned.any():
        return taste.rows[:0]
    bought = taste.rows[owned], taste.purchases[owned], taste.first_at[owned], taste.last_at[owned]
    return bought[0][models.repeat.timing(*bought, now=now).early]


def _days(days: int, lang: str, *, every: bool = False) -> str:
    if lang == "th":
        return f"{days} วัน" if days > 1 or not every else "วัน"
    return f"{days} days" if days != 1 else ("day" if every else "1 day")
