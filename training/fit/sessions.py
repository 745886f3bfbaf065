"""Learning sessions: a recent sample of visits, the sets of their items alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from models.sessions import Sessions
from training.visits import Visits

LEAST = 2  # items of a visit that says what goes with what


@dataclass(frozen=True)
class Parameters:
    """`recent` visits are kept, of each item the newest `holders`; of the k nearest the voices are added up.

    size_exponent    a visit of s items counts s^-size_exponent
    rarity_exponent  how much rarity counts for what is found
    support          visits that must hold an item: what fewer held is not kept of any, for it would tell of those few
    """

    recent: int = 100_000
    holders: int = 500
    k: int = 100
    size_exponent: float = 0.5
    rarity_exponent: float = 0.5
    support: int = 3


def fit(visits: Visits, parameters: Parameters = Parameters()) -> Sessions | None:
    """The sessions of these visits; None where no two items ever came up in one."""
    held = _held(visits, parameters)
    if not held.nnz:
        return None
    by_item = held.T.tocsr()  # each row's visits rise: newest first
    among = np.arange(by_item.nnz) - np.repeat(by_item.indptr[:-1], np.diff(by_item.indptr))
    kept = among < parameters.holders
    counts = np.diff(by_item.indptr)
    rarity = np.where(counts > 0, np.log((1 + held.shape[0]) / np.maximum(counts, 1)), 0)
    return Sessions(
        indptr=held.indptr.astype(np.int64),
        items=held.indices.astype(np.int32),
        worth=(np.diff(held.indptr) ** -parameters.size_exponent).astype(np.float32),
        item_indptr=np.concatenate([[0], np.cumsum(np.minimum(counts, parameters.holders))]).astype(np.int64),
        holders=by_item.indices[kept].astype(np.int32),
        rarity=rarity.astype(np.float32),
        welcome=(rarity**parameters.rarity_exponent).astype(np.float32),
        k=parameters.k,
    )


def _held(visits: Visits, parameters: Parameters) -> csr_matrix:
    """csr[visits, items] of ones, newest visit first, each row's items rising; only those of two items or more that are not too rare."""
    newest_first = len(visits) - 1 - visits.visit
    shape = (len(visits), visits.items)
    held = csr_matrix((np.ones(len(newest_first), dtype=np.float32), (newest_first, visits.item)), shape)
    held = _enough(held, np.ones(visits.items, dtype=np.bool_))[: parameters.recent]
    return _enough(held, np.asarray(held.sum(axis=0)).ravel() >= parameters.support)


def _enough(held: csr_matrix, kept: NDArray[np.bool_]) -> csr_matrix:
    """The rows that hold at least two of the kept items, and those items of them."""
    rest = held.copy()
    rest.data = kept[rest.indices].astype(np.float32)
    rest.eliminate_zeros()
    rest = rest[np.diff(rest.indptr) >= LEAST]
    rest.sort_indices()
    return rest
