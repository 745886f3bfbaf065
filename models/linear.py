"""Linear: what each item of a history says for every other, added up; a sparse matrix items × items, read row by row."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

SPARSE = 8  # items a pair, from which on adding pair by pair is quicker than adding all scores


@dataclass(frozen=True)
class Sum:
    """What the items of a history say, pair by pair, and added up.

    indices  int32[history, width]    the other item
    said     float32[history, width]  what is said of it; 0 where an item of the history has fewer pairs
    items    how many there are
    """

    indices: NDArray[np.int32]
    said: NDArray[np.float32]
    items: int

    @cached_property
    def scores(self) -> NDArray[np.float32]:
        """float32[items]: the sum for each item."""
        scores = np.empty(self.items, dtype=np.float32)
        self.into(scores)
        return scores

    def into(self, scores: NDArray[np.float32]) -> None:
        """Write the scores over what stands there."""
        scores[:] = 0
        np.add.at(scores, self.indices.ravel(), self.said.ravel())

    def onto(self, mixed: NDArray[np.float32], scale: float) -> None:
        """Add the scores, scaled, to others of all items, in place. Of a large catalogue few items have a pair: going by pairs is quicker."""
        if self.indices.size * SPARSE < self.items:
            np.add.at(mixed, self.indices.ravel(), np.float32(scale) * self.said.ravel())
        else:
            mixed += np.float32(scale) * self.scores

    def carried(self, targets: NDArray[np.int32]) -> NDArray[np.float32]:
        """float32[targets, history]: what each item of the history said of these."""
        place = np.zeros(self.items, dtype=np.min_scalar_type(len(targets)))  # from 1; 0 for the others
        place[targets] = np.arange(1, len(targets) + 1)
        found = place.take(self.indices.ravel())
        pairs = found.nonzero()[0]
        history, width = self.said.shape
        carried = np.zeros((len(targets) + 1) * history, dtype=np.float32)
        np.add.at(carried, found.take(pairs) * np.int64(history) + pairs // width, self.said.ravel().take(pairs))
        return carried.reshape(len(targets) + 1, history)[1:]


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
        """As `add_up`, with the pairs that are added up."""
        starts, ends = self.indptr.take(rows), self.indptr.take(rows + 1)
        indices, scores = self._windows
        width = indices.shape[1]
        first = np.minimum(starts, len(indices) - 1)  # of the last items, the window begins before them
        said = scores[first]
        said *= weights[:, None]
        if (ends - starts).min(initial=width) < width:
            pairs = first[:, None] + np.arange(width)
            said *= (pairs >= starts[:, None]) & (pairs < ends[:, None])
        return Sum(indices[first], said, len(self))

    def contributions(self, rows: NDArray[np.int32], weights: NDArray[np.float32], target: int) -> NDArray[np.float32]:
        """float32[history]: what each history item added to the score of `target`; the sum is `add_up(...)[target]`."""
        return np.asarray(self.carried(rows, weights, np.array([target], dtype=np.int32))[0])

    def carried(
        self, rows: NDArray[np.int32], weights: NDArray[np.float32], targets: NDArray[np.int32]
    ) -> NDArray[np.float32]:
        """float32[targets, history]: the `contributions` of several targets, in one pass over what the history says."""
        return self.sum(rows, weights).carried(targets)

    def longer(self, items: int) -> Self:
        """The same for a catalogue of so many items: of the newcomers nothing is said. Pairs are shared, not copied."""
        return replace(self, indptr=np.append(self.indptr, np.full(items - len(self), self.indptr[-1])))

    @cached_property
    def _windows(self) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """indices and scores, as many from each pair on as the longest row has: whole rows are copied several times as fast as pairs."""
        width = int(np.diff(self.indptr).max(initial=0))
        return sliding_window_view(self.indices, width), sliding_window_view(self.scores, width)
