"""Learning neighbours: item co-occurrence with asymmetric normalisation.

    c_ij     = Σ over the baskets (or customers) that hold i and j of  1 / size^a · 2^(-age / half-life)
    score_ij = c_ij / (n_i^b · n_j^c) · s_ij / (s_ij + shrinkage),   s_ij how many hold both, n_i how many hold i

with the best K of each item i of the history kept. a discounts heavy buyers (Smith & Linden 2017), b and c are Aiolli's
asymmetry (RecSys 2013), of which cosine (a 0, b = c = ½), confidence (0, 1, 0) and RP3β (1, 1, β) are special cases; the
shrinkage is Bell & Koren's (2007). Sparse products of blocks of items: memory is bounded by the block, never items².
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from models.neighbours import Neighbours
from training import metrics, scoring
from training.fit.climb import climb
from training.matrices import Matrix
from training.queries import Queries

BLOCK_WORK = 2_000_000  # multiply-adds of one block: its product has at most so many pairs (12 bytes each)
# Multiply-adds of one product of the search (a third of a second), more where the sample would leave an item to fewer than
# so many baskets: then its pairs would be lost.
SEARCH_WORK, SEARCH_WORK_SPARSE, SPARSE = 40_000_000, 200_000_000, 40
EVALUATIONS = 15
K_MEASURED = 20

GRIDS = {  # what matters most first, in coarse steps: one that is worth taking is seen, and the far end is near
    "half_life_days": (None, 360.0, 120.0, 45.0, 20.0),
    "target_exponent": (0.0, 0.1, 0.2, 0.3, 0.45, 0.65),
    "size_exponent": (0.0, 0.5, 0.75, 1.0),
    "history_exponent": (0.0, 0.35, 0.65, 1.0),
    "shrinkage": (0.0, 3.0, 10.0),
}

T = TypeVar("T")
Counts: TypeAlias = (
    csr_matrix  # complex64: the real part is c_ij, the imaginary part s_ij, so that one product makes both
)


@dataclass(frozen=True)
class Parameters:
    """a, b, c, shrinkage, half-life (None: no decay) as above; pairs of less support are dropped; k others are kept."""

    size_exponent: float = 0.75
    history_exponent: float = 0.65
    target_exponent: float = 0.3
    shrinkage: float = 0.0
    half_life_days: float | None = None
    minimum_support: int = 1
    k: int = 200


def fit(matrix: Matrix, parameters: Parameters = Parameters(), *, threads: int = 1) -> Neighbours:
    """The neighbours of every item; the same whatever the number of threads. No pairs at all: empty rows."""
    every = np.arange(matrix.held.shape[1])
    return _assemble(_blocks(matrix, every, parameters, threads, then=_best_of(matrix, parameters)), len(every))


def search(matrix: Matrix, queries: Queries, start: Parameters = Parameters(), *, threads: int = 1) -> Parameters:
    """The parameters whose NDCG@20 on validation queries is best, from `start`; `start` where nothing can be measured.

    `matrix` must not hold what the queries should find. Large data is sampled.
    """
    matrix = _affordable(matrix)
    if len(queries) == 0 or matrix.held.nnz == 0:
        return start
    grids = dict(GRIDS)
    if not matrix.age_days.any():
        del grids["half_life_days"]
    return climb(start, grids, _measure(matrix, queries, threads), evaluations=EVALUATIONS)


def _measure(matrix: Matrix, queries: Queries, threads: int) -> Callable[[Parameters], metrics.Values]:
    """NDCG@20 of parameters by query; the counts of the last (a, half-life) are kept, for most steps change neither."""
    rows = np.unique(queries.histories.rows)
    kept: dict[tuple[float, float | None], list[_Block]] = {}

    def measure(parameters: Parameters) -> metrics.Values:
        key = (parameters.size_exponent, parameters.half_life_days)
        if key not in kept:
            kept.clear()
            kept[key] = list(_blocks(matrix, rows, parameters, threads, then=lambda block: block))
        with ThreadPoolExecutor(max(threads, 1)) as pool:
            best = pool.map(_best_of(matrix, parameters), kept[key])
        return ndcg(_assemble(best, matrix.held.shape[1]), queries)

    return measure


def ndcg(neighbours: Neighbours, queries: Queries) -> metrics.Values:
    """float64[queries]: NDCG@20 of the neighbours alone."""
    values = []
    for block in scoring.blocks(queries.histories):
        scores = scoring.add_up(neighbours, queries.histories.of(block.start, block.stop))
        values.append(metrics.ndcg(queries.rank(scores, block, K_MEASURED)))
    return np.concatenate(values)


def _affordable(matrix: Matrix) -> Matrix:
    """Some of the baskets or customers, drawn evenly, so that a product costs at most SEARCH_WORK.

    The exponents do not depend on how many there are, for n_i and c_ij shrink alike for all items, as long as pairs are seen
    at all: sparse data is sampled less.
    """
    work = max(float(_work(matrix.held).sum()), 1.0)
    dense_enough = SPARSE * matrix.held.shape[1] / max(matrix.held.nnz, 1)
    share = max(SEARCH_WORK / work, min(dense_enough, SEARCH_WORK_SPARSE / work))
    if share >= 1:
        return matrix
    drawn = np.random.default_rng(0).random(matrix.held.shape[0]) < share
    return Matrix(matrix.held[drawn], matrix.age_days[drawn])


def _work(held: csr_matrix) -> NDArray[np.float64]:
    """float64[items]: the multiply-adds of an item's row of the product, the sizes of its baskets summed."""
    return np.asarray(held.T @ np.diff(held.indptr).astype(np.float64))


