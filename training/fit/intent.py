"""Learning purchase intent: a logistic regression over past months, each with a level of its own, and how those levels move.

Every 30 days in the past is a cut: what was known by then are the features, who ordered within 7 and 30 days after are the answers. The
weights are learnt within cuts, so that a shop that grows or a good season does not look like a virtue of its customers. The levels of the cuts
then say what a season adds and where the level stands of late: a drifting level plus waves of the year, as in structural time series (Harvey
1989, ch. 2). Lifetimes are learnt as of the cuts too: no feature knows what came later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from models.behaviour import Days
from models.intent import CLIP, HARMONICS, HORIZONS, Intent, column_names, features, waves
from models.lifetime import Lifetime
from models.settings import DAY_S
from training.behaviours import Past
from training.fit.lifetime import UNIT_S, Summary, fit_summary

Floats = NDArray[np.float64]

MONTH_DAYS = 30
MOST_MONTHS = 36
MOST_ROWS = 150_000  # customers × cuts; of more customers, every so many-th
LEAST_MONTHS = 3  # to learn from
LEAST_ORDERS = 50  # customers who ordered within the longest horizon, over all cuts
LEAST_DAYS = 45  # of history before the first cut: nobody's past is known on the first day
GROWN = 1.25  # times the customers with a purchase: then lifetimes are learnt anew; it takes a fifth of a second
RIDGE = 150.0  # on standardised weights: rows of a customer in neighbouring months are no independent ones
HALF_LIFE_DAYS = 360.0  # a row of a year ago says half as much
# Standard deviations of a cut's level: measured, of its drift a month, of the first wave
NOISE, DRIFT, SEASON = (0.05, 0.2, 1.0)
STEPS, ENOUGH = 25, 0.05  # of Newton's method; gain in log-likelihood
SAME = 1e-9  # a feature that spreads less is the same for all


@dataclass(frozen=True)
class Cut:
    """What was known by the end of the day `today`, and what came of it. x: float64[c, k]; y: bool[c, 2], one column a horizon."""

    today: int
    x: Floats
    y: NDArray[np.bool_]


@dataclass(frozen=True)
class Kinds:
    """What customers are told apart by beside what they did.

    categories, places  names          category  int32[items], codes of `categories`          place  int32[customers], of `places`
    """

    categories: Sequence[str] = ()
    places: Sequence[str] = ()
    category: NDArray[np.int32] | None = None
    place: NDArray[np.int32] | None = None


def cuts(past: Past, *, now: int, kinds: Kinds) -> list[Cut]:
    """The cuts that can teach, oldest first; those before a lifetime can be learnt are left out."""
    today, found = now // DAY_S, list[Cut]()
    lifetime, learnt_of = None, 0
    for back in range(min((today - past.first_day - LEAST_DAYS) // MONTH_DAYS, MOST_MONTHS), 0, -1):
        then = today - back * MONTH_DAYS
        customers, known = past.upto(then)
        buyers = int((known.bought.count > 0).sum())
        if lifetime is None or buyers > GROWN * learnt_of:
            lifetime, learnt_of = _lifetime(known.bought, then) or lifetime, buyers
        if lifetime is None:
            continue
        x = features(known, lifetime, today=then, categories=len(kinds.categories), places=len(kinds.places))
        y = np.column_stack([past.buys(customers, then + 1, then + days) for days in HORIZONS])
        found.append(Cut(then, x, y))
    return found


def learn(
    known: Sequence[Cut], kinds: Kinds, *, columns: Sequence[int] | None = None, start: Intent | None = None
) -> Intent | None:
    """The model as of the newest cut, oldest first; None where they cannot teach it.

    columns  of these features alone      start  a model of nearly the same cuts, to begin from
    """
    if len(known) < LEAST_MONTHS or sum(cut.y[:, -1].sum() for cut in known) < LEAST_ORDERS:
        return None
    x = np.concatenate([cut.x for cut in known])
    centre, spread = x.mean(axis=0), x.std(axis=0)
    scale = np.where(spread > SAME, spread, 1.0)
    kept = np.flatnonzero(spread > SAME)
    kept = kept if columns is None else kept[np.isin(kept, columns)]
    month = np.repeat(np.arange(len(known)), [len(cut.x) for cut in known])
    age_days = np.array([known[-1].today - cut.today for cut in known], dtype=np.float64)
    rows = _Rows(
        z=np.clip((x[:, kept] - centre[kept]) / scale[kept], -CLIP, CLIP),
        month=month,
        weight=np.exp2(-age_days / HALF_LIFE_DAYS)[month],
    )
    weights = np.zeros((len(HORIZONS), x.shape[1]))
    level, season = np.zeros(len(HORIZONS)), np.zeros((len(HORIZONS), 2 * HARMONICS))
    for horizon, days in enumerate(HORIZONS):
        y = np.concatenate([cut.y[:, horizon] for cut in known]).astype(np.float64)
        begin = np.zeros(len(kept)) if start is None else start.weights[horizon, kept]
        weights[horizon, kept], levels = _within(rows, y, begin)
        level[horizon], season[horizon] = _structure(levels, np.array([cut.today + days / 2 for cut in known]))
    names = column_names(kinds.categories, kinds.places)
    return Intent(names, centre, scale, weights, level, season, kinds.categories, kinds.places)


def _lifetime(days: Days, today: int) -> Lifetime | None:
    """BG/NBD and MBG/NBD of those who bought by then; without what a purchase is worth."""
    bought, unit = days.count > 0, UNIT_S / DAY_S
    first, last = days.first[bought], days.last[bought]
    x = (days.count - 1)[bought].astype(np.float64)
    return fit_summary(Summary(x, (last - first) / unit, (today - first) / unit, np.zeros(len(x))), unit_s=UNIT_S)


@dataclass(frozen=True)
class _Rows:
    """Customers of all months. z: float64[n, k] standardised; month: int64[n], ascending; weight: float64[n]."""

    z: Floats
    month: NDArray[np.int64]
    weight: Floats

    def log_odds(self, beta: Floats, level: Floats) -> Floats:
        return np.asarray(self.z @ beta + level[self.month])

    def per_month(self, values: Floats) -> Floats:
        return np.bincount(self.month, values).astype(np.float64)

    def loss(self, y: Floats, beta: Floats, level: Floats) -> float:
        """Penalised negative log-likelihood."""
        log_odds = self.log_odds(beta, level)
        return float(self.weight @ (np.logaddexp(0.0, log_odds) - y * log_odds) + RIDGE / 2 * beta @ beta)


def _within(rows: _Rows, y: Floats, beta: Floats) -> tuple[Floats, Floats]:
    """The weights float64[k] and the months' levels float64[months] of greatest penalised likelihood, by Newton's method from `beta`."""
    rate = np.clip(rows.per_month(rows.weight * y) / rows.per_month(rows.weight), 1e-4, 1 - 1e-4)
    level = np.log(rate / (1 - rate))
    loss = rows.loss(y, beta, level)
    for _ in range(STEPS):
        step, level_step = _newton(rows, y, beta, level)
        size = 1.0
        while (new := rows.loss(y, beta + size * step, level + size * level_step)) > loss and size > SAME:
            size /= 2
        beta, level, gain, loss = beta + size * step, level + size * level_step, loss - new, new
        if gain < ENOUGH:
            break
    return beta, level


def _newton(rows: _Rows, y: Floats, beta: Floats, level: Floats) -> tuple[Floats, Floats]:
    """A step. The levels' part of the Hessian is diagonal: it is eliminated, so that the system solved is one of the weights alone."""
    p = expit(rows.log_odds(beta, level))
    rest, curve = rows.weight * (y - p), rows.weight * p * (1 - p)
    curved = rows.z * curve[:, None]
    cross = np.add.reduceat(curved, np.searchsorted(rows.month, np.arange(len(level))), axis=0)
    of_levels = rows.per_month(curve) + SAME
    shared = cross / of_levels[:, None]
    whole = curved.T @ rows.z + RIDGE * np.eye(len(beta)) - cross.T @ shared
    step = np.linalg.solve(whole, rows.z.T @ rest - RIDGE * beta - shared.T @ rows.per_month(rest))
    return step, (rows.per_month(rest) - cross @ step) / of_levels


def _structure(levels: Floats, middle: Floats) -> tuple[float, Floats]:
    """The newest cut's level without its season, and the waves of the season: the mean of a Gaussian model with NOISE, DRIFT and SEASON."""
    count = len(levels)
    turning = np.array([waves(day) for day in middle])
    design = np.hstack([np.eye(count), turning])
    precision = design.T @ design / NOISE**2
    if count > 1:
        change = np.diff(np.eye(count), axis=0) / np.sqrt(np.diff(middle) / MONTH_DAYS)[:, None]
        precision[:count, :count] += change.T @ change / DRIFT**2
    harmonic = np.tile(np.arange(1, HARMONICS + 1), 2)
    precision[count:, count:] += np.diag((harmonic / SEASON) ** 2)
    found = np.linalg.solve(precision, design.T @ levels / NOISE**2)
    return float(found[count - 1]), found[count:]
