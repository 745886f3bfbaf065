"""Queries: what is known, and what should be found. What a search of parameters and an evaluation are measured on."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from models.blend import Blend
from models.vocabulary import MISSING
from training import matrices, metrics, scoring
from training.history import NO_TIME, History
from training.scoring import Histories, Scores
from training.visits import visits

PER_BASKET = 5  # queries of one basket, so that a large one does not outvote the others
SMALLEST_CART = 2  # items; with fewer it is one item that is asked about


@dataclass(frozen=True)
class Queries:
    """relevant csr[queries, items] is what each history should find; `hide` says whether its own items may not be shown.

    visits  the histories are visits, whose newest items say most
    """

    histories: Histories
    relevant: csr_matrix
    hide: bool = True
    visits: bool = False

    def __len__(self) -> int:
        return len(self.histories)

    def first(self, n: int) -> Queries:
        """The first n queries."""
        n = min(n, len(self))
        return replace(self, histories=self.histories.of(0, n), relevant=self.relevant[:n])

    def weighed(self, blend: Blend, *, now: int | None) -> Queries:
        """The same queries with the weights that the blend gives to their histories as of `now`."""
        weighed = self.histories.faded(blend.fade) if self.visits else self.histories.weighed(blend, now=now)
        return replace(self, histories=weighed)

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
    known = _known(train)
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


def unfinished(
    train: History, test: History, *, missing: int | None = None, limit: int | None = None, seed: int = 0
) -> Queries:
    """One query a basket of `test` with three items or more that `train` knows: two or more of them are in the cart, drawn by `seed`;
    the others should be found. `missing`: how many those are, None: drawn too, from one to all but two."""
    baskets = matrices.baskets(test, now=None).held
    baskets = _only(baskets, _known(train)[baskets.indices])
    baskets = baskets[_draw(np.flatnonzero(np.diff(baskets.indptr) > SMALLEST_CART), limit, seed)]
    rng = np.random.default_rng(seed)
    sizes = np.diff(baskets.indptr)
    basket = np.repeat(np.arange(len(sizes)), sizes)
    shuffled = np.lexsort((rng.random(len(basket)), basket))
    place = np.empty(len(basket), dtype=np.int64)
    place[shuffled] = np.arange(len(basket)) - baskets.indptr[basket]
    drawn = rng.integers(SMALLEST_CART, np.maximum(sizes, SMALLEST_CART + 1))
    in_cart = _only(baskets, place < (drawn if missing is None else np.maximum(sizes - missing, SMALLEST_CART))[basket])
    held_at = csr_matrix((np.full(in_cart.nnz, NO_TIME), in_cart.indices, in_cart.indptr), in_cart.shape)
    return Queries(scoring.held_at(held_at), _without(baskets, in_cart))


def next_clicks(train: History, test: History, *, limit: int | None = None, seed: int = 0) -> Queries:
    """One query a visit of `test` whose clicks were seen: what came up until a moment drawn by `seed` is known, the item
    that `train` knows and that came up next should be found."""
    seen = visits(test)
    kept = _known(train)[seen.item] & seen.clicked[seen.visit]
    sizes = np.bincount(seen.visit[kept], minlength=len(seen))
    drawn = _draw(np.flatnonzero(sizes > 1), limit, seed)
    row_of = np.full(len(seen), MISSING)
    row_of[drawn] = np.arange(len(drawn))
    kept &= row_of[seen.visit] >= 0
    visit, item, at = seen.visit[kept], seen.item[kept], seen.at[kept]
    row, place = row_of[visit], np.arange(len(visit)) - np.searchsorted(visit, visit)
    until = np.random.default_rng(seed).integers(1, np.maximum(sizes[drawn], 2))[row]
    shape, before, next_ = (len(drawn), len(train.items)), place < until, place == until
    known = csr_matrix((at[before], (row[before], item[before])), shape)
    wanted = csr_matrix((np.ones(len(drawn), dtype=np.float32), (row[next_], item[next_])), shape)
    return Queries(scoring.held_at(known), wanted, visits=True)


def looked_alike(
    train: History, test: History, category: NDArray[np.int32], *, limit: int | None = None, seed: int = 0
) -> Queries:
    """One query a visit of `test` and category of which it clicked on two items or more that `train` knows: one of them, drawn by `seed`,
    is asked about, and the others should be found. category int32[items], -1 for none."""
    seen = visits(test)
    kept = _known(train)[seen.item] & seen.clicked[seen.visit] & (category[seen.item] >= 0)
    visit, item = seen.visit[kept].astype(np.int64), seen.item[kept]
    side = np.unique(visit * (int(category.max(initial=0)) + 1) + category[item], return_inverse=True)[1]
    shape = (int(side.max(initial=-1)) + 1, len(category))
    sides = csr_matrix((np.ones(len(side), dtype=np.float32), (side, item)), shape)
    sides = sides[_draw(np.flatnonzero(np.diff(sides.indptr) > 1), limit, seed)]
    drawn = np.random.default_rng(seed).integers(0, np.maximum(np.diff(sides.indptr), 1))
    asked = sides.indices[sides.indptr[:-1] + drawn].astype(np.int32)
    one = csr_matrix((np.ones(len(asked), dtype=np.float32), (np.arange(len(asked)), asked)), sides.shape)
    return Queries(scoring.carts(asked, len(category)), _without(sides, one))


def _known(train: History) -> NDArray[np.bool_]:
    """bool[items]: whether `train` bought it."""
    known = np.zeros(len(train.items), dtype=np.bool_)
    known[train.purchases.item] = True
    return known


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
