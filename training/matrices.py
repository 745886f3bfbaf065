"""The two matrices that models of items learn from: baskets × items and customers × items."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from models.settings import DAY_S
from training.history import History


@dataclass(frozen=True)
class Matrix:
    """Who (or which basket) holds which items.

    held      csr float32[rows, items]  1 where held
    age_days  float64[rows]             days since the row's newest purchase; zeros where the history has no times
    """

    held: csr_matrix
    age_days: NDArray[np.float64]


def baskets(history: History, *, now: int | None) -> Matrix:
    """Baskets × items of the purchases whose basket is known; a row each basket, in the order of their numbers."""
    bought = history.purchases
    bought = bought.where(bought.order >= 0)
    _, row = np.unique(bought.order, return_inverse=True)
    return _matrix(bought, row, int(row.max(initial=-1)) + 1, now)


def customers(history: History, *, now: int | None) -> Matrix:
    """Customers × items of the purchases whose customer is known; row i is customer i of the history, empty for some."""
    bought = history.purchases
    bought = bought.where(bought.customer >= 0)
    return _matrix(bought, bought.customer, len(history.customers), now)


def _matrix(bought: History, row: NDArray[np.signedinteger], rows: int, now: int | None) -> Matrix:
    shape = (rows, len(bought.items))
    held = csr_matrix((np.ones(len(row), dtype=np.float32), (row, bought.item)), shape=shape)
    held.sum_duplicates()
    held.data[:] = 1
    age_days = np.zeros(rows)
    if bought.has_times and now is not None:
        newest = np.full(rows, np.iinfo(np.int64).min)
        np.maximum.at(newest, row, bought.at)
        known = newest > np.iinfo(np.int64).min
        age_days[known] = np.maximum(now - newest[known], 0) / DAY_S
    return Matrix(held, age_days)
