"""How well purchase intent foretells: month by month, each foretold by a model that saw only what came before it, then pooled.

Beside it stand recency alone, frequency alone and BG/NBD alone, learnt by the same learner of the same months from that feature.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr

from models.intent import FEATURES, HORIZONS, Intent
from models.profile import rfc3339
from models.settings import DAY_S
from training.fit.intent import Cut, Kinds, learn
from training.metrics import area_under_curve

Floats = NDArray[np.float64]

MOST_MONTHS = 8  # that are foretold, the newest ones
LEAST_BEFORE = 6  # earlier months to learn from
TENTHS = 10
OURS = "purchase intent"
ALONE = {  # what stands beside it -> its features
    "BG/NBD alone": ("expected_orders", "expected_orders_squared"),
    "recency alone": tuple(name for name, group in FEATURES.items() if group == "recency"),
    "frequency alone": tuple(name for name, group in FEATURES.items() if group == "frequency"),
}
CERTAIN = 0.99  # of the interval that a tenth's rate must lie in


@dataclass(frozen=True)
class Tenth:
    """A tenth of the customers by score: foretold and observed rate, and the binomial 99 % interval of what was foretold."""

    cases: int
    foretold: float
    observed: float
    low: float
    high: float

    @property
    def inside(self) -> bool:
        """Whether what was observed lies in the interval."""
        return self.low <= self.observed <= self.high


@dataclass(frozen=True)
class Measured:
    """One way to score, over all months pooled. log_loss: mean, natural logarithm; error: expected calibration error over tenths."""

    method: str
    auc: float
    log_loss: float
    error: float
    tenths: tuple[Tenth, ...]


@dataclass(frozen=True)
class Foresight:
    """What was foretold of one horizon. months: (day since 1970, customers, share who ordered, mean probability foretold) of each."""

    days: int
    months: tuple[tuple[int, int, float, float], ...]
    methods: tuple[Measured, ...]

    @property
    def manifest(self) -> dict[str, Any]:
        """As JSON."""
        months = [
            {"as_of": (rfc3339(day * DAY_S) or "")[:10], "customers": count, "ordered": ordered, "foretold": foretold}
            for day, count, ordered, foretold in self.months
        ]
        return {"days": self.days, "months": months, "methods": [_plain(method) for method in self.methods]}


def foresight(known: Sequence[Cut], kinds: Kinds) -> tuple[Foresight, ...]:
    """Measured over the newest months that have enough before them, one a horizon; () where there are none."""
    tested = range(len(known))[LEAST_BEFORE:][-MOST_MONTHS:]
    names = list(FEATURES)
    ways: dict[str, list[int] | None] = {OURS: None}
    ways |= {method: [names.index(name) for name in columns] for method, columns in ALONE.items()}
    found = {method: _foretold(known, tested, kinds, columns) for method, columns in ways.items()}
    if not tested or any(part is None for parts in found.values() for part in parts):
        return ()
    return tuple(_pooled(known, tested, found, horizon) for horizon in range(len(HORIZONS)))


def measure(method: str, foretold: Floats, ordered: NDArray[np.bool_]) -> Measured:
    """One way to score, from the probabilities and what came."""
    p = np.clip(foretold, 1e-9, 1 - 1e-9)
    log_loss = float(-np.where(ordered, np.log(p), np.log1p(-p)).mean())
    tenths = tuple(
        _tenth(p[rows], ordered[rows]) for rows in np.array_split(np.argsort(p, kind="stable"), TENTHS) if len(rows)
    )
    error = sum(tenth.cases * abs(tenth.foretold - tenth.observed) for tenth in tenths) / len(p)
    return Measured(method, area_under_curve(p, ordered), log_loss, error, tenths)


def _foretold(
    known: Sequence[Cut], tested: Sequence[int], kinds: Kinds, columns: Sequence[int] | None
) -> list[Floats | None]:
    """float64[c, 2] of each month tested. A month is 30 days, no horizon is longer: what came of all earlier months is known by then."""
    answer: list[Floats | None] = []
    model: Intent | None = None
    for month in tested:
        model = learn(known[:month], kinds, columns=columns, start=model)
        answer.append(None if model is None else model.chances(known[month].x, today=known[month].today))
    return answer


def _pooled(
    known: Sequence[Cut], tested: Sequence[int], found: dict[str, list[Floats | None]], horizon: int
) -> Foresight:
    ordered = [known[month].y[:, horizon] for month in tested]
    chances = {method: [part[:, horizon] for part in parts if part is not None] for method, parts in found.items()}
    months = tuple(
        (known[month].today, len(came), float(came.mean()), float(p.mean()))
        for month, came, p in zip(tested, ordered, chances[OURS], strict=True)
    )
    came = np.concatenate(ordered)
    methods = tuple(measure(method, np.concatenate(parts), came) for method, parts in chances.items())
    return Foresight(HORIZONS[horizon], months, methods)


def _tenth(p: Floats, ordered: NDArray[np.bool_]) -> Tenth:
    """The interval: the counts that a binomial variable of this size and mean has with probability CERTAIN, as shares."""
    count, mean = len(p), float(p.mean())
    below = bdtr(np.arange(count + 1, dtype=np.float64), count, mean)
    low, high = np.searchsorted(below, ((1 - CERTAIN) / 2, (1 + CERTAIN) / 2)) / count
    return Tenth(count, mean, float(ordered.mean()), float(low), float(high))


def _plain(measured: Measured) -> dict[str, Any]:
    tenths = [{**vars(tenth), "inside": tenth.inside} for tenth in measured.tenths]
    return {**vars(measured), "tenths": tenths}
