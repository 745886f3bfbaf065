"""Affinity: what a value of an attribute says of the values beside it, in nats of log-lift."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.vocabulary import MISSING

Scores = NDArray[np.float32]


@dataclass(frozen=True)
class Affinity:
    """Frequent values by pair, the others by whether they are the same.

    listed  int32[k]               the codes that have a row and a column in `pairs`, rising
    place   int32[codes + 1]       where a code is in `listed`; k for the others and, last, for none
    pairs   float32[k + 1, k + 1]  ℓ(a, b), a of the item asked about; the last row and column hold what unlisted values say
    same    float32[codes + 1]     ℓ(a, a); the last, of none, is 0
    """

    listed: NDArray[np.int32]
    place: NDArray[np.int32]
    pairs: NDArray[np.float32]
    same: NDArray[np.float32]

    def beside(self, code: int) -> Scores:
        """float32[codes + 1]: what this value says of each other; of none, the last, 0. For code -1, none, zeros."""
        said = np.zeros(len(self.same), dtype=np.float32)
        if code == MISSING:
            return said
        row = self.pairs[self.place[code]]
        said[:-1] = row[-1]
        said[self.listed] = row[:-1]
        said[code] = self.same[code]
        return said

    def between(self, first: int, second: int) -> float:
        """What value `first` says of value `second`; 0 where one of them is none."""
        return float(self.beside(first)[second])
