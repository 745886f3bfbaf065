"""Taste: what a customer's items say, as rows and weights that the models understand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.blend import Blend
from models.bundle import Models
from models.profile import EVERYDAY, Profile, interactions, unanswered
from models.sessions import fading
from models.settings import Interest

DAY_S = 86_400
TINY = 1e-12

CART_DAYS = 30  # what has lain in a cart for longer is forgotten there
AWAY_DAYS = 730  # beyond it weights would fade into rounding, and her taste with them


@dataclass(frozen=True)
class Taste:
    """A customer's items that the bundle knows; all arrays but the last two have one entry an item.

    rows       int32[h]    rows of the catalogue
    weights    float32[h]  how much an item speaks for others like it; below 0 where the customer said no
    purchases  int32[h]    how often it was bought and kept, 0 for what was only looked at
    first_at, last_at  int64[h]  first and last purchase, seconds since 1970 UTC
    seen_at    int64[h]    last event, if one of them was no purchase; 0 for none
    in_cart    int32[c]    rows of what lies in the cart
    tired      int32[t]    rows of what was shown again and again without an answer
    """

    rows: NDArray[np.int32]
    weights: NDArray[np.float32]
    purchases: NDArray[np.int32]
    first_at: NDArray[np.int64]
    last_at: NDArray[np.int64]
    seen_at: NDArray[np.int64]
    in_cart: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    tired: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, dtype=np.int32))

    @cached_property
    def owned(self) -> NDArray[np.int32]:
        """The rows of what was bought and kept."""
        return self.rows[self.purchases > 0]

    @property
    def disliked(self) -> NDArray[np.int32]:
        """The rows of what the customer said no to."""
        return self.rows[self.weights < 0]

    def fading(self, fade: float) -> NDArray[np.float32]:
        """float32[h]: the weights of a visit, the largest 1 before the newest item fades not at all and each one further back by `fade`."""
        largest = max(float(self.weights.max(initial=0)), TINY)
        return np.asarray(
            self.weights / largest * fading(np.maximum(self.last_at, self.seen_at), fade), dtype=np.float32
        )


NONE = Taste(
    rows=np.zeros(0, dtype=np.int32),
    weights=np.zeros(0, dtype=np.float32),
    purchases=np.zeros(0, dtype=np.int32),
    first_at=np.zeros(0, dtype=np.int64),
    last_at=np.zeros(0, dtype=np.int64),
    seen_at=np.zeros(0, dtype=np.int64),
)


def taste(profile: Profile, models: Models, *, now: int, interest: Interest = EVERYDAY) -> Taste:
    """The taste of a profile, as of `now`: see `tastes`."""
    return tastes([(profile, now)], models, interest=interest)[0]


def tastes(asked: Sequence[tuple[Profile, int]], models: Models, *, interest: Interest = EVERYDAY) -> list[Taste]:
    """The tastes of profiles, each as of a time.

    A purchase weighs what the blend's recency says, as in training, unless the shop says otherwise; other events add their weight, which
    fades by their name. What went back was not bought. Items the bundle does not know are left out. However long a customer was away, her
    last items still say most: weights fade no further than two years after her newest event.
    """
    histories = _histories([(profile, now) for profile, now in asked if profile.items], models, interest)
    found = []
    for profile, now in asked:
        tired = _rows(unanswered(profile, now=now), models)
        if profile.items:
            found.append(Taste(*[*next(histories), _in_cart(profile, models, now), tired]))
        else:
            found.append(replace(NONE, tired=tired) if len(tired) else NONE)
    return found


def _histories(
    asked: Sequence[tuple[Profile, int]], models: Models, interest: Interest
) -> Iterator[Sequence[NDArray[Any]]]:
    """The first six arrays of each one's taste, found for all of them at once."""
    if not asked:
        return
    items, ends = interactions(*(profile for profile, _ in asked)), [*accumulate(len(one.items) for one, _ in asked)]
    newest = items.seen_at[[end - 1 for end in ends]].tolist()  # oldest first
    until = [min(now, at + AWAY_DAYS * DAY_S) for (_, now), at in zip(asked, newest, strict=True)]
    faded_at = np.repeat(until, [len(one.items) for one, _ in asked])
    said = items.said(interest, now=faded_at)
    kept = items.purchases * (items.quantity > 0)
    bought = _fading(models.blend, interest).recency(items.last_at, now=faded_at) * (kept > 0)
    weights = (interest.weights.get("purchase", 1.0) * bought + said).astype(np.float32)
    rows, seen_at = models.catalogue.items.rows(items.item_ids), items.seen_at * (said > 0)
    columns: tuple[NDArray[Any], ...] = rows, weights, kept.astype(np.int32), items.first_at, items.last_at, seen_at
    if rows.min() < 0:
        known = rows >= 0
        columns, ends = tuple(column[known] for column in columns), np.cumsum(known)[[end - 1 for end in ends]].tolist()
    for begin, end in pairwise((0, *ends)):
        yield [column[begin:end] for column in columns]


def _fading(blend: Blend, interest: Interest) -> Blend:
    """The blend with the half-life of purchases that the shop says, if it says one."""
    days = interest.half_life_days.get("purchase")
    return blend if days is None else replace(blend, half_life_days=days)


def _in_cart(profile: Profile, models: Models, now: int) -> NDArray[np.int32]:
    """The rows of what was put into the cart of late and still lies there."""
    since = now - CART_DAYS * DAY_S
    return _rows((item_id for item_id, line in profile.cart.items() if line.at >= since), models)


def _rows(item_ids: Iterable[str], models: Models) -> NDArray[np.int32]:
    """The rows of the ids that the bundle knows."""
    item_ids = tuple(item_ids)
    if not item_ids:
        return NONE.rows
    rows = models.catalogue.items.rows(item_ids)
    return rows[rows >= 0]
