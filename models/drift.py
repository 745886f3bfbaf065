"""Drift: how far what is shown is from what is bought, and how much of the catalogue is shown at all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.bundle import Models

# Of the items, most bought first: the name of a band, and up to which share of the items it goes
BANDS = (("top 1%", 0.01), ("next 9%", 0.10), ("next 40%", 0.50), ("rest", 1.0))


@dataclass(frozen=True)
class Bought:
    """What training saw bought, as shares that sum to 1 (or are all 0, where nothing was).

    band         int8[items]  by popularity, an index of BANDS
    category     int32[items] -1 for none
    by_band      float64[bands]
    by_category  float64[categories + 1], the last of no category
    """

    band: NDArray[np.int8]
    category: NDArray[np.int32]
    by_band: NDArray[np.float64]
    by_category: NDArray[np.float64]

    @classmethod
    def of(cls, models: Models) -> Bought:
        """By the bundle's popularity, over its catalogue."""
        score, codes = models.popularity.score.astype(np.float64), models.catalogue.category
        band = np.empty(len(score), dtype=np.int8)
        ends = np.ceil(np.array([upto for _, upto in BANDS]) * len(score))
        band[np.argsort(-score, kind="stable")] = np.searchsorted(ends, np.arange(len(score)), side="right")
        return cls(band, codes.code, shares(band, score, len(BANDS)), shares(codes.code, score, len(codes.values) + 1))


@dataclass(frozen=True)
class Drift:
    """What was shown, beside what was bought.

    coverage      the share of the catalogue that was shown at all
    by_band       float64[bands]  the shares of what was shown
    categories    the divergence of what was shown from what was bought, by category; None where either is nothing
    popularity    the same by band of popularity
    """

    coverage: float
    by_band: NDArray[np.float64]
    categories: float | None
    popularity: float | None


def drift(shown: NDArray[np.int64], bought: Bought) -> Drift:
    """Of how often each item was shown, int64[items]."""
    times = shown.astype(np.float64)
    by_band = shares(bought.band, times, len(BANDS))
    by_category = shares(bought.category, times, len(bought.by_category))
    return Drift(
        coverage=np.count_nonzero(shown) / max(len(shown), 1),
        by_band=by_band,
        categories=divergence(by_category, bought.by_category),
        popularity=divergence(by_band, bought.by_band),
    )


def shares(codes: NDArray[np.integer], weights: NDArray[np.float64], values: int) -> NDArray[np.float64]:
    """float64[values]: the share of the weights that each code has; a code of -1 counts as the last."""
    sums = np.bincount(codes % values, weights=weights, minlength=values)
    return sums / max(float(sums.sum()), np.finfo(np.float64).tiny)


def divergence(one: NDArray[np.float64], other: NDArray[np.float64]) -> float | None:
    """Jensen and Shannon's divergence of two distributions in bits: 0 for the same, 1 where nothing is in common; None of nothing.

    (Lin, Divergence measures based on the Shannon entropy, IEEE Trans. Inf. Theory 37 (1991), section IV.)
    """
    if not (one.any() and other.any()):
        return None
    middle = (one + other) / 2
    return max(0.0, (_relative(one, middle) + _relative(other, middle)) / 2)


def _relative(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    some = one > 0
    return float(np.sum(one[some] * np.log2(one[some] / other[some])))
