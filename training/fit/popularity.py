"""Learning popularity: purchases, decayed with a half-life that is chosen on a validation cut of the training data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.popularity import Popularity
from models.settings import DAY_S
from training.history import History

HALF_LIVES_DAYS = (None, 7.0, 14.0, 30.0, 60.0, 120.0, 240.0)


@dataclass(frozen=True)
class Parameters:
    """half_life_days: the age at which a purchase counts half; None: all count the same. once_a_day: a buyer's purchases of an item on
    one day count once, so that a bulk order or a wholesaler is not popularity."""

    half_life_days: float | None = None
    once_a_day: bool = True


def fit(history: History, parameters: Parameters = Parameters(), *, now: int) -> Popularity:
    """Scores as of `now`; without times, plain counts. Rows without a known customer count each for itself."""
    return _counted(_bought(history, parameters.once_a_day, now), parameters.half_life_days, now)


def search(train: History, validation: History, *, now: int) -> Parameters:
    """The parameters whose list of `train` as of `now` foretells the purchases of `validation` best; the first of equals."""
    found, value = Parameters(), -1.0
    wanted = _wanted(validation)
    bought = {once_a_day: _bought(train, once_a_day, now) for once_a_day in (True, False)}
    for half_life_days in HALF_LIVES_DAYS if train.has_times else (None,):
        for once_a_day, rows in bought.items():
            gain = _gain(_counted(rows, half_life_days, now), wanted)
            if gain > value:
                found, value = Parameters(half_life_days, once_a_day), gain
    return found


def _bought(history: History, daily: bool, now: int) -> History:
    bought = history.purchases
    if bought.has_times:
        bought = bought.where(bought.at <= now)
    return once_a_day(bought) if daily else bought


def _counted(bought: History, half_life_days: float | None, now: int) -> Popularity:
    worth = np.ones(len(bought))
    if half_life_days is not None and bought.has_times:
        worth = np.exp2((bought.at - now) / (DAY_S * half_life_days))
    return Popularity(np.bincount(bought.item, weights=worth, minlength=len(bought.items)).astype(np.float32))


def _wanted(validation: History) -> NDArray[np.int64]:
    """int64[pairs]: the item of each (customer, item) that was bought."""
    bought, items = validation.purchases, np.int64(max(len(validation.items), 1))
    bought = bought.where(bought.customer >= 0)
    return np.unique(bought.customer * items + bought.item) % items


def _gain(popularity: Popularity, wanted: NDArray[np.int64]) -> float:
    """The sum of 1 / log2(rank + 1) over what was wanted: NDCG's gain on the whole list."""
    rank = np.empty(len(popularity.score), dtype=np.int64)
    rank[np.argsort(-popularity.score, kind="stable")] = np.arange(1, len(popularity.score) + 1)
    return float((1 / np.log2(rank[wanted] + 1)).sum())


def once_a_day(bought: History) -> History:
    """The first row of each (customer, item, day), and every row whose customer is unknown."""
    day = bought.at // DAY_S if bought.has_times else np.zeros(len(bought), dtype=np.int64)
    by = np.lexsort((day, bought.item, bought.customer))
    repeated = np.zeros(len(bought), dtype=np.bool_)
    repeated[by[1:]] = np.all(
        [column[by[1:]] == column[by[:-1]] for column in (bought.customer, bought.item, day)], axis=0
    )
    return bought.where(~repeated | (bought.customer < 0))
