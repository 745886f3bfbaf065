"""Clusters: groups of customers who behave alike, found in the data, named by what sets them apart. Learnt in training.fit.clusters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.behaviour import Behaviour

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

VIEWED_DAYS = 30
CLIP = 3.0  # standard deviations that a feature says at most: a few oddities are no group
NONE = -1  # of who never ordered: nothing is known of how she buys
# What each feature is called where there is much of it, and where there is little.
FEATURES: Mapping[str, tuple[str, str]] = {
    "orders": ("frequent", "few orders"),
    "order_value": ("high value", "low value"),
    "away": ("long away", "here of late"),
    "tenure": ("long known", "new"),
    "views": ("looks around", "seldom looks"),
}


@dataclass(frozen=True)
class Clusters:
    """The learnt groups, the largest first.

    names          texts[k], distinct
    centre, scale  float64[m]  mean and standard deviation of each feature; a feature that tells nobody apart has scale inf
    centres        float64[k, m]  what each group is like, in standard deviations from the mean
    """

    names: Sequence[str]
    centre: Floats
    scale: Floats
    centres: Floats

    def of(self, told: Behaviour, *, today: int) -> Ints:
        """int64[c]: the group nearest to each customer as of `today`, NONE for who never ordered; equals by place."""
        found = standard(features(told, today=today), self.centre, self.scale)
        return np.where(orders(told) > 0, nearest(found, self.centres), NONE)


def orders(told: Behaviour) -> Ints:
    """int64[c]: days with an order."""
    return told.bought.count + told.left_out


def features(told: Behaviour, *, today: int) -> Floats:
    """float64[c, m]: FEATURES as of `today`, as logarithms, because behaviour spreads over orders of magnitude."""
    count = orders(told)
    counted = (
        count,
        np.maximum(told.value, 0) / np.maximum(count, 1),
        np.maximum(today - told.bought.last, 0),
        np.maximum(today - told.bought.first, 0),
        told.viewed.between(today - VIEWED_DAYS + 1, today),
    )
    return np.log1p(np.column_stack(counted).astype(np.float64))


def standard(found: Floats, centre: Floats, scale: Floats) -> Floats:
    """float64[c, m]: features in standard deviations from the mean."""
    return np.clip((found - centre) / scale, -CLIP, CLIP)


def nearest(found: Floats, centres: Floats) -> Ints:
    """int64[c]: the row of the nearest centre; of equals the first."""
    if not len(centres):
        return np.full(len(found), NONE, dtype=np.int64)
    return np.asarray(np.argmin((centres**2).sum(axis=1) - 2 * found @ centres.T, axis=1), dtype=np.int64)
