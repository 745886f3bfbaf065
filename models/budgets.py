"""Budgets and stock: pools of whole tokens that many decisions draw on at once, and the shadow price that keeps them for whom they are worth
most.

The cap is hard: a token is handed out once. The price spreads a pool over its period: it rises by `step` with each token drawn, and falls as
fast as the rest of the pool would be drawn evenly over the rest of the period; who is worth less than the price is not admitted. This is the
dual gradient step λ ← max(0, λ + η · (used − planned)) of pacing by dual mirror descent (Balseiro, Lu & Mirrokni 2020, sec. 3), with the
plan in continuous time: planned use is (cap − used) / (ends − now), so λ falls by η · (cap − used) · ln((ends − at) / (ends − now)) between
two draws, and has come to 0 by the end of the period as long as a token is left.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.actions import Action, Budget

TOKENS = 100  # of a unit of a budget; of stock a piece is a token
USUAL = 0.05  # the chance of an action that says none, as far as a price needs to know
DAY_S = 86_400


@dataclass(frozen=True)
class Pool:
    """What is drawn on. The name tells the period, so that a new one starts full.

    cap    tokens      ends  of the period, seconds since 1970; 0 never
    step   by how much a token drawn raises the price of a token; 0 is first come, first served
    """

    name: str
    cap: int
    ends: int = 0
    step: float = 0.0


Draws = Sequence[tuple[Pool, int]]  # pools, and how many tokens of each


@dataclass(frozen=True)
class Period:
    """From when and until when a contact with an action draws on these pools."""

    since: float
    until: float
    pools: Draws


class Drawing(NamedTuple):
    """A pool with the actions that draw on it: int[actions] each, their numbers, and how many tokens they take, at most `most`."""

    pool: Pool
    numbers: NDArray[np.intp]
    taken: NDArray[np.int64]
    most: int


@dataclass(frozen=True)
class Pools:
    """From when and until when some actions draw on these pools and no others.

    drawn  pool name -> the pool, and who draws on it
    never  numbers of actions for which a full pool has too little
    """

    since: float
    until: float
    drawn: Mapping[str, Drawing]
    never: Sequence[int]


class Level(NamedTuple):
    """How a pool stands: tokens drawn, the price of a token as of `at`."""

    used: int = 0
    price: float = 0.0
    at: int = 0


FULL = Level()


def price(pool: Pool, level: Level, *, now: int) -> float:
    """The price of a token now."""
    if not level.price or not pool.ends or now >= pool.ends:
        return 0.0
    waited = math.log((pool.ends - level.at) / (pool.ends - now)) if now > level.at else 0.0
    return max(0.0, level.price - pool.step * (pool.cap - level.used) * waited)


def admits(pool: Pool, level: Level, *, tokens: int, bid: float, now: int) -> bool:
    """Whether so many tokens are left, and the bid for all of them is not below their price."""
    return level.used + tokens <= pool.cap and bid >= tokens * price(pool, level, now=now)


def drawn(pool: Pool, level: Level, *, tokens: int, now: int) -> Level:
    """The pool after a draw."""
    return Level(level.used + tokens, price(pool, level, now=now) + pool.step * tokens, now)


def of_budget(budget: Budget, *, worth: float, now: int) -> Pool:
    """The pool of a budget's period. `worth`: of a token for who is usually chosen; drawing half of the pool at once raises the price by it."""
    cap, length = tokens(budget.amount), round(budget.days * DAY_S)
    first = round(budget.starts.timestamp())
    ends = first + ((now - first) // length + 1) * length
    return Pool(f"budget:{budget.name}:{ends}", cap, ends, 2 * budget.pacing * worth / cap if cap else 0.0)


def of_stock(action: Action, *, pacing: float) -> Pool:
    """The pool of an action's stock; spread over its time where it has an end, else first come, first served."""
    cap, ends = action.stock or 0, action.lifespan[1]
    if not math.isfinite(ends):
        return Pool(f"stock:{action.id}", cap)
    worth = action.value * (action.propensity or USUAL)
    return Pool(f"stock:{action.id}", cap, round(ends), 2 * pacing * worth / cap if cap else 0.0)


def tokens(units: float) -> int:
    """So many units as whole tokens, at least one."""
    return max(round(units * TOKENS), 1) if units > 0 else 0
