"""A customer's items as arrays, for the models."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.profile.items import columns
from models.profile.state import Profile
from models.settings import DAY_S, Interest

EVERYDAY = Interest()
PIECE = 1000  # thousandths


class Interactions(NamedTuple):
    """A customer's items in the order of the profile, oldest first, and what she did with each; arrays of equal length."""

    item_ids: Sequence[str]
    purchases: NDArray[np.int64]  # lines, whatever went back since: what she kept has a quantity above 0
    quantity: NDArray[np.float64]  # pieces
    first_at: NDArray[np.int64]  # of a purchase; 0: never
    last_at: NDArray[np.int64]
    seen_at: NDArray[np.int64]  # newest event of any kind
    events: Sequence[Iterable[tuple[str, int]]]  # how many of each name, but for purchases

    def said(self, interest: Interest = EVERYDAY, *, now: int | NDArray[np.int64] | None = None) -> NDArray[np.float64]:
        """float64[items]: the weighted sum of events that are no purchases, below 0 where she said no; it fades until `now`, of all or of each
        item (None: not at all).

        The events of an item are all as old as the newest of them: the profile keeps their counts, and one time.
        """
        age_days = 0 * self.seen_at if now is None else np.maximum(now - self.seen_at, 0) / DAY_S
        said, faded = [0.0] * len(age_days), dict[str, list[float]]()
        for place, counts in enumerate(self.events):
            for name, count in counts:
                if name not in faded:
                    weight, days = interest.weights.get(name, 0.0), interest.half_life_days.get(name, math.inf)
                    faded[name] = (weight * np.exp2(-age_days / days)).tolist()
                said[place] += count * faded[name][place]
        return np.array(said, dtype=np.float64)


def interactions(*profiles: Profile) -> Interactions:
    """The items of one profile or more, one customer after the other."""
    item_ids, (purchases, quantity, first_at, last_at, seen_at), events = columns([one.items for one in profiles])
    return Interactions(item_ids, purchases, quantity / PIECE, first_at, last_at, seen_at, events)
