"""What a user would pick instead: plain implicit and the usual measures of item similarity."""

from __future__ import annotations

import numpy as np
from implicit.als import AlternatingLeastSquares
from implicit.nearest_neighbours import ItemItemRecommender
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from benchmarks.quality.measure import Scorer, linear
from training.scoring import Histories, Scores

Dense = NDArray[np.float32]


def popularity(held: csr_matrix) -> Scorer:
    """The same list for everybody: how many hold each item."""
    counts = np.asarray(held.sum(axis=0), dtype=np.float32).ravel()
    return lambda histories: np.broadcast_to(counts, (len(histories), histories.items))


def bought_most(histories: Histories) -> Scores:
    """How often the customer bought each item; what they never bought comes last."""
    found = csr_matrix(
        (histories.purchases.astype(np.float32), histories.rows, histories.indptr), histories.matrix.shape
    )
    return np.asarray(found.toarray(), dtype=np.float32)


def item_knn(held: csr_matrix, *, k: int, threads: int) -> Scorer:
    """implicit's item-kNN on unit columns: cosine. (Its CosineRecommender is the same, with a warning about its own input.)"""
    norms = np.sqrt(np.maximum(np.asarray(held.multiply(held).sum(axis=0)), 1e-12))
    model = ItemItemRecommender(K=k, num_threads=threads)
    model.fit(held.multiply(1 / norms).tocsr().astype(np.float64), show_progress=False)
    return linear(model.similarity.astype(np.float32))


def als(
    held: csr_matrix, *, factors: int, iterations: int, alpha: float, regularization: float, threads: int
) -> Scorer:
    """implicit's ALS; vectors of histories by its own `recalculate_user`."""
    with threadpool_limits(1, "blas"):
        model = AlternatingLeastSquares(
            factors=factors,
            iterations=iterations,
            alpha=alpha,
            regularization=regularization,
            num_threads=threads,
            random_state=0,
        )
        model.fit(held, show_progress=False)

    def score(histories: Histories) -> Scores:
        with threadpool_limits(1, "blas"):
            vectors = model.recalculate_user(np.arange(len(histories)), histories.matrix)
            return np.asarray(vectors @ model.item_factors.T, dtype=np.float32)

    return score


def similarities(held: csr_matrix) -> dict[str, Dense]:
    """The usual measures on a small catalogue, dense: raw count, cosine, Jaccard, log-likelihood ratio, lift, EASE, confidence.

    Confidence counts a basket 1/size. EASE: Steck 2019, λ 200. LLR: Dunning 1993, only pairs seen more often than by chance.
    """
    count = (held.T @ held).toarray().astype(np.float64)
    n, total = np.maximum(np.diag(count), 1.0), float(held.shape[0])
    expected = np.outer(n, n) / total
    size = np.asarray(held.sum(axis=1)).ravel()
    discounted = (held.T @ held.multiply(1 / size[:, None]).tocsr()).toarray()
    found = {
        "raw count": count,
        "cosine": count / np.sqrt(np.outer(n, n)),
        "Jaccard": count / (n[:, None] + n[None, :] - count),
        "LLR": np.where(count > expected, _log_likelihood_ratio(count, n, total), 0),
        "lift": count / expected,
        "EASE": _ease(count, 200.0),
        "size-discounted confidence": discounted / n[:, None],
    }
    for matrix in found.values():
        np.fill_diagonal(matrix, 0)
    return {name: matrix.astype(np.float32) for name, matrix in found.items()}


def _log_likelihood_ratio(count: NDArray[np.float64], n: NDArray[np.float64], total: float) -> NDArray[np.float64]:
    def entropy(*cells: NDArray[np.float64]) -> NDArray[np.float64]:
        whole = np.sum(cells, axis=0)
        parts = np.sum([cell * np.log(np.maximum(cell, 1e-12)) for cell in cells], axis=0)
        return np.asarray(whole * np.log(np.maximum(whole, 1e-12)) - parts)

    only_i, only_j = n[:, None] - count, n[None, :] - count
    neither = total - count - only_i - only_j
    rows = entropy(count + only_i, only_j + neither)
    columns = entropy(count + only_j, only_i + neither)
    return 2 * (rows + columns - entropy(count, only_i, only_j, neither))


def _ease(gram: NDArray[np.float64], regularization: float) -> NDArray[np.float64]:
    left = gram.astype(np.float32)
    left.flat[:: len(left) + 1] += np.float32(regularization)
    precision = np.linalg.inv(left)
    return np.asarray(-precision / np.diag(precision)[None, :], dtype=np.float64)
