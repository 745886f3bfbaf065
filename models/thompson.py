"""Thompson sampling with known chances: what is uncertain is tried as often as it may be the best, and how often that is stands in the log.

Of each action's chance DRAWS values are drawn from its Beta, sharpened (Chapelle & Li, 4: posterior reshaping); the share of draws in which
an action is worth most is its probability, and the action is drawn from these shares, so that what is logged is what was done (Thompson
1933, Biometrika 25; Chapelle & Li 2011, NIPS). A Beta is the ratio of two gammas, each by Wilson and Hilferty's cube of a normal (1931,
PNAS 17), a tenth of an exact draw's time. The normals are made once a process; a seed says which window of them a decision looks through,
so that it waits for no generator.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import cache
from hashlib import blake2b
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from models.propensity import Belief, Floats

DRAWS = 256
CONTENDERS = 16  # actions that are drawn at all: those that look best with two standard errors more
SHARPER = 2.0  # times the evidence: draws of half the variance miss less within any finite time
POOL = 1 << 20  # normals, four megabytes
GAMMA = 1000.0  # of the closed form: how much what is worth the whole scale less is left out

Rows = NDArray[np.intp]


def seed(*parts: object) -> int:
    """A seed of 64 bits from what makes two draws the same."""
    text = "\0".join("" if part is None else str(part) for part in parts)
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def point(seed_: int, rank: int) -> float:
    """A point of [0, 1) for each rank of a decision with this seed."""
    return seed(seed_, rank) / 2.0**64


def worths(belief: Belief, slope: Floats, cost: Floats, seed_: int) -> tuple[Rows, Floats]:
    """What the contenders may be worth: (their rows, float32[DRAWS, contenders] of slope · chance − cost)."""
    rows = contenders(belief, slope, cost)
    mean, evidence = belief.mean[rows], SHARPER * belief.evidence[rows]
    shape = np.maximum(np.array([evidence * mean, evidence * (1.0 - mean)]), 1e-3).astype(np.float32)[:, None, :]
    root = _normals(seed_, len(rows)) / (3.0 * np.sqrt(shape))
    root += 1.0 - 1.0 / (9.0 * shape)
    np.maximum(root, 1e-6, out=root)
    gammas = root * root  # a power would take fifty times as long, and differ from machine to machine
    gammas *= root
    gammas *= shape
    worth = gammas[0]
    worth /= worth + gammas[1]
    worth *= slope[rows].astype(np.float32)
    worth -= cost[rows].astype(np.float32)
    return rows, worth


def _normals(seed_: int, contenders: int) -> NDArray[np.float32]:
    """float32[2, DRAWS, contenders]."""
    size = 2 * DRAWS * contenders
    start = seed_ % (POOL - size)
    return _pool()[start : start + size].reshape(2, DRAWS, contenders)


@cache
def _pool() -> NDArray[np.float32]:
    return np.random.Generator(np.random.PCG64(0)).standard_normal(POOL, dtype=np.float32)


def contenders(belief: Belief, slope: Floats, cost: Floats) -> Rows:
    """Those that may be the best, at most CONTENDERS, in the order of their rows."""
    hopes = hope(belief, slope, cost, errors=2.0)
    if len(hopes) <= CONTENDERS:
        return np.arange(len(hopes))
    best = (-hopes).argsort(kind="stable")[:CONTENDERS]
    best.sort()
    return best


def hope(belief: Belief, slope: Floats, cost: Floats, *, errors: float) -> Floats:
    """float64[actions]: what each would be worth if its chance were some standard errors higher."""
    error = np.sqrt(belief.mean * (1.0 - belief.mean) / (belief.evidence + 1.0))
    return np.asarray(slope * np.minimum(belief.mean + errors * error, 1.0) - cost)


def shares(worth: Floats, open_: NDArray[np.bool_] | None = None) -> Floats:
    """float64[contenders]: the share of draws in which each is worth most of those that are still open, None: all; they sum to 1."""
    best = (worth if open_ is None else np.where(open_, worth, -np.inf)).argmax(axis=1)
    return np.bincount(best, minlength=worth.shape[1]) / len(worth)


def closed_form(hopes: Floats) -> Floats:
    """float64[actions]: chances by formula, of what each may be worth: p = 1 / (K + γ·(best − own) / scale), the rest is the best's.

    SquareCB (Foster & Rakhlin 2020, ICML, algorithm 1) on optimistic values; exact where shares of draws are estimates.
    """
    best = int(hopes.argmax())
    scale = max(abs(float(hopes[best])), 1e-12)
    chances = 1.0 / (len(hopes) + GAMMA * (hopes[best] - hopes) / scale)
    chances[best] = 0.0
    chances[best] = 1.0 - chances.sum()
    return np.asarray(chances)


def drawn(chances: Sequence[float], point: float) -> int:
    """The place at `point` (0 to 1) of the summed chances; never one without a chance."""
    summed = list(accumulate(chances))
    return min(bisect_right(summed, point * summed[-1]), bisect_left(summed, summed[-1]))