@dataclass(frozen=True)
class _Block:
    """Of some items, `row` int64[items] says which: c_ij and s_ij with all j."""

    row: NDArray[np.integer]
    counts: Counts


def _blocks(
    matrix: Matrix, rows: NDArray[np.integer], parameters: Parameters, threads: int, *, then: Callable[[_Block], T]
) -> Iterator[T]:
    """What `then` makes of some items' counts, in blocks of equal work, in their order."""
    size = np.maximum(np.diff(matrix.held.indptr), 1.0)
    weight = size**-parameters.size_exponent
    if parameters.half_life_days is not None:
        weight = weight * np.exp2(-matrix.age_days / parameters.half_life_days)
    right = matrix.held.astype(np.complex64)
    left = right.copy()
    left.data = np.repeat(weight + 1j, np.diff(left.indptr)).astype(np.complex64)
    left = left.T.tocsr()[rows]
    number = np.cumsum(_work(matrix.held)[rows]) // BLOCK_WORK
    edges = np.r_[0, np.flatnonzero(np.diff(number)) + 1, len(rows)]
    pieces = [slice(int(start), int(stop)) for start, stop in itertools.pairwise(edges) if stop > start]
    with ThreadPoolExecutor(max(threads, 1)) as pool:
        yield from pool.map(lambda piece: then(_Block(rows[piece], left[piece] @ right)), pieces)


@dataclass(frozen=True)
class _Rows:
    """The K best of some items: `row` int64[items] says which, `sizes` how many pairs each has."""

    row: NDArray[np.integer]
    sizes: NDArray[np.int64]
    indices: NDArray[np.int32]
    scores: NDArray[np.float32]
    support: NDArray[np.int32]


def _best_of(matrix: Matrix, parameters: Parameters) -> Callable[[_Block], _Rows]:
    """What finds the best of a block's items."""
    held_by = np.maximum(np.bincount(matrix.held.indices, minlength=matrix.held.shape[1]), 1.0)
    by_history = (held_by**-parameters.history_exponent).astype(np.float32)
    by_target = (held_by**-parameters.target_exponent).astype(np.float32)

    def best(block: _Block) -> _Rows:
        row, counts, support = block.row, block.counts, block.counts.data.imag
        scores = counts.data.real * np.take(by_target, counts.indices)
        if parameters.shrinkage:
            scores *= support / (support + np.float32(parameters.shrinkage))
        scores[np.repeat(row, np.diff(counts.indptr)) == counts.indices] = 0
        if parameters.minimum_support > 1:
            scores[support < parameters.minimum_support] = 0
        kept, sizes = _k_best(counts.indptr, counts.indices, scores, parameters.k)
        scores = scores[kept] * np.repeat(by_history[row], sizes)
        return _Rows(row, sizes, counts.indices[kept], scores, support[kept].astype(np.int32))

    return best


def _k_best(
    indptr: NDArray[np.int32], indices: NDArray[np.int32], scores: NDArray[np.float32], k: int
) -> tuple[NDArray[np.integer], NDArray[np.int64]]:
    """Positions of the k best positive scores of each row, best first, equal ones by index; and how many each row has.

    The bits of a positive float32 rise with it, so (not score, index) sorts as one integer.
    """
    keys = (~scores.view(np.uint32)).astype(np.uint64) << np.uint64(32) | indices.astype(np.uint64)
    kept: list[NDArray[np.integer]] = []
    for start, stop in itertools.pairwise(indptr.tolist()):
        row = keys[start:stop]
        if stop - start > k:
            best = np.argpartition(row, k)[:k]
            best = best[np.argsort(row[best])]
        else:
            best = np.argsort(row)
        kept.append(best + start)
    positions = np.concatenate(kept) if kept else np.zeros(0, dtype=np.intp)
    sizes = np.array([len(best) for best in kept], dtype=np.int64)
    positive = scores[positions] > 0
    counted = np.bincount(np.repeat(np.arange(len(sizes)), sizes), weights=positive, minlength=len(sizes))
    return positions[positive], counted.astype(np.int64)


def _assemble(parts: Iterable[_Rows], items: int) -> Neighbours:
    blocks = list(parts)
    indptr = np.zeros(items + 1, dtype=np.int64)
    for block in blocks:
        indptr[block.row + 1] = block.sizes
    return Neighbours(
        indptr=np.cumsum(indptr),
        indices=np.concatenate([block.indices for block in blocks] or [np.zeros(0, dtype=np.int32)]),
        scores=np.concatenate([block.scores for block in blocks] or [np.zeros(0, dtype=np.float32)]),
        support=np.concatenate([block.support for block in blocks] or [np.zeros(0, dtype=np.int32)]),
    )
