"""A customer's items as arrays, for the models."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.profile.items import Columns, columns
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
        faded = {
            name: (weight * np.exp2(-age_days / interest.half_life_days.get(name, math.inf))).tolist()
            for name in {name for counts in self.events for name, _ in counts}
            if (weight := interest.weights.get(name))
        }
        said = [0.0] * len(age_days)
        for place, counts in enumerate(self.events):
            for name, count in counts:
                if name in faded:
                    said[place] += count * faded[name][place]
        return np.array(said, dtype=np.float64)


def interactions(*profiles: Profile) -> Interactions:
    """The items of one profile or more, one customer after the other."""
    item_ids, (purchases, quantity, first_at, last_at, seen_at), events = _joined(
        [columns(one.items) for one in profiles]
    )
    return Interactions(item_ids, purchases, quantity / PIECE, first_at, last_at, seen_at, events)


def _joined(each: Sequence[Columns]) -> Columns:
    if len(each) == 1:
        return each[0]
    item_ids, numbers, events = zip(*each, strict=True)
    return Columns(
        list(chain.from_iterable(item_ids)), np.concatenate(numbers, axis=1), list(chain.from_iterable(events))
    )
