"""Uplift: what treating people brings beside leaving alike people alone, and whether a score finds those for whom it does.

Treated and left alone must have been dealt by chance: then the difference of their means is what the treatment did.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.lift import Estimate, ratio

RESAMPLES = 200

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Uplift:
    """A group's mean outcome if treated and if left alone, and the difference; `difference.customers` counts both."""

    group: Hashable
    treated: Estimate
    alone: Estimate
    difference: Estimate


@dataclass(frozen=True)
class Qini:
    """The Qini curve: what treating the best-scored share of everybody gains, per head of everybody.

    share, gained  float64[points], from 0 to 1 and from 0 to what treating all gains; straight between points, which stand where scores differ
    coefficient    the area between the curve and the straight line of treating at random; 0: the score says nothing
    interval       of 95 %, bootstrap over people
    """

    share: Values
    gained: Values
    coefficient: float
    interval: tuple[float, float]


def uplift(group: Hashable, outcome: Values, treated: Mask) -> Uplift | None:
    """The uplift of one group, arrays [people]; None with fewer than two treated or two left alone."""
    means = [ratio(outcome[some], np.ones(int(some.sum()))) for some in (treated, ~treated)]
    if means[0] is None or means[1] is None:
        return None
    one, other = means[0], means[1]
    difference = Estimate(one.value - other.value, one.variance + other.variance, one.customers + other.customers)
    return Uplift(group, one, other, difference)


def by_group(groups: Sequence[Hashable], outcome: Values, treated: Mask) -> list[Uplift]:
    """The uplift of each group, `groups` one a person; in the order in which they first come, those too small left out."""
    number = {group: nth for nth, group in enumerate(dict.fromkeys(groups))}
    label = np.array([number[group] for group in groups], dtype=np.int64)
    found = [uplift(group, outcome[label == nth], treated[label == nth]) for group, nth in number.items()]
    return [one for one in found if one is not None]


def qini(score: Values, outcome: Values, treated: Mask, *, seed: int = 0) -> Qini | None:
    """The curve of a score, arrays [people]; None where nobody was treated, or nobody left alone.

    Among the best-scored, gained(φ) = (Y_t(φ) − Y_c(φ) · N_t(φ) / N_c(φ)) / N_t, in Radcliffe 2007 (Direct Marketing
    Analytics Journal); people of the same score come together, so that their order says nothing.
    """
    if treated.all() or not treated.any():
        return None
    order = np.argsort(-score, kind="stable")
    starts = np.flatnonzero(np.append(True, np.diff(score[order]) != 0))
    people = np.stack((treated, ~treated, outcome * treated, outcome * ~treated))[:, order].astype(np.float64)
    rng = np.random.default_rng(seed)
    draws = (rng.poisson(1.0, people.shape[1]) for _ in range(RESAMPLES))
    again = [_area(*_curve(people * draw, starts)) for draw in draws]
    share, gained = _curve(people, starts)
    low, high = np.quantile(again, (0.025, 0.975))
    return Qini(share, gained, _area(share, gained), (float(low), float(high)))


def _curve(people: Values, starts: NDArray[np.int64]) -> tuple[Values, Values]:
    """Share and gain at the end of each run of equal scores; `people` float64[4, people] are counts and sums, treated and alone, best first."""
    many, few, brought, would_have = np.cumsum(np.add.reduceat(people, starts, axis=1), axis=1)
    alone = np.divide(would_have * many, few, out=np.zeros_like(few), where=few > 0)
    gained = (brought - alone) / max(many[-1], 1.0)
    return np.append(0.0, (many + few) / (many[-1] + few[-1])), np.append(0.0, gained)


def _area(share: Values, gained: Values) -> float:
    """Between the curve and the straight line from its first to its last point."""
    return float(np.trapezoid(gained, share)) - float(gained[-1]) / 2
