"""How good a customer is, and where in her life cycle: tier, recency-frequency-monetary scores, segment, stage.

Nothing here is stored: every answer is a pure function of what her profile keeps with its day, and `today`.
A day is the number of a UTC day since 1970; money is minor units.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.conditions import Condition, parsed
from models.life import Life

if TYPE_CHECKING:
    from models.profile.state import Profile

NO_TIER = -1
NEVER = -1_000_000  # a day before everything
CADENCE_PRIOR = 2  # intervals that the shop's typical one is worth beside the customer's own
# Waits in intervals; at a steady Poisson rate 14 %, 2 % and .03 % of gaps are longer
AT_RISK, LAPSED, LOST = (2.0, 4.0, 8.0)
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
    since        the day she came into it; None for who never bought, nor came into one otherwise
    below_since  the day since which she spends less than it takes to stay; grace runs from there
    spend        within the window
    next         the tier above, None at the top          missing  what is missing to it, in what tiers count
    has          what tiers count, within the window: hundredths, as `missing`, `needed` and `short`
    needed       what she must have within the window to stay; None below the lowest tier
    short        what of it she still has to earn, so as not to fall on the day `until` (grace included); None: nothing, or never
    """

    name: str | None
    since: int | None
    below_since: int | None
    spend: int
    next: str | None
    missing: int | None
    has: int = 0
    needed: int | None = None
    short: int | None = None
    until: int | None = None


class Reached(NamedTuple):
    """What a customer has within the window: minor units, and days with an order."""

    spend: int
    orders: int


NOTHING = Reached(0, 0)
Held = Mapping[str, bool]  # whether each condition holds


