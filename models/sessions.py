"""Sessions: what the visits most like this one held besides (VMIS-kNN; Kersbergen et al., SIGMOD 2022; Ludewig et al. 2021).

A visit is a set of items and nothing else: the bundle keeps no id of it, no customer and no time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.ranking import top

MOST = 50  # items of a visit that are looked at, the ones that weigh most


@dataclass(frozen=True)
class Sessions:
    """A recent sample of visits, newest first, and the visits that held each item.

    indptr       int64[visits + 1]  visit v held items[indptr[v]:indptr[v + 1]]
    items        int32[held]
    worth        float32[visits]    what a visit's voice counts: less where it held much
    item_indptr  int64[items + 1]   item i was held by holders[item_indptr[i]:item_indptr[i + 1]]
    holders      int32[≤ held]      visits, the newest of each item
    rarity       float32[items]     log(visits / visits that held it); 0 for what none held
    welcome      float32[items]     what an item counts where it is found: its rarity to a power
    k            of how many nearest visits the voices are added up
    """

    indptr: NDArray[np.int64]
    items: NDArray[np.int32]
    worth: NDArray[np.float32]
    item_indptr: NDArray[np.int64]
    holders: NDArray[np.int32]
    rarity: NDArray[np.float32]
    welcome: NDArray[np.float32]
    k: int

    def __len__(self) -> int:
        return len(self.item_indptr) - 1

    def score(self, rows: NDArray[np.int32], weights: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32[items]: the items of the k visits most like this one; zeros where none shares an item.

        likeness of v = worth_v · Σ weight · rarity of the items that both hold;  score of i = welcome_i · Σ likeness of those that held i
        """
        nearest, likeness = self._nearest(*self._voices(rows, weights)[:2])
        places, owner = _gather(self.indptr, nearest)
        summed = np.bincount(self.items[places], likeness[owner], minlength=len(self))
        return np.asarray(summed * self.welcome, dtype=np.float32)

    def carried(
        self, rows: NDArray[np.int32], weights: NDArray[np.float32], targets: NDArray[np.int32]
    ) -> NDArray[np.float32]:
        """float32[targets, history]: what each item of this visit added to the scores of `targets`; rows sum to them."""
        visits, voice, place = self._voices(rows, weights)
        nearest, _ = self._nearest(visits, voice)
        nth = np.full(len(self.worth), -1, dtype=np.int32)
        nth[nearest] = np.arange(len(nearest))
        near = np.flatnonzero(nth[visits] >= 0)
        voices = np.zeros((len(nearest), len(rows)), dtype=np.float32)
        voices[nth[visits[near]], place[near]] = voice[near]
        places, owner = _gather(self.indptr, nearest)
        column = np.full(len(self), -1, dtype=np.int32)
        column[targets] = np.arange(len(targets))
        found = column[self.items[places]]
        holds = np.zeros((len(targets), len(nearest)), dtype=np.float32)
        holds[found[found >= 0], owner[found >= 0]] = 1
        return np.asarray(self.welcome[targets, None] * (holds @ voices), dtype=np.float32)

    def longer(self, items: int) -> Sessions:
        """The same for a catalogue of so many items: no visit held the newcomers. Visits are shared, not copied."""
        newcomers = items - len(self)
        return replace(
            self,
            item_indptr=np.append(self.item_indptr, np.full(newcomers, self.item_indptr[-1])),
            rarity=np.append(self.rarity, np.zeros(newcomers, dtype=np.float32)),
            welcome=np.append(self.welcome, np.zeros(newcomers, dtype=np.float32)),
        )

    def _voices(
        self, rows: NDArray[np.int32], weights: NDArray[np.float32]
    ) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.int64]]:
        """Every visit that shares an item, once an item: the visit, how much that says, and the item's place in the history."""
        weighty = np.flatnonzero(weights > 0)
        weighty = weighty[np.argsort(-weights[weighty], kind="stable")[:MOST]]
        places, owner = _gather(self.item_indptr, rows[weighty])
        visits, place = self.holders[places], weighty[owner]
        return visits, (weights * self.rarity[rows])[place] * self.worth[visits], place

    def _nearest(
        self, visits: NDArray[np.int32], voice: NDArray[np.float32]
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """The k visits of most voices and their likeness, equal ones newest first."""
        likeness = np.bincount(visits, voice, minlength=len(self.worth)).astype(np.float32)
        nearest = top(likeness, None, self.k)
        nearest = nearest[likeness[nearest] > 0]
        return nearest, likeness[nearest]


def fading(at: NDArray[np.int64], fade: float) -> NDArray[np.float32]:
    """float32[history]: 1 for the newest item of a visit, `fade` times that for each one further back; equal times fade alike."""
    rank = np.unique(-at, return_inverse=True)[1]
    return np.asarray(float(fade) ** rank, dtype=np.float32)


def _gather(indptr: NDArray[np.int64], rows: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The positions of the entries of some rows, and for each the place in `rows` that has it."""
    starts = indptr[rows]
    sizes = indptr[np.asarray(rows, dtype=np.int64) + 1] - starts
    owner = np.repeat(np.arange(len(rows)), sizes)
    return np.arange(len(owner)) + (starts - np.cumsum(sizes) + sizes)[owner], owner
