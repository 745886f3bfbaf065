"""Queries: what is known, and what should be found. What a search of parameters and an evaluation are measured on."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from models.blend import Blend
from training import matrices, metrics, scoring
from training.history import History
from training.scoring import Histories, Scores

PER_BASKET = 5  # queries of one basket, so that a large one does not outvote the others


@dataclass(frozen=True)
class Queries:
    """relevant csr[queries, items] is what each history should find; `hide` says whether its own items may not be shown."""

    histories: Histories
    relevant: csr_matrix
    hide: bool = True

    def __len__(self) -> int:
        return len(self.histories)

    def first(self, n: int) -> Queries:
        """The first n queries."""
        n = min(n, len(self))
        return replace(self, histories=self.histories.of(0, n), relevant=self.relevant[:n])

    def weighed(self, blend: Blend, *, now: int | None) -> Queries:
        """The same queries with the weights that the blend gives to their histories as of `now`."""
        return replace(self, histories=self.histories.weighed(blend, now=now))

    def rank(self, scores: Scores, block: slice, k: int) -> metrics.Ranked:
        """The k best of a block of queries, with their hits."""
        hidden = self.histories.of(block.start, block.stop) if self.hide else None
        return metrics.rank_hits(scoring.rank(scores, k, hidden=hidden), self.relevant[block])


def next_purchases(train: History, test: History, *, repeats: bool, limit: int | None = None, seed: int = 0) -> Queries:
    """One query a customer who bought in both parts: what they bought in `train` is known, `test` should be found.

    repeats: items they had before count and may be shown; otherwise neither. Drawn by `seed` where there are more than
    `limit`; a customer with nothing to be found is left out.
    """
    before, after = matrices.customers(train, now=None).held, matrices.customers(test, now=None).held
    if not repeats:
        after = _without(after, before)
    customers = np.flatnonzero((np.diff(before.indptr) > 0) & (np.diff(after.indptr) > 0))
    customers = _draw(customers, limit, seed)
    histories = scoring.histories_of(train, customers.astype(np.int32))
    return Queries(histories, after[customers], hide=not repeats)


def strangers(test: History) -> Queries:
    """One query a customer of `test`, of whom nothing is known before."""
    bought = matrices.customers(test, now=None).held
    customers = np.flatnonzero(np.diff(bought.indptr) > 0)
    nothing = test.where(np.zeros(len(test), dtype=np.bool_))
    return Queries(scoring.histories_of(nothing, customers.astype(np.int32)), bought[customers], hide=False)


def completions(train: History, test: History, *, limit: int | None = None, seed: int = 0) -> Queries:
    """Queries of one item of a basket of `test`, at most five a basket: the basket's others that `train` knows should be found."""
    baskets = matrices.baskets(test, now=None).held
    known = np.zeros(baskets.shape[1], dtype=np.bool_)
    known[train.purchases.item] = True
    baskets = _only(baskets, known[baskets.indices])
    baskets = baskets[np.diff(baskets.indptr) > 1]
    rng = np.random.default_rng(seed)
    basket = np.repeat(np.arange(baskets.shape[0]), np.diff(baskets.indptr))
    shuffled = np.lexsort((rng.random(len(basket)), basket))
    place = np.arange(len(basket)) - baskets.indptr[basket]
    drawn = _draw(shuffled[place < PER_BASKET], limit, seed)
    rows = baskets.indices[drawn].astype(np.int32)
    asked = csr_matrix((np.ones(len(rows), dtype=np.float32), (np.arange(len(rows)), rows)), (len(rows), len(known)))
    return Queries(scoring.carts(rows, len(known)), _without(baskets[basket[drawn]], asked))


def _draw(values: NDArray[np.intp], limit: int | None, seed: int) -> NDArray[np.intp]:
    """Some of the values in random order, so that the first of them are a sample too."""
    return np.random.default_rng(seed).permutation(values)[:limit]


def _without(matrix: csr_matrix, other: csr_matrix) -> csr_matrix:
    """The entries of a matrix of ones that `other`, of ones too, does not have."""
    rest = (matrix - matrix.multiply(other)).tocsr()
    rest.eliminate_zeros()
    return rest


def _only(matrix: csr_matrix, kept: NDArray[np.bool_]) -> csr_matrix:
    rest = matrix.copy()
    rest.data = kept.astype(np.float32)
    rest.eliminate_zeros()
    return rest
