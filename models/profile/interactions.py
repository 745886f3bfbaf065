"""A customer's items as arrays, for the models."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.profile.state import Item, Profile
from models.settings import DAY_S, Interest

EVERYDAY = Interest()


class Interactions(NamedTuple):
    """A customer's items in the order of their ids, and what she did with each; arrays of equal length."""

    item_ids: list[str]
    purchases: NDArray[np.int32]  # lines, whatever went back since: what she kept has a quantity above 0
    quantity: NDArray[np.float32]  # pieces
    first_at: NDArray[np.int64]  # of a purchase; 0: never
    last_at: NDArray[np.int64]
    interest: NDArray[np.float32]  # weighted sum of events that are no purchases; may be negative
    seen_at: NDArray[np.int64]  # newest event of any kind


def interactions(profile: Profile, interest: Interest = EVERYDAY, *, now: int | None = None) -> Interactions:
    """The items of a profile; what events say of interest fades until `now` (None: not at all).

    The events of an item are all as old as the newest of them: the profile keeps their counts, and one time.
    """
    item_ids = sorted(profile.items)
    items = [profile.items[item_id] for item_id in item_ids]
    return Interactions(
        item_ids=item_ids,
        purchases=np.array([item.purchases for item in items], dtype=np.int32),
        quantity=np.array([item.quantity / 1000 for item in items], dtype=np.float32),
        first_at=np.array([item.first_at for item in items], dtype=np.int64),
        last_at=np.array([item.last_at for item in items], dtype=np.int64),
        interest=np.array([_said(item, interest, now) for item in items], dtype=np.float32),
        seen_at=np.array([item.seen_at for item in items], dtype=np.int64),
    )


def _said(item: Item, interest: Interest, now: int | None) -> float:
    """What the events that are no purchases say of an item."""
    age_days = 0.0 if now is None else max(now - item.seen_at, 0) / DAY_S
    said = 0.0
    for name, count in item.events.items():
        if weight := interest.weights.get(name):
            said += count * weight * math.exp2(-age_days / interest.half_life_days.get(name, math.inf))
    return said
