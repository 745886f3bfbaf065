"""Folding in many: the vectors of some customers, solved side by side; numpy's way to a single small system costs more than the system."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.factors import Factors, Folded

STEP = 16  # histories are solved together whose lengths, rounded up to a multiple of it, are the same


def fold_all(model: Factors, histories: Iterable[tuple[NDArray[np.int32], NDArray[np.float32]]]) -> list[Folded]:
    """`model.folded` of the rows and weights of each customer, with its vector."""
    folded = [model.folded(rows, weights) for rows, weights in histories]
    alike = defaultdict(list)
    for place, hers in enumerate(folded):
        if 0 < len(hers.bought) < len(hers.root):
            alike[-(-len(hers.bought) // STEP) * STEP].append(place)
    for length, places in alike.items():
        for place, vector in zip(places, _solved([folded[place] for place in places], length), strict=True):
            folded[place] = replace(folded[place], solved=vector)
    return folded


def _solved(group: Sequence[Folded], length: int) -> NDArray[np.float32]:
    """float32[group, factors]: as `Folded.vector` of short histories, made as long as `length` by items that say nothing."""
    bought = np.zeros((len(group), length, len(group[0].root)), dtype=np.float32)
    confidence = np.ones((len(group), length), dtype=np.float32)
    for place, hers in enumerate(group):
        bought[place, : len(hers.bought)] = hers.bought
        confidence[place, : len(hers.bought)] = hers.confidence
    small = bought @ bought.transpose(0, 2, 1)
    diagonal = np.arange(length)
    small[:, diagonal, diagonal] += 1 / confidence
    said = np.linalg.solve(small, ((1 + confidence) / confidence)[:, :, None])
    return np.asarray((said.transpose(0, 2, 1) @ bought)[:, 0] / np.stack([hers.root for hers in group]))
