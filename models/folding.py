"""Folding in many: customers' vectors, solved side by side; numpy's way to one small system costs more than the system.

What models.factors.Folded says of one history stands here for a group of them of about one length, made equally long by items that say nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from models.factors import Factors

STEP = 16  # histories whose lengths differ by less make a group
NOBODY = -1

Rows = NDArray[np.int32]
Scores = NDArray[np.float32]


@dataclass(frozen=True)
class Group:
    """Histories of about one length. A place that nothing stands at has a vector of zeros, and the confidence 1.

    places      int64[group]                    whose they are, among all customers
    rows        int32[group, length]            what each liked
    bought      float32[group, length, factors] BD^-½       confidence  float32[group, length]
    root        float32[group, 1, factors]      D^½         small       float32[group, length, length]  BD⁻¹Bᵀ + C⁻¹
    """

    places: NDArray[np.int64]
    rows: Rows
    bought: Scores
    confidence: Scores
    root: Scores
    small: Scores

    @property
    def vectors(self) -> Scores:
        """float32[group, factors]."""
        said = np.linalg.solve(self.small, self._certain)
        return np.asarray((said.transpose(0, 2, 1) @ self.bought / self.root)[:, 0])

    def gave(self, targets: Scores) -> Scores:
        """float32[group, length, targets]: what each item added to the scores of float32[group, targets, factors], item vectors."""
        said = np.linalg.solve(self.small, self.bought @ (targets / self.root).transpose(0, 2, 1))
        return np.asarray(said * self._certain)

    @cached_property
    def _certain(self) -> Scores:
        """float32[group, length, 1]: (1 + c) / c."""
        return np.asarray(((1 + self.confidence) / self.confidence)[:, :, None])


@dataclass(frozen=True)
class Folding:
    """Customers folded in. vectors: float32[customers, factors], as `Factors.fold_in` of each."""

    model: Factors
    groups: Sequence[Group]
    vectors: Scores

    def carriers(self, targets: Rows) -> Rows:
        """int32[customers, targets]: of each customer's history the row that gave most to the score of each of her targets; NOBODY: none did."""
        found = np.full(targets.shape, NOBODY, dtype=np.int32)
        for group in self.groups:
            wanted = targets[group.places]
            vectors = self.model.item_factors.take(wanted, axis=0, mode="clip")
            if (newcomers := wanted >= len(self.model)).any():
                vectors[newcomers] = 0  # they have none
            gave = group.gave(vectors)
            carriers = group.rows[np.arange(len(wanted))[:, None], gave.argmax(axis=1)]
            found[group.places] = np.where(gave.max(axis=1) > 0, carriers, NOBODY)
        return found


def fold_all(model: Factors, histories: Sequence[tuple[Rows, Scores]]) -> Folding:
    """These customers, each with the rows and weights of her items; as for one, only what weighs above 0 and has a vector says something."""
    liked: list[tuple[Rows, Scores]] = []
    alike = defaultdict(list)
    for place, (rows, weights) in enumerate(histories):
        says = (weights > 0) & (rows < len(model))
        liked.append((rows[says], weights[says]))
        alike[np.count_nonzero(says) // STEP].append(place)
    groups = [_group(model, places, [liked[place] for place in places]) for places in alike.values()]
    vectors = np.empty((len(histories), len(model.gram)), dtype=np.float32)
    for group in groups:
        vectors[group.places] = group.vectors
    return Folding(model, groups, vectors)


def _group(model: Factors, places: Sequence[int], histories: Sequence[tuple[Rows, Scores]]) -> Group:
    length = max((1, *(len(rows) for rows, _ in histories)))
    rows = np.zeros((len(places), length), dtype=np.int32)
    weights = np.zeros((len(places), length), dtype=np.float32)
    for nth, (liked, weigh) in enumerate(histories):
        rows[nth, : len(liked)], weights[nth, : len(liked)] = liked, weigh
    penalty = np.array([model.penalty(weight) for weight in weights.sum(axis=1).tolist()], dtype=np.float32)
    root = np.sqrt(model.gram + penalty[:, None])[:, None]
    bought = model.item_factors.take(rows, axis=0)
    bought *= 1 / root
    for nth, (liked, _) in enumerate(histories):
        if len(liked) < length:
            bought[nth, len(liked) :] = 0
    confidence = np.where(weights > 0, weights / np.float32(model.unobserved), np.float32(1))
    small = bought @ bought.transpose(0, 2, 1)
    small.reshape(len(places), -1)[:, :: length + 1] += 1 / confidence
    return Group(np.array(places), rows, bought, confidence, root, small)
