"""How good a customer is, and where in her life cycle: tier, recency-frequency-monetary scores, segment, stage.

Nothing here is stored: every answer is a pure function of what her profile keeps with its day, and `today`.
A day is the number of a UTC day since 1970; money is minor units.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
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


class Standing(NamedTuple):
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


Held = Mapping[str, bool]  # whether each condition holds
NO_CONDITIONS: Held = {}
NOTHING = (0, 0)  # minor units, and days with an order


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

    def standing(self, profile: Profile, *, today: int, ahead: bool = True) -> Standing:
        """The tier after all that a profile was told of until today. `ahead`: whether to look, too, when she will fall; costs as much again."""
        life, spend, orders = Life(profile, today, self.window_days), 0, 0
        held = self._held(spend, orders, life, NEVER)
        ladder = _Ladder(self, held)
        changes = self._changes(life, ahead=ahead)
        past = bisect_left(changes, (today + 1,))
        for day, more, bought in changes[:past]:
            spend, orders = spend + more, orders + bought
            if held:
                held = self._held(spend, orders, life, day)
            if more or bought or held != ladder.held:
                ladder.step(day, self.counted(spend, orders), held, begun=bool(spend or orders))
        ladder.pass_time(today + 1)
        above, has = ladder.tier + 1, ladder.has
        until, short = self._falls(ladder, spend, orders, life, changes[past:]) if ahead else (None, None)
        return Standing(
            name=self.names[ladder.tier] if ladder.tier != NO_TIER else None,
            since=ladder.since,
            below_since=ladder.below_since,
            spend=max(spend, 0),
            next=self.names[above] if above < len(self.names) else None,
            missing=max(self._entries[above] - has, 0) if above < len(self.names) else None,
            has=has,
            needed=self._maintained[ladder.tier] if ladder.tier != NO_TIER else None,
            short=short,
            until=until,
        )

    @cached_property
    def conditions(self) -> Mapping[str, Condition]:
        """All that must hold besides, by their texts; of most shops none."""
        return parsed((*self.when, *self.keep))

    @cached_property
    def _entries(self) -> list[int]:
        return [int(least) for least in self.entry]

    @cached_property
    def _maintained(self) -> list[int]:
        return [int(least) for least in self.maintenance]

    def counted(self, spend: int, orders: int) -> int:
        """What tiers count, in hundredths; a refund may outlive its purchase in the window, but nobody is below 0."""
        if self.by == "spend":
            return spend if spend > 0 else 0
        return 100 * orders if self.by == "orders" else self._points(spend, orders)

    def entered(self, has: int, held: Held) -> int:
        """The highest tier that lets in who has so much: who would not be kept by a condition does not come in either."""
        tier = bisect_right(self._entries, has) - 1
        while held and tier != NO_TIER and not (_holds(self.when, tier, held) and _holds(self.keep, tier, held)):
            tier -= 1
        return tier

    def keeps(self, tier: int, has: int, held: Held) -> bool:
        """Whether this is enough to stay in a tier; without a condition of its own to stay, that to come in holds."""
        if has < self._maintained[tier] or not held:
            return has >= self._maintained[tier]
        return _holds(self.keep if self.keep and self.keep[tier] else self.when, tier, held)

    def _points(self, spend: int, orders: int) -> int:
        return round(self.points_per_unit * max(spend, 0) + 100 * self.points_per_order * orders)

    def _held(self, spend: int, orders: int, life: Life, day: int) -> Held:
        """Which conditions hold at the end of a day."""
        if not self.conditions:
            return NO_CONDITIONS
        points = self._points(spend, orders) / 100
        then = life.at(day, spend=max(spend, 0) / 100, orders=float(orders), points=points)
        return {text: condition.holds(then) for text, condition in self.conditions.items()}

    def _changes(self, life: Life, *, ahead: bool) -> list[tuple[int, int, int]]:
        """(day, spend, orders) in order: what is more or less within the window; 0 and 0 where only a condition may turn.

        ahead  whether those to come are asked for, too
        """
        changes = {day: (amount, 0) for day, amount in life.profile.days.items() if day <= life.today}
        changes |= {day: (changes.get(day, NOTHING)[0], 1) for day in life.profile.bought_on if day <= life.today}
        for day, (spend, orders) in tuple(
            changes.items()
        ):  # what happens on a day leaves the window so many days later
            leaves = day + self.window_days
            if ahead or leaves <= life.today:
                more, bought = changes.get(leaves, NOTHING)
                changes[leaves] = more - spend, bought - orders
        for condition in self.conditions.values():
            changes |= {day: changes.get(day, NOTHING) for day in condition.days(life)}
        return [(day, *change) for day, change in sorted(changes.items())]

    def _falls(
        self, ladder: _Ladder, spend: int, orders: int, life: Life, to_come: Sequence[tuple[int, int, int]]
    ) -> tuple[int | None, int | None]:
        """The day on which she falls if nothing more happens, and what is short then; both None where she does not."""
        if ladder.tier == NO_TIER:
            return None, None
        below = ladder.below_since
        for day, more, bought in to_come:
            if below is not None and day > below + self.grace_days:
                break
            spend, orders = spend + more, orders + bought
            kept = self.keeps(ladder.tier, self.counted(spend, orders), self._held(spend, orders, life, day))
            below = None if kept else day if below is None else below
        if below is None:
            return None, None
        return below + self.grace_days, max(self._maintained[ladder.tier] - self.counted(spend, orders), 0)

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
        self.tiers, self.held, self.has = tiers, held, 0
        self.tier = tiers.entered(0, held)
        self.since: int | None = None
        self.below_since: int | None = None

    def pass_time(self, day: int) -> None:
        """Let the days before `day` go by: grace may run out among them."""
        if self.below_since is not None and self.below_since + self.tiers.grace_days < day:
            kept = [tier for tier in range(self.tier) if self.tiers.keeps(tier, self.has, self.held)]
            self.since, self.below_since = self.below_since + self.tiers.grace_days, None
            self.tier = kept[-1] if kept else NO_TIER

    def step(self, day: int, has: int, held: Held, *, begun: bool) -> None:
        """What she has changed on this day, or which conditions hold. `begun`: whether anything is within the window."""
        if self.below_since is not None:
            self.pass_time(day)
        self.has, self.held = has, held
        entered = self.tiers.entered(has, held)
        if entered > self.tier or (self.since is None and begun):
            self.tier, self.since, self.below_since = max(entered, self.tier), day, None
        elif self.tier == NO_TIER or self.tiers.keeps(self.tier, has, held):
            self.below_since = None
        elif self.below_since is None:
            self.below_since = day


def _holds(conditions: Sequence[str], tier: int, held: Held) -> bool:
    return not conditions or not conditions[tier] or held[conditions[tier]]
