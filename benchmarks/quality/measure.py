"""Measuring a way to score on the queries of a data set: full ranking, block by block."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from benchmarks.quality.rows import Row, peak_mb
from training import metrics, scoring
from training.metrics import Ranked
from training.queries import Queries
from training.scoring import Histories, Scores

Scorer = Callable[[Histories], Scores]


def ranked(queries: Queries, scorer: Scorer, k: int) -> Ranked:
    """The lists of all queries with their hits."""
    parts = [
        queries.rank(scorer(queries.histories.of(block.start, block.stop)), block, k)
        for block in scoring.blocks(queries.histories)
    ]
    return Ranked(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("rows", "hits", "relevant")))


def row(
    dataset: str,
    method: str,
    lists: Ranked,
    shown: tuple[str, ...],
    *,
    prefix: str = "",
    ours: bool = False,
    seconds: float | None = None,
    note: str = "",
) -> Row:
    """A row of the metrics named in `shown` (recall, ndcg, hr, mrr) with their 95 % bootstrap intervals over queries."""
    values = {name: metrics.PER_CUSTOMER[name](lists) for name in shown}
    named = {name: f"{prefix}{name}@{lists.rows.shape[1]}" for name in shown}
    return Row(
        dataset,
        method,
        {named[name]: metrics.mean(value) for name, value in values.items()},
        ours=ours,
        seconds=seconds,
        peak_mb=peak_mb(),
        interval={named[name]: metrics.interval(value) for name, value in values.items()},
        note=note,
    )


def lead(ours: Ranked, other: Ranked, name: str = "ndcg") -> tuple[float, float]:
    """The paired 95 % bootstrap interval of how much better ours is, on the same queries."""
    return metrics.interval(metrics.PER_CUSTOMER[name](ours) - metrics.PER_CUSTOMER[name](other))


def linear(weights: csr_matrix | NDArray[np.float32]) -> Scorer:
    """Scores of an item-item matrix, row i what i says of the others."""

    def score(histories: Histories) -> Scores:
        found = histories.matrix @ weights
        return np.asarray(found.toarray() if hasattr(found, "toarray") else found, dtype=np.float32)

    return score
