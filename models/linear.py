"""Linear: what each item of a history says for every other, added up; a sparse matrix items × items, read row by row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any, Self

import numpy as np
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
        scores.fill(0)
        np.add.at(scores, self.indices.ravel(), self.said.ravel())

    def onto(self, mixed: NDArray[np.float32], scale: float) -> None:
        """Add the scores, scaled, to others of all items, in place. Of a large catalogue few items have a pair: going by pairs is quicker."""
        if self.indices.size * SPARSE < self.items:
            np.add.at(mixed, self.indices.ravel(), np.float32(scale) * self.said.ravel())
        else:
            mixed += np.float32(scale) * self.scores

    def carried(self, targets: NDArray[np.int32]) -> NDArray[np.float32]:
        """float32[targets, history]: what each item of the history said of these."""
        target, history, said = self.pairs(targets)
        carried = np.zeros((len(targets), len(self.said)), dtype=np.float32)
        np.add.at(carried, (target, history), said)
        return carried

    def pairs(self, targets: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
        """What is said of these, pair by pair: the place of the target among them, that of the item in the history, and what it says."""
        place = np.zeros(self.items, dtype=np.min_scalar_type(len(targets)))  # from 1; 0 for the others
        place[targets] = np.arange(1, len(targets) + 1)
        found = place.take(self.indices.ravel())
        pairs = (found != 0).nonzero()[0]  # of truth values nonzero takes a fifth of the time
        return found.take(pairs) - np.int64(1), pairs // max(self.said.shape[1], 1), self.said.ravel().take(pairs)


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
        return next(self.sums(rows, weights, [len(rows)]))

    def sums(self, rows: NDArray[np.int32], weights: NDArray[np.float32], ends: Sequence[int]) -> Iterator[Sum]:
        """As `sum`, of one history after the other; of rows and weights each history has those up to its end."""
        starts = self.indptr.take(rows)
        pairs = self.indptr.take(rows + 1) - starts
        width, indices, scores = self._windows
        first = np.minimum(starts, len(indices) - 1)  # of the last items, the window begins before them
        whole = pairs.min(initial=width) == width
        for begin, end in pairwise((0, *ends)):
            history = slice(begin, end)
            begins = first[history]
            said = scores[begins].view(np.float32).reshape(-1, width)
            said *= weights[history, None]
            if not whole:
                place = np.arange(width) - (starts - first)[history, None]
                said *= (place >= 0) & (place < pairs[history, None])
            yield Sum(indices[begins].view(np.int32).reshape(-1, width), said, len(self))

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
    def _windows(self) -> tuple[int, NDArray[np.void], NDArray[np.void]]:
        """How many pairs the longest row has, and so many indices and scores from each pair on, as one piece: whole rows are copied several
        times as fast as pairs."""
        width = max(int(np.diff(self.indptr).max(initial=0)), 1)
        return width, _pieces(self.indices, width), _pieces(self.scores, width)


def _pieces(numbers: NDArray[Any], width: int) -> NDArray[np.void]:
    """As many numbers as that from each on; one piece, none of them real, where there are fewer."""
    whole = np.ascontiguousarray(numbers) if len(numbers) >= width else np.zeros(width, dtype=numbers.dtype)
    piece = np.dtype((np.void, width * whole.itemsize))
    return np.ndarray(len(whole) - width + 1, dtype=piece, buffer=whole, strides=whole.strides)
