"""A customer's items as arrays, for the models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.profile.fold import INTEREST
from models.profile.state import Profile


class Interactions(NamedTuple):
    """A customer's items in the order of their ids, and what she did with each; arrays of equal length."""

    item_ids: list[str]
    purchases: NDArray[np.int32]  # lines, whatever went back since: what she kept has a quantity above 0
    quantity: NDArray[np.float32]  # pieces
    first_at: NDArray[np.int64]  # of a purchase; 0: never
    last_at: NDArray[np.int64]
    interest: NDArray[np.float32]  # weighted sum of events that are no purchases; may be negative
    seen_at: NDArray[np.int64]  # newest event of any kind


def interactions(profile: Profile, *, weights: Mapping[str, float] = INTEREST) -> Interactions:
    """The items of a profile; `weights`: what an event of each name says of interest (those of INTEREST are on record)."""
    item_ids = sorted(profile.items)
    items = [profile.items[item_id] for item_id in item_ids]
    interest = [sum(weights.get(name, 0.0) * count for name, count in item.events.items()) for item in items]
    return Interactions(
        item_ids=item_ids,
        purchases=np.array([item.purchases for item in items], dtype=np.int32),
        quantity=np.array([item.quantity / 1000 for item in items], dtype=np.float32),
        first_at=np.array([item.first_at for item in items], dtype=np.int64),
        last_at=np.array([item.last_at for item in items], dtype=np.int64),
        interest=np.array(interest, dtype=np.float32),
        seen_at=np.array([item.seen_at for item in items], dtype=np.int64),
    )