@dataclass(frozen=True)
class Tiers:
    """Thresholds, lowest tier first, and the quintile edges of recency, frequency and monetary value.

    entry            int64[tiers]  what lets in, at once: hundredths of what tiers count (`by`) within the window, so minor units of spend
    maintenance      int64[tiers]  what keeps; below it for `grace_days` she falls
    recency_edges    float64[4]  days       frequency_edges  float64[4]  orders       monetary_edges  float64[4]  minor units
    interval_days    the shop's typical days between two orders of a customer
    top_value        the value from which a customer is one of the best tenth
    by               "spend", "orders" (days with one) or "points": so many a major unit spent, and so many an order
    when, keep       texts[tiers]  conditions in CEL (models.conditions) that must hold besides, to come in and to stay; "" none
    hours            floats[tiers + 1][24]  the share of what people do that falls in each UTC hour: of nobody's tier, then of each
    channels         floats[tiers + 1][c]  the share of it on each of the c channels of models.profile.habits.CHANNELS, likewise
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
    by: str = "spend"
    points_per_unit: float = 1.0
    points_per_order: float = 0.0
    when: Sequence[str] = ()
    keep: Sequence[str] = ()
    hours: Sequence[Sequence[float]] = ()
    channels: Sequence[Sequence[float]] = ()

    def hours_of(self, tier: str | None) -> Sequence[float]:
        """When people of a tier do what they do: the share of each UTC hour; empty where nobody knows."""
        return self._of(tier, self.hours)

    def channels_of(self, tier: str | None) -> Sequence[float]:
        """Where people of a tier do what they do: the share of each channel; empty where nobody knows."""
        return self._of(tier, self.channels)

    def _of(self, tier: str | None, shares: Sequence[Sequence[float]]) -> Sequence[float]:
        return shares[0 if tier is None else 1 + list(self.names).index(tier)] if shares else ()

    def standing(self, profile: Profile, *, today: int) -> Standing:
        """The tier after all that a profile was told of until today."""
        life, reached = Life(profile, today, self.window_days), NOTHING
        ladder = _Ladder(self, self._held(reached, life, NEVER))
        changes = self._changes(life)
        for day, change in changes:
            if day > today:
                break
            ladder.pass_time(day, reached)
            reached = _sum(reached, change)
            held = self._held(reached, life, day)
            if change != NOTHING or held != ladder.held:
                ladder.step(day, reached, held)
        ladder.pass_time(today + 1, reached)
        above, has = ladder.tier + 1, self.counted(reached)
        until, short = self._falls(ladder, reached, life, [change for change in changes if change[0] > today])
        return Standing(
            name=self.names[ladder.tier] if ladder.tier != NO_TIER else None,
            since=ladder.since,
            below_since=ladder.below_since,
            spend=max(reached.spend, 0),
            next=self.names[above] if above < len(self.names) else None,
            missing=max(int(self.entry[above]) - has, 0) if above < len(self.names) else None,
            has=has,
            needed=int(self.maintenance[ladder.tier]) if ladder.tier != NO_TIER else None,
            short=short,
            until=until,
        )

    @property
    def conditions(self) -> Mapping[str, Condition]:
        """All that must hold besides, by their texts; of most shops none."""
        return parsed((*self.when, *self.keep))

    def counted(self, reached: Reached) -> int:
        """What tiers count, in hundredths; a refund may outlive its purchase in the window, but nobody is below 0."""
        spend = max(reached.spend, 0)
        if self.by == "spend":
            return spend
        return 100 * reached.orders if self.by == "orders" else self._points(reached)

    def lets_in(self, tier: int, reached: Reached, held: Held) -> bool:
        """Whether this is enough to come into a tier: who would not be kept by a condition does not come in either."""
        enough = self.counted(reached) >= self.entry.item(tier)
        return enough and _holds(self.when, tier, held) and _holds(self.keep, tier, held)

    def keeps(self, tier: int, reached: Reached, held: Held) -> bool:
        """Whether this is enough to stay in a tier; without a condition of its own to stay, that to come in holds."""
        conditions = self.keep if self.keep and self.keep[tier] else self.when
        return self.counted(reached) >= self.maintenance.item(tier) and _holds(conditions, tier, held)

    def _points(self, reached: Reached) -> int:
        return round(self.points_per_unit * max(reached.spend, 0) + 100 * self.points_per_order * reached.orders)

    def _held(self, reached: Reached, life: Life, day: int) -> Held:
        """Which conditions hold at the end of a day."""
        conditions = self.conditions
        if not conditions:
            return {}
        spend, points = max(reached.spend, 0) / 100, self._points(reached) / 100
        then = life.at(day, spend=spend, orders=float(reached.orders), points=points)
        return {text: condition.holds(then) for text, condition in conditions.items()}

    def _changes(self, life: Life) -> list[tuple[int, Reached]]:
        """Days in order, each with the change of what is within the window; 0 on one on which only a condition may turn."""
        changes: dict[int, Reached] = dict(_within(life))
        for condition in self.conditions.values():
            for day in condition.days(life):
                changes.setdefault(day, NOTHING)
        return sorted(changes.items())

    def _falls(
        self, ladder: _Ladder, reached: Reached, life: Life, to_come: Sequence[tuple[int, Reached]]
    ) -> tuple[int | None, int | None]:
        """The day on which she falls if nothing more happens, and what is short then; both None where she does not."""
        if ladder.tier == NO_TIER:
            return None, None
        below = ladder.below_since
        for day, change in to_come:
            if below is not None and day > below + self.grace_days:
                break
            reached = _sum(reached, change)
            kept = self.keeps(ladder.tier, reached, self._held(reached, life, day))
            below = None if kept else day if below is None else below
        if below is None:
            return None, None
        return below + self.grace_days, max(int(self.maintenance[ladder.tier]) - self.counted(reached), 0)

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
    """The tier as days go by: up at once, down after grace. What she has is constant between two steps."""

    def __init__(self, tiers: Tiers, held: Held) -> None:
        self.tiers, self.held = tiers, held
        self.tier = self._entered(NOTHING)
        self.since: int | None = None
        self.below_since: int | None = None

    def pass_time(self, day: int, reached: Reached) -> None:
        """Let the days before `day` go by: grace may run out among them."""
        if self.below_since is not None and self.below_since + self.tiers.grace_days < day:
            self._fall(self.below_since + self.tiers.grace_days, reached)

    def step(self, day: int, reached: Reached, held: Held) -> None:
        """What she has changed on this day, or which conditions hold."""
        self.held = held
        entered = self._entered(reached)
        if entered > self.tier or (self.since is None and reached != NOTHING):
            self.tier, self.since, self.below_since = max(entered, self.tier), day, None
        elif self.tier == NO_TIER or self._keeps(self.tier, reached):
            self.below_since = None
        elif self.below_since is None:
            self.below_since = day

    def _fall(self, day: int, reached: Reached) -> None:
        kept = [tier for tier in range(self.tier) if self._keeps(tier, reached)]
        self.tier, self.since, self.below_since = (kept[-1] if kept else NO_TIER), day, None

    def _keeps(self, tier: int, reached: Reached) -> bool:
        return self.tiers.keeps(tier, reached, self.held)

    def _entered(self, reached: Reached) -> int:
        for tier in reversed(range(len(self.tiers.names))):
            if self.tiers.lets_in(tier, reached, self.held):
                return tier
        return NO_TIER


def _sum(one: Reached, other: Reached) -> Reached:
    return Reached(one.spend + other.spend, one.orders + other.orders)


def _holds(conditions: Sequence[str], tier: int, held: Held) -> bool:
    return not conditions or not conditions[tier] or held[conditions[tier]]


def _within(life: Life) -> Iterator[tuple[int, Reached]]:
    """(day, change of what is within the window) of what happened up to today; it leaves the window on day + window_days."""
    days, bought_on = life.profile.days, life.profile.bought_on
    spent = [(day, amount, 0) for day, amount in days.items() if day <= life.today]
    orders = [(day, 0, 1) for day in bought_on if day <= life.today]
    changes: dict[int, list[int]] = {}
    for day, spend, count in (*spent, *orders):
        for when, sign in ((day, 1), (day + life.window_days, -1)):
            change = changes.setdefault(when, [0, 0])
            change[0] += sign * spend
            change[1] += sign * count
    for day, (spend, count) in changes.items():
        yield day, Reached(spend, count)
