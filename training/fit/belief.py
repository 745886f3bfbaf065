"""Learning how far each attribute may be believed: the θ of a conditional logit (McFadden 1974) of which item lies beside an item.

The item that truly lay there stands among others of its type, drawn as they are bought; so the θ say what an attribute is worth given the
types. Baskets and first items of the measured pairs are kept out of the counts (cross-fitting), so they say it for an item without a history.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_matrix, diags

from models.affinity import Affinity
from models.attributes import CODED, TYPE
from training.fit.affinities import RARITY, Counts, Dense, Goods, WordLifts, bag, coded
from training.matrices import Matrix

FREE = (*CODED[1:], "words", *RARITY)  # the type's θ is 1: P(t | s) is counted as it is
FOLDS, CASES, DRAWN = 4, 500, 800  # parts, pairs measured of each, items drawn beside them
LEAST_CASES = 100
RIDGE = 3.0  # on features of unit variance
DEFAULT: Mapping[str, float] = {  # where nothing can be measured: what public catalogues agree on
    "type": 1.0, "colour": 0.4, "brand": 0.5, "price": 0.5, "gender": 0.5, "words": 0.15, "shared": 0.8, "rare": 0.0, "rarer": 0.3,
}  # fmt: skip


@dataclass(frozen=True)
class _Cases:
    """features float32[cases, 1 + drawn, FREE], the true item first; among bool[cases, 1 + drawn]: which items it stood among."""

    features: NDArray[np.float32]
    among: NDArray[np.bool_]


def believed(matrix: Matrix, goods: Goods, half_life_days: float | None) -> Mapping[str, float]:
    """θ by attribute; DEFAULT where there are too few pairs to say, and for attributes that never differ."""
    folds = [_cases(matrix, goods, half_life_days, fold) for fold in range(FOLDS)]
    features = np.concatenate([cases.features for cases in folds])
    among = np.concatenate([cases.among for cases in folds])
    if len(features) < LEAST_CASES:
        return DEFAULT
    scale = features.std(axis=(0, 1), dtype=np.float64)
    speaking = scale > 0
    if not speaking.any():
        return DEFAULT
    theta = _logit(features[..., speaking] / scale[speaking].astype(np.float32), among) / scale[speaking]
    names = [name for name, speaks in zip(FREE, speaking, strict=True) if speaks]
    return {**DEFAULT, **{name: round(float(value), 4) for name, value in zip(names, theta, strict=True)}}


def _logit(features: NDArray[np.float32], among: NDArray[np.bool_]) -> Dense:
    """θ ≥ 0 that make the first of each case likeliest, with a ridge."""

    def loss(theta: Dense) -> tuple[float, Dense]:
        scores = np.where(among, features @ theta, -np.inf)
        likely = np.exp(scores - scores.max(axis=1, keepdims=True))
        likely /= likely.sum(axis=1, keepdims=True)
        slope = np.einsum("cd,cdf->f", likely, features) - features[:, 0].sum(axis=0)
        return float(-np.log(likely[:, 0]).sum() + RIDGE * theta @ theta), slope + 2 * RIDGE * theta

    start = np.full(features.shape[2], 0.1)
    found = minimize(loss, start, jac=True, bounds=[(0, None)] * len(start), method="L-BFGS-B")
    return np.asarray(found.x, dtype=np.float64)


def _cases(matrix: Matrix, goods: Goods, half_life_days: float | None, fold: int) -> _Cases:
    rng = np.random.default_rng(fold)
    baskets, items = matrix.held.shape
    apart = np.arange(baskets) % FOLDS == fold
    cold = rng.permutation(items) % FOLDS == fold
    seen = (matrix.held[~apart] @ diags((~cold).astype(np.float32))).tocsr()
    seen.eliminate_zeros()
    counts = Counts.of(Matrix(seen, matrix.age_days[~apart]), goods, half_life_days)
    unseen = np.bincount(seen.indices, minlength=items) == 0
    first, second = _pairs(matrix.held[apart].tocsr(), unseen, rng)
    often = np.bincount(matrix.held.indices, minlength=items) / max(matrix.held.nnz, 1)
    drawn = rng.choice(items, size=DRAWN, p=often) if matrix.held.nnz else np.zeros(0, dtype=np.int64)
    beside = np.concatenate([second[:, None], np.broadcast_to(drawn, (len(first), len(drawn)))], axis=1)
    types = goods.known.codes[TYPE]
    among = (types[beside] == types[second][:, None]) & ((beside != first[:, None]) | (np.arange(beside.shape[1]) == 0))
    return _Cases(_features(counts, first, second, drawn), among)


def _pairs(
    held: csr_matrix, unseen: NDArray[np.bool_], rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Some unseen items of baskets, and another item of the basket of each."""
    size = np.diff(held.indptr)
    basket = np.repeat(np.arange(len(size)), size)
    chosen = rng.permutation(np.flatnonzero(unseen[held.indices] & (size[basket] > 1)))[:CASES]
    start, n = held.indptr[basket[chosen]], size[basket[chosen]]
    other = (chosen - start + rng.integers(1, np.maximum(n, 2))) % np.maximum(n, 1) + start
    return held.indices[chosen].astype(np.int64), held.indices[other].astype(np.int64)


def _features(
    counts: Counts, first: NDArray[np.int64], second: NDArray[np.int64], drawn: NDArray[np.int64]
) -> NDArray[np.float32]:
    """float32[cases, 1 + drawn, FREE]: what each attribute says of (first, second) and of (first, each drawn)."""
    found = np.zeros((len(first), 1 + len(drawn), len(FREE)), dtype=np.float32)
    for number, name in enumerate(CODED[1:], start=1):
        affinity, code = coded(counts, name), counts.goods.known.codes[number]
        said = _table(affinity, code[first])
        found[:, 0, number - 1] = said[np.arange(len(first)), code[second]]
        found[:, 1:, number - 1] = said[:, code[drawn]]
    lifts, words = WordLifts.of(counts), bag(counts.goods)
    left, listed = words[first], lifts.listed
    parts = (
        (left[:, listed] @ csr_matrix(lifts.pairs), words[:, listed]),
        *((left @ diags(worth), words) for worth in (lifts.shared, lifts.rarity, lifts.rarity**2 / 10)),
    )
    for number, (part, right) in enumerate(parts, start=len(CODED) - 1):
        found[:, 0, number] = np.asarray(part.multiply(right[second]).sum(axis=1)).ravel()
        found[:, 1:, number] = (part @ right[drawn].T).toarray()
    return found


def _table(affinity: Affinity, codes: NDArray[np.int64]) -> NDArray[np.float32]:
    """float32[codes, values + 1]: `beside` of each; code -1 reads the last column."""
    rows = {code: affinity.beside(code) for code in np.unique(codes).tolist()}
    return (
        np.stack([rows[code] for code in codes.tolist()])
        if len(codes)
        else np.zeros((0, len(affinity.same)), np.float32)
    )
