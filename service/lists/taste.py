"""Taste: what a customer's items say, as rows and weights that the models understand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property

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
    """The taste of a profile, as of `now`.

    A purchase weighs what the blend's recency says, as in training, unless the shop says otherwise; other events add their weight, which
    fades by their name. What went back was not bought. Items the bundle does not know are left out. However long a customer was away, her
    last items still say most: weights fade no further than two years after her newest event.
    """
    tired = _rows(unanswered(profile, now=now), models)
    if not profile.items:
        return replace(NONE, tired=tired) if len(tired) else NONE
    items = interactions(profile)
    faded_at = min(now, items.seen_at.item(-1) + AWAY_DAYS * DAY_S)  # oldest first
    said = items.said(interest, now=faded_at)
    kept = items.purchases * (items.quantity > 0)
    bought = _fading(models.blend, interest).recency(items.last_at, now=faded_at) * (kept > 0)
    rows = models.catalogue.items.rows(items.item_ids)
    known = slice(None) if rows.min() >= 0 else rows >= 0
    return Taste(
        rows=rows[known],
        weights=(interest.weights.get("purchase", 1.0) * bought + said).astype(np.float32)[known],
        purchases=kept.astype(np.int32)[known],
        first_at=items.first_at[known],
        last_at=items.last_at[known],
        seen_at=(items.seen_at * (said > 0))[known],
        in_cart=_in_cart(profile, models, now),
        tired=tired,
    )


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
