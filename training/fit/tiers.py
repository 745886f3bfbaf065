"""Learning tiers: the shop's rules where it has any, else thresholds from what its customers spend; and the quintiles of RFM."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.profile import Event
from models.profile.habits import CHANNELS
from models.settings import DAY_S, TierRule, TierSettings
from models.tiers import Tiers
from training.days import Days, purchase_days
from training.history import EVENTS, History
from training.lives import lives

# Name, quantile of the window's spend that lets in
LEARNT = (("bronze", 0.0), ("silver", 0.5), ("gold", 0.8), ("platinum", 0.95))
MAINTENANCE_SHARE = 0.8  # of entry, where a rule does not say
TOP_SHARE = 0.1
QUINTILES = (0.2, 0.4, 0.6, 0.8)
READABLE = (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)
INTERVAL_DAYS = 90.0  # where nobody came twice
MOST_ASKED = 20_000  # customers whose tier is looked up for the hours and channels of each tier
PRIOR = 100
MINOR = 100  # minor units of a major one


def fit(
    history: History, settings: TierSettings, *, now: int, also: Mapping[str, Sequence[Event]] | None = None
) -> Tiers:
    """Thresholds and edges as of `now`, from customers with a purchase; without any, edges are 0 and the lowest tier is the only one.

    `also`: events by customer that no history holds; they tell which channels people use.
    """
    days = purchase_days(history, now=now)
    today = now // DAY_S
    rules = settings.rules or learnt_rules(_window_spend(days, today, settings.window_days))
    recency = (today - days.day[days.end - 1]) if len(days.start) else days.day
    value = days.per_customer(days.amount)
    tiers = Tiers(
        names=[rule.name for rule in rules],
        entry=_minor([rule.entry for rule in rules]),
        maintenance=_minor(
            [rule.entry * MAINTENANCE_SHARE if rule.maintenance is None else rule.maintenance for rule in rules]
        ),
        window_days=settings.window_days,
        grace_days=settings.grace_days,
        recency_edges=_edges(recency),
        frequency_edges=_edges(days.per_customer(days.orders)),
        monetary_edges=_edges(value),
        interval_days=_typical_interval(days),
        top_value=int(np.quantile(value, 1 - TOP_SHARE)) if len(value) else 0,
        by=settings.by,
        points_per_unit=settings.points_per_unit,
        points_per_order=settings.points_per_order,
        when=[rule.when or "" for rule in rules],
        keep=[rule.keep or "" for rule in rules],
    )
    if not history.has_times:
        return tiers
    group = _groups(history, days, tiers, now=now, also=also)
    size = len(tiers.names) + 1
    hours = np.bincount(group[history.customer] * 24 + history.at % DAY_S // 3_600, minlength=size * 24)
    channels = _channels(history, also or {}, group, size)
    return replace(tiers, hours=_shares(hours.reshape(size, 24)), channels=_shares(channels))


def _groups(
    history: History, days: Days, tiers: Tiers, *, now: int, also: Mapping[str, Sequence[Event]] | None
) -> NDArray[np.int64]:
    """int64[customers + 1]: 0 for who has no tier or order, else 1 + her tier; of many customers, every n-th is looked up."""
    group = np.zeros(len(history.customers) + 1, dtype=np.int64)  # the place at the end answers for -1
    every = max(-(-len(days.start) // MOST_ASKED), 1)
    for place, profile in lives(history, days, tiers, now=now, every=every, also=also):
        name = tiers.standing(profile, today=now // DAY_S).name
        group[days.customer[days.start[place]]] = 1 + list(tiers.names).index(name) if name else 0
    return group


def _channels(
    history: History, also: Mapping[str, Sequence[Event]], group: NDArray[np.int64], groups: int
) -> NDArray[np.int64]:
    """int64[groups, channels]: how much each group did where."""
    place = {deed: number for number, deeds in enumerate(CHANNELS.values()) for deed in deeds}
    counts = np.zeros((groups, len(CHANNELS)), dtype=np.int64)
    for code, name in enumerate(EVENTS):
        if name in place:
            counts[:, place[name]] += np.bincount(group[history.customer[history.event == code]], minlength=groups)
    for customer_id, events in also.items():
        row = counts[group[history.customers.row(customer_id)]]
        for event in events:
            if event.name in place:
                row[place[event.name]] += 1
    return counts


def _shares(counts: NDArray[np.int64]) -> list[list[float]]:
    """The share of each column, row by row; all rows together count for PRIOR more in each: a tier of few is like the others."""
    leaning = counts + PRIOR * counts.sum(axis=0) / max(int(counts.sum()), 1)
    shares: list[list[float]] = (leaning / np.maximum(leaning.sum(axis=1, keepdims=True), 1)).round(4).tolist()
    return shares


def learnt_rules(spend: NDArray[np.int64]) -> tuple[TierRule, ...]:
    """Tiers by quantiles of the spend of active customers (minor units), rounded to readable numbers; equal thresholds leave one tier."""
    rules: list[TierRule] = []
    for name, quantile in LEARNT:
        entry = readable(float(np.quantile(spend, quantile)) / MINOR) if quantile > 0 and len(spend) else 0.0
        if not rules or entry > rules[-1].entry:
            rules.append(TierRule(name, entry))
    return tuple(rules)


def readable(value: float) -> float:
    """The nearest number of the kind 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8 times a power of ten; 0 for what is not above 0."""
    if value <= 0:
        return 0.0
    power = 10.0 ** np.floor(np.log10(value))
    nearest = min((step * power for step in READABLE), key=lambda number: abs(number - value))
    return float(round(nearest, 2))


def _window_spend(days: Days, today: int, window_days: int) -> NDArray[np.int64]:
    """int64[active]: the spend within the window of each customer who spent anything there."""
    inside = (days.day > today - window_days) & (days.day <= today)
    spend = days.per_customer(np.where(inside, days.amount, 0))
    return spend[spend > 0]


def _edges(values: NDArray[np.int64]) -> NDArray[np.float64]:
    """float64[4]: quintiles of type 7 (Hyndman & Fan 1996), numpy's default."""
    return np.quantile(values, QUINTILES) if len(values) else np.zeros(len(QUINTILES))


def _typical_interval(days: Days) -> float:
    """The median over returning customers of their mean days between purchase days."""
    span = (days.day[days.end - 1] - days.day[days.start]) if len(days.start) else days.day
    intervals = days.end - days.start - 1
    return float(np.median(span[intervals > 0] / intervals[intervals > 0])) if (intervals > 0).any() else INTERVAL_DAYS


def _minor(amounts: list[float]) -> NDArray[np.int64]:
    return np.array([round(amount * MINOR) for amount in amounts], dtype=np.int64)
