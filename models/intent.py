"""Purchase intent: the probability that a customer orders within 7 and within 30 days, and what speaks for it.

A logistic model of windowed counts. Its log-odds are a sum: a level of the shop as of late, the season of the coming days, and what each
feature of hers adds to that of an average customer. Every addend can be shown. Learnt in training.fit.intent, on past months.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.behaviour import Behaviour, Days
from models.lifetime import Lifetime
from models.profile import DAY_S

Floats = NDArray[np.float64]

HORIZONS = (7, 30)  # days
HARMONICS = 2  # of the year
YEAR_DAYS = 365.25
# Attributes that say where she lives, the nearest first
PLACE_FIELDS = ("city", "province", "state", "region", "country")
MOST_DAYS = 30  # newest days with an order that windows look at: a profile keeps older ones in part only
GAP_DAYS = 50.0  # what a wait between orders is taken for before there is one
AROUND_DAYS = 7  # a year ago, give or take
KNOTS = (7, 14, 30, 60, 120, 240)  # days since the last order, where its effect may bend
BOUGHT_WITHIN = (7, 30, 60, 90, 180, 365)
VIEWED_WITHIN = (1, 7, 30)
CLIP = 5.0  # a feature says no more than at so many standard deviations

# What each feature belongs to when contributions are told, in the order of the columns.
FEATURES: Mapping[str, str] = {
    "no_order_yet": "recency",
    "away": "recency",
    **{f"away_above_{days}d": "recency" for days in KNOTS},
    "expected_orders": "expected_orders",
    "expected_orders_squared": "expected_orders",
    "p_active": "expected_orders",
    "orders": "frequency",
    "orders_above_2": "frequency",
    "orders_above_6": "frequency",
    **{f"bought_{days}d": "purchases_by_window" for days in BOUGHT_WITHIN},
    "bought_a_year_ago": "a_year_ago",
    "due": "rhythm",
    "due_squared": "rhythm",
    "tenure": "tenure",
    "spent_365d": "tier",
    "mean_order": "order_value",
    **{f"viewed_{days}d": "views_by_window" for days in VIEWED_WITHIN},
    "cart_7d": "cart",
}


@dataclass(frozen=True)
class Intent:
    """The learnt model.

    columns             names of the features                      centre, scale  float64[k]  of each
    weights             float64[2, k]  log-odds a standard deviation, one row a horizon
    level               float64[2]  log-odds of an average customer as of training
    season              float64[2, 2 · HARMONICS]  sine and cosine of the year, and of half of it
    categories, places  whose features follow FEATURES
    """

    columns: Sequence[str]
    centre: Floats
    scale: Floats
    weights: Floats
    level: Floats
    season: Floats
    categories: Sequence[str] = ()
    places: Sequence[str] = ()

    def chances(self, found: Floats, *, today: int) -> Floats:
        """float64[c, 2]: the probability of an order in the 7 and 30 days after `today`; `found` are `features`."""
        log_odds = self._standard(found) @ self.weights.T + self.level + self._seasons(today)
        return np.asarray(1.0 / (1.0 + np.exp(-log_odds)))

    def contributions(self, found: Floats, *, today: int) -> tuple[dict[str, float], ...]:
        """Of one customer (float64[1, k]), a mapping a horizon: what adds how much to the log-odds. They add up to those of `chances`."""
        terms = self._standard(found)[0] * self.weights
        named = [group_of(name) for name in self.columns]
        told = []
        for horizon, season in enumerate(self._seasons(today)):
            parts = {"level": float(self.level[horizon]), "season": float(season)}
            for group, term in zip(named, terms[horizon].tolist(), strict=True):
                parts[group] = parts.get(group, 0.0) + term
            told.append(parts)
        return tuple(told)

    def _standard(self, found: Floats) -> Floats:
        return np.clip((found - self.centre) / self.scale, -CLIP, CLIP)

    def _seasons(self, today: int) -> Floats:
        """float64[2]: what the season of each horizon's middle adds."""
        return np.array([waves(today + days / 2) @ row for days, row in zip(HORIZONS, self.season, strict=True)])


