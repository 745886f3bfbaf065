"""Learning what is trending: purchases of the last window beside those before it, and how much such ratios differ from item to item."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import gammaln

from models.ranking import top
from models.settings import DAY_S
from models.trending import Trending
from training.fit.popularity import once_a_day
from training.history import History

WINDOWS_DAYS = (7.0, 14.0, 28.0)
LONGEST_PRIOR = 1e4  # ratios that hardly differ from 1
LISTED = 20  # the length of the lists that `search` compares


@dataclass(frozen=True)
class Parameters:
    """See models.trending.Trending."""

    window_days: float = 14.0
    baseline_days: float = 84.0


def fit(history: History, parameters: Parameters = Parameters(), *, now: int) -> Trending | None:
    """What sells above its expectation as of `now`; None without times, and where the window or the time before it knows no purchase."""
    if not history.has_times:
        return None
    begin = now - int(parameters.window_days * DAY_S)
    bought = once_a_day(history.purchases)
    recent = _counts(bought, begin, now)
    before = _counts(bought, begin - int(parameters.baseline_days * DAY_S), begin)
    if not recent.any() or not before.any():
        return None
    flat = Trending(recent, before, 1.0, parameters.window_days, parameters.baseline_days)
    return Trending(recent, before, _prior(flat), parameters.window_days, parameters.baseline_days)


def search(train: History, validation: History, *, now: int) -> Parameters:
    """The window whose list as of `now` sells most in `validation` above what it sold before all windows; the first of equals."""
    if not train.has_times:
        return Parameters()
    usual = fit(train, Parameters(max(WINDOWS_DAYS)), now=now)
    bought = once_a_day(validation.purchases)
    sold = np.bincount(bought.item, minlength=len(train.items)).astype(np.float64)
    if usual is None or not sold.any():
        return Parameters()
    share = usual.before / usual.before.sum()
    found = [(Parameters(days), fit(train, Parameters(days), now=now)) for days in WINDOWS_DAYS]
    more = {parameters: _more(model, sold, share) for parameters, model in found if model is not None}
    return max(more, key=lambda parameters: more[parameters], default=Parameters())


def _counts(bought: History, after: int, until: int) -> NDArray[np.float32]:
    """float32[items]: the purchases later than `after`, up to and with `until`."""
    item = bought.item[(bought.at > after) & (bought.at <= until)]
    return np.bincount(item, minlength=len(bought.items)).astype(np.float32)


def _prior(flat: Trending) -> float:
    """The α that makes the counts likeliest: count ~ negative binomial of mean `expected` and shape α (DuMouchel 1999, equation 3)."""
    known = (flat.recent > 0) | (flat.before > 0)
    count, mean = flat.recent[known].astype(np.float64), flat.expected()[known]

    def unlikeliness(log_alpha: float) -> float:
        alpha = float(np.exp(log_alpha))
        chances = (
            gammaln(alpha + count) - gammaln(alpha) - alpha * np.log1p(mean / alpha) - count * np.log(alpha + mean)
        )
        return -float(chances.sum())

    return float(
        np.exp(minimize_scalar(unlikeliness, bounds=(np.log(0.05), np.log(LONGEST_PRIOR)), method="bounded").x)
    )


def _more(model: Trending, sold: NDArray[np.float64], share: NDArray[np.float32]) -> float:
    """The share of all purchases that the list of the model makes, above the share it made before."""
    rise = model.rise()
    listed = top(rise, rise > 1, LISTED)
    return float(sold[listed].sum() / sold.sum() - share[listed].sum())
