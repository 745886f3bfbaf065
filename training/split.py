"""Cutting a history in two: what may be learnt from, and what must be foretold. In time where there are times, never at random then
(a random split of time-ordered data learns from the future; Ji et al., TOIS 2022, arXiv 2010.11060)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.settings import DAY_S
from training.history import PURCHASE, History

TEST_SHARE = 0.1  # of each customer's items, where there are no times
SHORTEST_DAYS, LONGEST_DAYS = 7, 28


@dataclass(frozen=True)
class Cut:
    """A history in two parts over the same ids. `at` is the last second of the training part, None where there are no times."""

    train: History
    test: History
    at: int | None
    how: str


def cut(history: History, *, days: int | None = None, seed: int = 0) -> Cut:
    """The last `days` are the test, by default a sixth of the window, between 7 and 28 days; without times, a tenth of each customer's items."""
    if history.has_times:
        return _cut_in_time(history, days)
    return _cut_per_customer(history, seed)


def default_days(history: History) -> int:
    """How many days at the end of this history are held out: a sixth of the window, between 7 and 28."""
    window_days = (int(history.at[-1]) - int(history.at[0])) / DAY_S
    return int(min(max(window_days / 6, SHORTEST_DAYS), LONGEST_DAYS))


def _cut_in_time(history: History, days: int | None) -> Cut:
    days = days or default_days(history)
    at = int(history.at[-1]) - days * DAY_S
    before = history.at <= at
    return Cut(history.where(before), history.where(~before), at, f"the last {days} days")


def _cut_per_customer(history: History, seed: int) -> Cut:
    """A seeded tenth of each customer's distinct items, rounded at random; who has one item keeps it for training."""
    rng = np.random.default_rng(seed)
    pair = history.customer.astype(np.int64) * len(history.items) + history.item
    pairs, of_row = np.unique(pair, return_inverse=True)
    customer = pairs // max(len(history.items), 1)
    sizes = np.bincount(customer[customer >= 0], minlength=len(history.customers))
    wanted = np.floor(sizes * TEST_SHARE + rng.random(len(sizes)))
    wanted = np.minimum(wanted, np.maximum(sizes - 1, 0))
    taken = (
        (_place_in_group(customer, rng) < np.where(customer >= 0, wanted[customer], 0))
        if len(sizes)
        else np.zeros(len(pairs), np.bool_)
    )
    in_test = taken[of_row] & (history.event == PURCHASE)
    return Cut(
        history.where(~taken[of_row]),
        history.where(in_test),
        None,
        f"{TEST_SHARE:.0%} of each customer's items, seed {seed}",
    )


def _place_in_group(group: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """int64[n]: the place of each element within its group, in a random order of the group."""
    order = np.lexsort((rng.random(len(group)), group))
    starts = np.r_[0, np.flatnonzero(np.diff(group[order])) + 1] if len(group) else np.zeros(0, np.int64)
    lengths = np.diff(np.r_[starts, len(group)])
    place = np.empty(len(group), dtype=np.int64)
    place[order] = np.arange(len(group)) - np.repeat(starts, lengths)
    return place