def features(found: Behaviour, lifetime: Lifetime, *, today: int, categories: int = 0, places: int = 0) -> Floats:
    """float64[c, k]: FEATURES, then one column a category and a place; as of `today`, from nothing that came later."""
    orders = found.bought.count + found.left_out
    known = orders > 0
    first, last = found.bought.first, found.bought.last
    bought, spent = found.bought.newest(MOST_DAYS), found.spent.newest(MOST_DAYS)
    age, away = np.where(known, today - first, 0), np.where(known, today - last, 0)
    columns = [
        np.where(known, 0.0, 1.0),
        *_recency(known, away),
        *_expected(orders, last - first, age, lifetime),
        *_counts(orders),
        *(_log(bought.between(today - days + 1, today)) for days in BOUGHT_WITHIN),
        *_a_year_ago(bought, today),
        *_rhythm(away, last - first, orders),
        _log(age),
        _log(spent.between(today - 364, today) / 100),
        _log(found.value / np.maximum(orders, 1) / 100),
        *(_log(found.viewed.between(today - days + 1, today)) for days in VIEWED_WITHIN),
        np.where(found.carted > today - 7, 1.0, 0.0),
        *(np.where(found.category == code, 1.0, 0.0) for code in range(categories)),
        *(np.where(found.place == code, 1.0, 0.0) for code in range(places)),
    ]
    return np.column_stack(columns)


def column_names(categories: Sequence[str] = (), places: Sequence[str] = ()) -> list[str]:
    """The names of the columns of `features`."""
    return [*FEATURES, *(f"category: {name}" for name in categories), *(f"place: {name}" for name in places)]


def top_category(path: str) -> str:
    """The first level of a category path: "Women" of "Women > Dresses"."""
    return path.split(">", 1)[0].strip()


def group_of(column: str) -> str:
    """What a column belongs to when contributions are told."""
    return FEATURES[column] if column in FEATURES else column.split(":", 1)[0]


def waves(day: float) -> Floats:
    """float64[2 · HARMONICS]: where in the year a day is; 1970-01-01 is day 0."""
    angle = 2 * np.pi * (day % YEAR_DAYS) / YEAR_DAYS
    turns = angle * np.arange(1, HARMONICS + 1)
    return np.concatenate([np.sin(turns), np.cos(turns)])


def _recency(known: NDArray[np.bool_], away: NDArray[np.int64]) -> list[Floats]:
    """Log days since the last order, a line that may bend at KNOTS."""
    logs = _log(away)
    return [logs, *(np.where(known, np.maximum(logs - np.log1p(knot), 0.0), 0.0) for knot in KNOTS)]


def _expected(
    orders: NDArray[np.int64], span: NDArray[np.int64], age: NDArray[np.int64], lifetime: Lifetime
) -> list[Floats]:
    """What BG/NBD expects of the next 30 days, and MBG/NBD's log-odds that she is active; 0 before the first order."""
    unit, known = lifetime.unit_s / DAY_S, orders > 0
    seen = np.maximum(orders - 1, 0), span / unit, np.maximum(age, span) / unit
    expected = np.log(lifetime.expected_orders(*seen, HORIZONS[-1] / unit) + 1e-3)
    active = np.clip(lifetime.p_active(*seen), 1e-6, 1 - 1e-6)
    told = (expected, expected**2, np.log(active / (1 - active)))
    return [np.where(known, column, 0.0) for column in told]


def _counts(orders: NDArray[np.int64]) -> list[Floats]:
    repeats = _log(np.maximum(orders - 1, 0))
    return [repeats, np.maximum(repeats - np.log1p(2), 0.0), np.maximum(repeats - np.log1p(6), 0.0)]


def _a_year_ago(bought: Days, today: int) -> list[Floats]:
    """Orders in the same weeks of the year before: who buys for one occasion comes back for it."""
    then = today - 365
    days = bought.between(then - AROUND_DAYS, then + HORIZONS[-1] + AROUND_DAYS)
    return [np.minimum(days, 3).astype(np.float64)]


def _rhythm(away: NDArray[np.int64], span: NDArray[np.int64], orders: NDArray[np.int64]) -> list[Floats]:
    """How long she has been away in her own intervals, shrunk to GAP_DAYS."""
    own = (span + 2 * GAP_DAYS) / (np.maximum(orders - 1, 0) + 2)
    due = _log(away / own)
    return [due, due**2]


def _log(values: NDArray[np.int64] | Floats) -> Floats:
    return np.log1p(np.maximum(values, 0).astype(np.float64))
