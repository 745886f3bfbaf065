"""Ranking: the best rows of a vector of scores, exactly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MINUS_INFINITY = np.float32(-np.inf).view(np.int32)
FEW = 512  # scores that are sorted as quickly as looked through for the best
BLOCK = 128  # scores a block: its maximum is found at memory speed, and few blocks can hold one of the best


def top(scores: NDArray[np.float32], eligible: NDArray[np.bool_] | None, n: int) -> NDArray[np.int32]:
    """int32[≤ n]: the rows of the n best eligible scores, best first, equal ones by row; fewer where fewer are.

    scores float32[items] without NaN, -inf is never shown; eligible bool[items], None: all are.
    """
    if eligible is not None:
        scores = barred(eligible) + scores
    if n < 1:
        return np.zeros(0, dtype=np.int32)
    if len(scores) <= FEW:
        first = (-scores).argsort(kind="stable")[:n].astype(np.int32)
        return first[scores.take(first) > -np.inf]
    least = _below_the_best(scores, n)
    rows = (scores > least).nonzero()[0]
    if len(rows) < n and least > -np.inf:  # ties at the bound: the first rows of them
        rows = np.sort(np.concatenate([rows, np.flatnonzero(scores == least)[: n - len(rows)]]))
    best = (-scores.take(rows)).argsort(kind="stable")[:n]
    return rows.take(best).astype(np.int32)


def _below_the_best(scores: NDArray[np.float32], n: int) -> float:
    """A bound that at least n scores reach: the n-th best of the blocks' maxima, or of the scores where blocks are few.

    -inf where there are no more than n scores.
    """
    block = min(BLOCK, len(scores) // (4 * n))
    if block > 1:  # also quicker where most scores are equal, which partition is slow on
        whole = len(scores) // block
        # A block is every whole-th score: maxima of many blocks are found at once
        bounds = np.maximum.reduce(scores[: whole * block].reshape(block, whole))
    elif len(scores) > n:
        bounds = scores.copy()
    else:
        return -np.inf
    bounds.partition(len(bounds) - n)
    return float(bounds[len(bounds) - n])


def barred(eligible: NDArray[np.bool_]) -> NDArray[np.float32]:
    """float32[items]: 0 where eligible, else -inf. Where a mask has no order, arithmetic takes a fifth of np.where's time."""
    bits = eligible.astype(np.int32)
    bits -= 1  # all bits, or none
    bits &= MINUS_INFINITY
    return bits.view(np.float32)
