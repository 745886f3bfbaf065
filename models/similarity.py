"""Similarity of items: how alike two are, for lists that should not show the same thing ten times."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from models.catalogue import CODED, Catalogue
from models.factors import Factors

TINY = 1e-12


@dataclass(frozen=True)
class Similarity:
    """Some items, ready to be compared with one another.

    directions  float32[items, factors]  unit vectors; zeros for an item that nobody bought, or that came after training
    codes       int32[attributes, items]  what is known of each, -1 unknown
    """

    directions: NDArray[np.float32]
    codes: NDArray[np.int32]

    @classmethod
    def of(cls, rows: NDArray[np.int32], *, catalogue: Catalogue, factors: Factors | None) -> Similarity:
        """The items of these rows; without factors their attributes speak alone."""
        codes = np.array([getattr(catalogue, name).code[rows] for name in CODED], dtype=np.int32)
        if factors is None:
            return cls(np.zeros((len(rows), 1), dtype=np.float32), codes)
        learnt = rows < len(factors)
        vectors = factors.item_factors[np.where(learnt, rows, 0)]
        vectors[~learnt] = 0
        sizes = np.sqrt(np.einsum("if,if->i", vectors, vectors))
        return cls(np.asarray(vectors / np.maximum(sizes, TINY)[:, None], dtype=np.float32), codes)

    def to(self, place: int) -> NDArray[np.float32]:
        """float32[items], 0 to 1: how alike each is to the item at `place`: the cosine of their factors, 0 where it is below.

        Where one of the two has no factors: the share of the attributes known of both in which they are the same.
        """
        cosine = np.asarray(np.maximum(self.directions @ self.directions[place], 0), dtype=np.float32)
        known = self._known
        if self._all_known:
            return cosine
        return np.where(known & known[place], cosine, self._by_attributes(place))

    @cached_property
    def _known(self) -> NDArray[np.bool_]:
        return np.asarray(self.directions.any(axis=1))

    @cached_property
    def _all_known(self) -> bool:
        return bool(self._known.all())

    def _by_attributes(self, place: int) -> NDArray[np.float32]:
        one = self.codes[:, place : place + 1]
        known = (self.codes >= 0) & (one >= 0)
        same = np.count_nonzero(known & (self.codes == one), axis=0)
        return np.asarray(same / np.maximum(np.count_nonzero(known, axis=0), 1), dtype=np.float32)
