"""Learning popularity: purchases, decayed with a half-life that is chosen on a validation cut of the training data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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
    bought = history.purchases
    if bought.has_times:
        bought = bought.where(bought.at <= now)
    if parameters.once_a_day:
        bought = once_a_day(bought)
    worth = np.ones(len(bought))
    if parameters.half_life_days is not None and bought.has_times:
        worth = np.exp2((bought.at - now) / (DAY_S * parameters.half_life_days))
    return Popularity(np.bincount(bought.item, weights=worth, minlength=len(history.items)).astype(np.float32))


def search(train: History, validation: History, *, now: int) -> Parameters:
    """The parameters whose list of `train` as of `now` foretells the purchases of `validation` best; the first of equals."""
    candidates = [
        Parameters(half_life, once_a_day)
        for half_life in (HALF_LIVES_DAYS if train.has_times else (None,))
        for once_a_day in (True, False)
    ]
    return max(candidates, key=lambda parameters: _foretold(fit(train, parameters, now=now), validation))


def _foretold(popularity: Popularity, validation: History) -> float:
    """The sum of 1 / log2(rank + 1) over the (customer, item) pairs bought: NDCG's gain on the whole list."""
    bought = validation.purchases.where(validation.purchases.customer >= 0)
    items = np.unique(bought.customer.astype(np.int64) * len(popularity.score) + bought.item) % max(
        len(popularity.score), 1
    )
    rank = np.empty(len(popularity.score), dtype=np.int64)
    rank[np.argsort(-popularity.score, kind="stable")] = np.arange(1, len(popularity.score) + 1)
    return float((1 / np.log2(rank[items] + 1)).sum())


def once_a_day(bought: History) -> History:
    """The first row of each (customer, item, day), and every row whose customer is unknown."""
    day = bought.at // DAY_S if bought.has_times else np.zeros(len(bought), dtype=np.int64)
    by = np.lexsort((day, bought.item, bought.customer))
    repeated = np.zeros(len(bought), dtype=np.bool_)
    repeated[by[1:]] = np.all(
        [column[by[1:]] == column[by[:-1]] for column in (bought.customer, bought.item, day)], axis=0
    )
    return bought.where(~repeated | (bought.customer < 0))
