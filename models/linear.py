"""Linear: what each item of a history says for every other, added up; a sparse matrix items × items, read row by row."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Sum:
    """What the items of a history say, pair by pair and added up. Of a large catalogue few items have a pair: going by pairs is quicker.

    indices, said  int32, float32[pairs]  the other item, and what is said of it
    scores         float32[items]         the sum for each item
    """

    indices: NDArray[np.int32]
    said: NDArray[np.float32]
    scores: NDArray[np.float32]

    @property
    def size(self) -> float:
        """The root mean square of the scores: Σ score² = Σ over pairs of said · score."""
        return float(np.sqrt(max(np.dot(self.said, self.scores[self.indices]), 0) / max(len(self.scores), 1)))

    def onto(self, mixed: NDArray[np.float32], scale: float) -> None:
        """Add the scores, scaled, to others of all items, in place."""
        np.add.at(mixed, self.indices, np.float32(scale) * self.said)


@dataclass(frozen=True)
class Linear:
    """For each item of a history the K others of which it says most.

    indptr   int64[items + 1]  row i is indices[indptr[i]:indptr[i + 1]]
    indices  int32[pairs]      the other item
    scores   float32[pairs]    how much having i speaks for it, or against it below 0; the largest of a row first, whatever their sign
    """

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    scores: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def add_up(self, rows: NDArray[np.int32], weights: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32[items]: what the items of a history say, added up, each counting its weight; zeros for none."""
        return self.sum(rows, weights).scores

    def sum(self, rows: NDArray[np.int32], weights: NDArray[np.float32]) -> Sum:
        """As `add_up`, with the pairs that were added up. Pieces are copied, not looked up one by one."""
        bounds = list(zip(self.indptr[rows].tolist(), self.indptr[rows + 1].tolist(), strict=True))
        indices = np.concatenate([self.indices[:0], *(self.indices[start:end] for start, end in bounds)])
        said = np.concatenate([self.scores[:0], *(self.scores[start:end] for start, end in bounds)])
        said *= np.repeat(weights, [end - start for start, end in bounds])
        scores = np.zeros(len(self), dtype=np.float32)
        np.add.at(scores, indices, said)
        return Sum(indices, said, scores)

    def contributions(self, rows: NDArray[np.int32], weights: NDArray[np.float32], target: int) -> NDArray[np.float32]:
        """float32[history]: what each history item added to the score of `target`; the sum is `add_up(...)[target]`."""
        return np.asarray(self.carried(rows, weights, np.array([target], dtype=np.int32))[0])

    def carried(
        self, rows: NDArray[np.int32], weights: NDArray[np.float32], targets: NDArray[np.int32]
    ) -> NDArray[np.float32]:
        """float32[targets, history]: the `contributions` of several targets, in one pass over what the history says."""
        carried = np.zeros((len(targets), len(rows)), dtype=np.float32)
        wanted = np.zeros(len(self), dtype=np.bool_)
        wanted[targets] = True
        pairs, held_by = self._pairs(rows, wanted)
        order = np.argsort(targets)
        target = order[np.searchsorted(targets[order], self.indices[pairs])]
        carried[target, held_by] = self.scores[pairs] * weights[held_by]
        return carried

    def longer(self, items: int) -> Self:
        """The same for a catalogue of so many items: of the newcomers nothing is said. Pairs are shared, not copied."""
        return replace(self, indptr=np.append(self.indptr, np.full(items - len(self), self.indptr[-1])))

    def _pairs(self, rows: NDArray[np.int32], wanted: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Positions of the pairs of the history whose other item is wanted, and for each the place in the history that holds it."""
        starts, ends = self.indptr[rows], self.indptr[np.asarray(rows, dtype=np.int64) + 1]
        said = [self.indices[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
        found = np.flatnonzero(wanted[np.concatenate([self.indices[:0], *said])])
        behind = np.cumsum(ends - starts)
        held_by = np.searchsorted(behind, found, side="right")
        return found + (ends - behind)[held_by], held_by
