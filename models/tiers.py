"""How good a customer is, and where in her life cycle: tier, recency-frequency-monetary scores, segment, stage.

Nothing here is stored: every answer is a pure function of the customer's purchase days and `today`.
A day is the number of a UTC day since 1970; money is minor units.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NO_TIER = -1
CADENCE_PRIOR = 2  # intervals that the shop's typical one is worth beside the customer's own
AT_RISK, LAPSED, LOST = (
    2.0,
    4.0,
    8.0,
)  # waits in intervals; at a steady Poisson rate 14 %, 2 % and .03 % of gaps are longer
REGULAR_ORDERS = 4

# The 5×5 grid recency (rows, 5 first) × frequency (columns, 1 first): every cell has a name, no two names a cell.
SEGMENTS = (
    ("new", "potential_loyalist", "potential_loyalist", "champions", "champions"),
    ("promising", "potential_loyalist", "potential_loyalist", "loyal", "loyal"),
    ("about_to_sleep", "about_to_sleep", "need_attention", "loyal", "loyal"),
    ("hibernating", "hibernating", "at_risk", "at_risk", "cant_lose"),
    ("hibernating", "hibernating", "at_risk", "at_risk", "cant_lose"),
)
LIFECYCLES = ("visitor", "first_time", "repeat", "regular", "top", "at_risk", "lapsed", "lost", "won_back")


@dataclass(frozen=True)
class Standing:
    """A customer's tier today.

    name         None where she is below the lowest tier's entry
    since        the day she came into it; None for who never bought
    below_since  the day since which she spends less than it takes to stay; grace runs from there
    spend        within the window
    next         the tier above, None at the top          missing  what is missing to it
    """

    name: str | None
    since: int | None
    below_since: int | None
    spend: int
    next: str | None
    missing: int | None


@dataclass(frozen=True)
class Tiers:
    """Thresholds, lowest tier first, and the quintile edges of recency, frequency and monetary value.

    entry            int64[tiers]  spend within the window that lets in, at once
    maintenance      int64[tiers]  spend that keeps; below it for `grace_days` she falls
    recency_edges    float64[4]  days       frequency_edges  float64[4]  orders       monetary_edges  float64[4]  minor units
    interval_days    the shop's typical days between two orders of a customer
    top_value        the value from which a customer is one of the best tenth
    """

    names: Sequence[str]
    entry: NDArray[np.int64]
    maintenance: NDArray[np.int64]
    window_days: int
    grace_days: int
    recency_edges: NDArray[np.float64]
    frequency_edges: NDArray[np.float64]
    monetary_edges: NDArray[np.float64]
    interval_days: float
    top_value: int

    def standing(self, days: Sequence[int], amounts: Sequence[int], *, today: int) -> Standing:
        """The tier after all purchase days up to today; days ascend and are distinct, amounts[i] is the net spend of days[i]."""
        ladder = _Ladder(self.entry.tolist(), self.maintenance.tolist(), self.grace_days)
        spend = 0
        for day, change in _changes(days, amounts, self.window_days, today):
            ladder.pass_time(day, max(spend, 0))  # a refund may outlive its purchase in the window
            spend += change
            ladder.step(day, max(spend, 0))
        spend = max(spend, 0)
        ladder.pass_time(today + 1, spend)
        above = ladder.tier + 1
        return Standing(
            name=self.names[ladder.tier] if ladder.tier != NO_TIER else None,
            since=ladder.since,
            below_since=ladder.below_since,
            spend=spend,
            next=self.names[above] if above < len(self.names) else None,
            missing=max(int(self.entry[above]) - spend, 0) if above < len(self.names) else None,
        )

    def rfm(self, recency_days: float, frequency: float, monetary: float) -> tuple[int, int, int]:
        """The fifths (r, f, m), 1 to 5, 5 the best. An edge belongs to the lower fifth, so equal customers are always equal."""
        return (
            5 - int(np.searchsorted(self.recency_edges, recency_days)),
            1 + int(np.searchsorted(self.frequency_edges, frequency)),
            1 + int(np.searchsorted(self.monetary_edges, monetary)),
        )

    def cadence_days(self, days: Sequence[int], *, left_out: int = 0) -> float:
        """The customer's typical days between orders: her own mean interval, shrunk to the shop's; at least one.

        `left_out`: more days with an order, between the first and the last of `days`.
        """
        span, intervals = (days[-1] - days[0], len(days) - 1 + left_out) if days else (0, 0)
        return max((span + CADENCE_PRIOR * self.interval_days) / (intervals + CADENCE_PRIOR), 1.0)

    def lifecycle(self, days: Sequence[int], orders: int, value: int, *, today: int, left_out: int = 0) -> str:
        """The stage, one of LIFECYCLES: how long she has been away, in her own intervals, comes before how good she is."""
        if orders <= 0 or not days:
            return "visitor"
        away = (today - days[-1]) / self.cadence_days(days, left_out=left_out)
        if away > AT_RISK:
            return "lost" if away > LOST else "lapsed" if away > LAPSED else "at_risk"
        if len(days) > 1 and days[-1] - days[-2] > LAPSED * self.cadence_days(days[:-1], left_out=left_out):
            return "won_back"
        if orders > 1 and value >= self.top_value:
            return "top"
        return "regular" if orders >= REGULAR_ORDERS else "repeat" if orders > 1 else "first_time"


def segment(r: int, f: int) -> str:
    """The name of the cell in the recency × frequency grid."""
    return SEGMENTS[5 - r][f - 1]


class _Ladder:
    """The tier as days go by: up at once, down after grace. Spend is constant between two steps."""

    def __init__(self, entry: list[int], maintenance: list[int], grace_days: int) -> None:
        self.entry, self.maintenance, self.grace_days = entry, maintenance, grace_days
        self.tier = self._entered(0)
        self.since: int | None = None
        self.below_since: int | None = None

    def pass_time(self, day: int, spend: int) -> None:
        """Let the days before `day` go by at this spend: grace may run out among them."""
        if self.below_since is not None and self.below_since + self.grace_days < day:
            self._fall(self.below_since + self.grace_days, spend)

    def step(self, day: int, spend: int) -> None:
        """The spend changed on this day."""
        entered = self._entered(spend)
        if entered > self.tier or self.since is None:
            self.tier, self.since, self.below_since = max(entered, self.tier), day, None
        elif self.tier == NO_TIER or spend >= self.maintenance[self.tier]:
            self.below_since = None
        elif self.below_since is None:
            self.below_since = day

    def _fall(self, day: int, spend: int) -> None:
        kept = [tier for tier in range(self.tier) if spend >= self.maintenance[tier]]
        self.tier, self.since, self.below_since = (kept[-1] if kept else NO_TIER), day, None

    def _entered(self, spend: int) -> int:
        return max((tier for tier, entry in enumerate(self.entry) if spend >= entry), default=NO_TIER)


def _changes(days: Sequence[int], amounts: Sequence[int], window_days: int, today: int) -> list[tuple[int, int]]:
    """(day, change of the window's spend) up to today, in order; a purchase leaves the window on day + window_days."""
    known = bisect_left(days, today + 1)
    changes: dict[int, int] = {}
    for day, amount in zip(days[:known], amounts[:known], strict=True):
        changes[day] = changes.get(day, 0) + amount
        if day + window_days <= today:
            changes[day + window_days] = changes.get(day + window_days, 0) - amount
    return sorted(changes.items())
