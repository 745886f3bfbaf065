"""Learning factors: alternating least squares by implicit's solver, tuned as Rendle et al. 2022 (arXiv 2110.14037) show.

implicit knows one λ for all. Here customers and items stand sorted by the weight of their history and are solved in groups of
nearly equal weight, each with its own λ: a few solver calls in place of one. implicit weighs what was bought c and the rest
1; Rendle et al. weigh the rest α0 and what was bought 1 more, so c = 1 + w/α0 and λ is divided by α0.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np
from implicit.cpu._als import _least_squares_cg
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from models.factors import Factors, leading
from training import metrics, scoring
from training.fit.climb import climb
from training.queries import Queries

RATIO = 1.25  # weights within a group differ by about so much, so that λ is right to an eighth
STEPS = 3  # of conjugate gradients, as implicit takes
MANY_PAIRS, MANY_ITEMS = 500_000, 10_000  # from here on 256 factors and 16 iterations earn their time, below 128 and 8

SEARCH_FACTORS, SEARCH_ITERATIONS = 32, 4  # the search learns smaller models
SEARCH_PAIRS = 200_000  # of a sample of the customers
EVALUATIONS = 9
LAST_PAIRS = 1_000_000  # λ has its last word with all factors and iterations, and so much of the data
K_MEASURED = 20

GRIDS = {
    "unobserved": (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0),
    "regularization": (0.0003, 0.0006, 0.001, 0.002, 0.003, 0.006, 0.01, 0.02, 0.05, 0.1),
    "exponent": (0.0, 0.5, 0.75, 1.0),
}


@dataclass(frozen=True)
class Parameters:
    """`regularization` is λ per unit of weight for a history of mean weight, whatever the exponent: the two are searched apart.

    factors, iterations  None: by the size of the data
    """

    factors: int | None = None
    iterations: int | None = None
    regularization: float = 0.006
    unobserved: float = 0.03
    exponent: float = 0.75
    seed: int = 0


@dataclass(frozen=True)
class _Side:
    """One side of the problem; rows from starts[g] to starts[g + 1] share penalties[g]. Heavy ones first: no thread waits for them."""

    matrix: csr_matrix
    starts: NDArray[np.intp]
    penalties: NDArray[np.float32]


def fit(matrix: csr_matrix, parameters: Parameters = Parameters(), *, threads: int = 1) -> Factors:
    """The item vectors of a matrix customers × items of positive weights, 1 for a purchase. Same in, same out.

    An item without pairs gets the zero vector; so do all where there is no pair.
    """
    parameters = _sized(matrix, parameters)
    by_customer, by_item = np.argsort(-_weights(matrix), kind="stable"), np.argsort(-_weights(matrix.T), kind="stable")
    matrix = matrix.tocsr()[by_customer][:, by_item].tocsr()
    customers, items = _side(matrix, parameters), _side(matrix.T.tocsr(), parameters)
    rng = np.random.default_rng(parameters.seed)
    left, right = (_start(rng, rows, parameters.factors or 0) for rows in matrix.shape)
    with threadpool_limits(1, "blas"):
        for _ in range(parameters.iterations or 0):
            _solve(customers, left, right, threads)
            _solve(items, right, left, threads)
        vectors = np.empty_like(right)
        vectors[by_item] = right
        rotated, gram = _rotate(vectors)
    scale = _scale(_weights(matrix), matrix.shape[1], parameters)
    return Factors(rotated, gram, scale, parameters.unobserved, parameters.exponent, leading(rotated))


def search(
    matrix: csr_matrix, queries: Queries, start: Parameters = Parameters(), *, threads: int = 1
) -> tuple[Parameters, Factors | None]:
    """The parameters whose NDCG@20 on validation queries is best, from `start`; `start` where nothing can be measured.

    And the factors that they teach, where the search has learnt them of the whole matrix; else None.

    `matrix` must not hold what the queries should find. The number of factors is set by the size of the data; the rest is
    measured on fewer factors, iterations and customers. More factors and customers want less regularisation, so that goes down
    from there as long as models of full size get better.
    """
    start = _sized(matrix, start)
    if len(queries) == 0 or matrix.nnz == 0:
        return start, None
    sample = _sample(matrix, SEARCH_PAIRS, start.seed)
    small = replace(start, factors=min(SEARCH_FACTORS, start.factors or SEARCH_FACTORS), iterations=SEARCH_ITERATIONS)
    found = climb(
        small, GRIDS, lambda tried: ndcg(fit(sample, tried, threads=threads), queries), evaluations=EVALUATIONS
    )
    large, sample = (
        replace(found, factors=start.factors, iterations=start.iterations),
        _sample(matrix, LAST_PAIRS, start.seed),
    )
    best, factors = _less_regularised(sample, queries, large, threads)
    return best, factors if sample is matrix else None


def ndcg(factors: Factors, queries: Queries) -> metrics.Values:
    """float64[queries]: NDCG@20 of the factors alone."""
    values = []
    for block in scoring.blocks(queries.histories):
        vectors = scoring.fold_in(factors, queries.histories.of(block.start, block.stop))
        values.append(metrics.ndcg(queries.rank(vectors @ factors.item_factors.T, block, K_MEASURED)))
    return np.concatenate(values)


def _less_regularised(
    matrix: csr_matrix, queries: Queries, parameters: Parameters, threads: int
) -> tuple[Parameters, Factors]:
    """The same parameters, or with the λ below that is the last to get better; and their factors."""
    best, factors = parameters, fit(matrix, parameters, threads=threads)
    value = metrics.mean(ndcg(factors, queries))
    for regularization in reversed([step for step in GRIDS["regularization"] if step < parameters.regularization]):
        less = replace(parameters, regularization=regularization)
        learnt = fit(matrix, less, threads=threads)
        if (found := metrics.mean(ndcg(learnt, queries))) <= value:
            break
        best, factors, value = less, learnt, found
    return best, factors


def _sample(matrix: csr_matrix, pairs: int, seed: int) -> csr_matrix:
    """About so many pairs, of customers drawn at random; all where there are no more."""
    share = pairs / matrix.nnz
    return matrix if share >= 1 else matrix[np.random.default_rng(seed).random(matrix.shape[0]) < share]


def _sized(matrix: csr_matrix, parameters: Parameters) -> Parameters:
    """The same parameters, with as many factors and iterations as the data earn where they do not say."""
    many = matrix.nnz >= MANY_PAIRS and matrix.shape[1] >= MANY_ITEMS
    factors, iterations = (256, 16) if many else (128, 8)
    return replace(parameters, factors=parameters.factors or factors, iterations=parameters.iterations or iterations)


def _weights(matrix: csr_matrix) -> NDArray[np.float64]:
    return np.asarray(matrix.sum(axis=1), dtype=np.float64).ravel()


def _scale(weights: NDArray[np.float64], others: int, parameters: Parameters) -> float:
    """λ of λ (w + α0 others)^ν, such that it is `regularization` times the weight at the mean weight."""
    mean = float(weights.mean()) + parameters.unobserved * others if len(weights) else 1.0
    return float(parameters.regularization * mean ** (1 - parameters.exponent))


def _side(matrix: csr_matrix, parameters: Parameters) -> _Side:
    """The rows of `matrix`, which fall in weight, in groups of nearly equal weight; its data become confidences."""
    rows, others = matrix.shape
    weights = _weights(matrix)
    total = weights + parameters.unobserved * others
    group = _groups(total) if parameters.exponent and rows else np.zeros(rows)
    starts = np.r_[0, np.flatnonzero(np.diff(group)) + 1, rows]
    means = np.array([total[start:stop].mean() for start, stop in itertools.pairwise(starts) if stop > start])
    penalties = _scale(weights, others, parameters) * means**parameters.exponent / parameters.unobserved
    confidence = (1 + matrix.data / parameters.unobserved).astype(np.float32)
    return _Side(
        csr_matrix((confidence, matrix.indices, matrix.indptr), matrix.shape), starts, penalties.astype(np.float32)
    )


def _groups(total: NDArray[np.float64]) -> NDArray[np.float64]:
    """Which group each weight belongs to: steps of equal ratio, as many as bring it nearest to RATIO."""
    fallen: NDArray[np.float64] = np.log(total[0] / total)
    groups = max(round(fallen[-1] / np.log(RATIO)), 1)
    group = np.floor(fallen * groups / max(fallen[-1], 1e-9))
    return np.asarray(np.minimum(group, groups - 1))


def _start(rng: np.random.Generator, rows: int, size: int) -> NDArray[np.float32]:
    """N(0, 0.1 / √factors), as Rendle et al. begin."""
    return rng.standard_normal((rows, size), dtype=np.float32) * np.float32(0.1 / np.sqrt(size))


def _solve(side: _Side, left: NDArray[np.float32], right: NDArray[np.float32], threads: int) -> None:
    """One half-step: `left`, in place, given `right`."""
    for penalty, (start, stop) in zip(side.penalties, itertools.pairwise(side.starts), strict=True):
        indptr = side.matrix.indptr[start : stop + 1]
        solved = (side.matrix.indices, side.matrix.data, left[start:stop], right)
        _least_squares_cg(indptr, *solved, np.float32(penalty), threads, STEPS)


def _rotate(vectors: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The vectors in the eigenbasis of their Gram matrix, largest eigenvalue first, and the eigenvalues."""
    values, basis = np.linalg.eigh(vectors.T.astype(np.float64) @ vectors)
    rotated = vectors @ basis[:, ::-1].astype(np.float32)
    return np.ascontiguousarray(rotated), np.maximum(values[::-1], 0).astype(np.float32)
