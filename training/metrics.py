"""Metrics of ranked lists, each per customer, so that two models can be compared on the same customers.

All items are ranked, never a sample (Krichene & Rendle 2020). A customer without relevant items has no value (NaN): leave such
customers out and count them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

NOTHING = -1  # fills the tail of a list that is shorter than k
RESAMPLES = 1000

Values = NDArray[np.float64]  # one value a customer


@dataclass(frozen=True)
class Ranked:
    """The lists to be measured, with the hits found once.

    rows      int32[customers, k]  items, best first, -1 where the list is shorter
    hits      bool[customers, k]   which of them are relevant
    relevant  int64[customers]     how many items are relevant
    """

    rows: NDArray[np.int32]
    hits: NDArray[np.bool_]
    relevant: NDArray[np.int64]


def rank_hits(rows: NDArray[np.int32], relevant: csr_matrix) -> Ranked:
    """Find the hits of int32[customers, k] in the relevant items of the same customers, a matrix customers × items."""
    items = np.int64(relevant.shape[1])
    pairs = relevant.tocoo()
    wanted = np.unique(pairs.row.astype(np.int64) * items + pairs.col)
    keys = np.arange(len(rows), dtype=np.int64)[:, None] * items + rows
    hits = np.isin(keys, wanted) & (rows != NOTHING)
    return Ranked(rows, hits, np.bincount(wanted // items, minlength=len(rows)))


def recall(ranked: Ranked) -> Values:
    """Recall@k = hits / relevant items. Manning, Raghavan & Schütze 2008, section 8.3. No relevant item: NaN."""
    return _per_customer(ranked, ranked.hits.sum(axis=1) / np.maximum(ranked.relevant, 1))


def ndcg(ranked: Ranked) -> Values:
    """NDCG@k = Σ_hits 1/log2(rank + 1), divided by that of the ideal list of min(k, relevant) hits.

    Järvelin & Kekäläinen 2002 with binary gain. No relevant item: NaN.
    """
    discount = 1 / np.log2(np.arange(ranked.hits.shape[1]) + 2)
    ideal = np.concatenate([[0.0], np.cumsum(discount)])[np.minimum(ranked.relevant, len(discount))]
    return _per_customer(ranked, ranked.hits @ discount / np.where(ideal > 0, ideal, 1))


def hit_rate(ranked: Ranked) -> Values:
    """HR@k: 1 where any of the k is relevant, else 0. Deshpande & Karypis 2004. No relevant item: NaN."""
    return _per_customer(ranked, ranked.hits.any(axis=1).astype(float))


def reciprocal_rank(ranked: Ranked) -> Values:
    """1 / rank of the first hit, 0 without one; its mean is MRR@k. Voorhees 1999. No relevant item: NaN."""
    found = ranked.hits.any(axis=1)
    return _per_customer(ranked, found / (ranked.hits.argmax(axis=1) + 1) if ranked.hits.size else found.astype(float))


def coverage(ranked: Ranked, items: int) -> float:
    """The share of the catalogue that is in any list. Herlocker et al. 2004, section 5.2. An empty catalogue: 0."""
    return len(np.unique(ranked.rows[ranked.rows != NOTHING])) / items if items else 0.0


def novelty(ranked: Ranked, popularity: NDArray[np.float64]) -> float:
    """Mean −log2 of the share of customers (or purchases) each shown item had: mean self-information. Zhou et al. 2010.

    popularity float64[items], any scale; an item of none counts as if it had half of the least. Nothing shown or known: 0.
    """
    shown = ranked.rows[ranked.rows != NOTHING]
    known = popularity[popularity > 0]
    if len(shown) == 0 or len(known) == 0:
        return 0.0
    share = np.where(popularity > 0, popularity, known.min() / 2) / known.sum()
    return float(-np.log2(share[shown]).mean())


def summary(ranked: Ranked, popularity: NDArray[np.float64]) -> dict[str, float]:
    """The means over the customers with relevant items, by the names of the contract; 0 where there are none."""
    values = {name: measure(ranked) for name, measure in PER_CUSTOMER.items()}
    means = {name: mean(value) for name, value in values.items()}
    return {**means, "coverage": coverage(ranked, len(popularity)), "novelty": novelty(ranked, popularity)}


def area_under_curve(score: Values, positive: NDArray[np.bool_]) -> float:
    """The probability that a positive has a higher score than a negative, ties half (Hanley & McNeil 1982); NaN where one kind is missing."""
    _, place, size = np.unique(score, return_inverse=True, return_counts=True)
    rank = (np.cumsum(size) - (size - 1) / 2)[place]
    positives, negatives = int(positive.sum()), int((~positive).sum())
    if not positives or not negatives:
        return float("nan")
    return float((rank[positive].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def mean(values: Values) -> float:
    """The mean of the values that are not NaN; 0 without any."""
    measured = values[~np.isnan(values)]
    return float(measured.mean()) if len(measured) else 0.0


def interval(values: Values, *, seed: int = 0, resamples: int = RESAMPLES) -> tuple[float, float]:
    """The 95 % bootstrap interval (percentiles) of the mean over customers. Efron & Tibshirani 1993, chapter 13.

    For a paired comparison give the differences of two models on the same customers. No value: (0, 0).
    """
    return intervals(values[:, None], seed=seed, resamples=resamples)[0]


def intervals(values: NDArray[np.float64], *, seed: int = 0, resamples: int = RESAMPLES) -> list[tuple[float, float]]:
    """As `interval` for each column of float64[customers, columns], all on the same resamples; customers with a NaN are left out."""
    measured = values[~np.isnan(values).any(axis=1)]
    customers = len(measured)
    if customers == 0:
        return [(0.0, 0.0)] * values.shape[1]
    rng = np.random.default_rng(seed)
    drawn = np.empty((resamples, values.shape[1]))
    for resample in range(resamples):
        drawn[resample] = (
            np.bincount(rng.integers(customers, size=customers), minlength=customers) @ measured / customers
        )
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    return list(zip(low.tolist(), high.tolist(), strict=True))


PER_CUSTOMER = {"recall": recall, "ndcg": ndcg, "hr": hit_rate, "mrr": reciprocal_rank}


def _per_customer(ranked: Ranked, values: NDArray[np.float64]) -> Values:
    return np.where(ranked.relevant > 0, values, np.nan)
