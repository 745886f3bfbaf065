"""News: what changed in the shop of items that a customer knows: cheaper on her wish list, nearly gone of what she looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from models.catalogue import NO_PRICE, Catalogue
from models.profile import DAY_S, Profile
from models.profile.items import seen_since

LEAST_DROP = 0.01  # of the price then: what is less is no news
LOOKED_DAYS = 7
FEW = 3  # pieces


def listed(name: str, profile: Profile, catalogue: Catalogue | None, *, now: int) -> tuple[str, ...]:
    """The ids of one of models.actions.LISTS. What cannot be had stands in none but her last order."""
    if name == "wish_drops":
        return wish_drops(profile, catalogue)
    if name == "viewed_low_stock":
        return viewed_low_stock(profile, catalogue, now=now)
    return last_order(profile) if name == "last_order" else _available(sorted(profile.cart), catalogue)


def last_order(profile: Profile) -> tuple[str, ...]:
    """What she ordered last, by id."""
    since = seen_since(profile.items, profile.last_at) if profile.last_at else ()
    return tuple(sorted(item_id for item_id, bought, at, _ in since if bought and at == profile.last_at))


def wish_drops(profile: Profile, catalogue: Catalogue | None) -> tuple[str, ...]:
    """What is cheaper now than when she wished for it, the greatest drop first."""
    wishes: Mapping[str, int] = {item_id: wish.price for item_id, wish in profile.wishes.items() if wish.price > 0}
    if not wishes or not catalogue:
        return ()
    rows, then = catalogue.items.rows(wishes), np.array(list(wishes.values()), dtype=np.float64)
    now = catalogue.price[rows]
    drop = np.where((rows >= 0) & (now != NO_PRICE) & catalogue.available[rows], 1.0 - now / then, 0.0)
    ids = list(wishes)
    return tuple(ids[place] for place in np.argsort(-drop, kind="stable").tolist() if drop[place] >= LEAST_DROP)


def viewed_low_stock(profile: Profile, catalogue: Catalogue | None, *, now: int) -> tuple[str, ...]:
    """What she looked at of late and did not buy since, as long as a few are left, newest first."""
    since = now // DAY_S - LOOKED_DAYS
    dealt = seen_since(profile.items, (since + 1) * DAY_S)
    viewed = [item_id for item_id, _, bought, days in dealt if days and max(since, bought // DAY_S) < days[-1][0]]
    if not viewed or not catalogue:
        return ()
    rows = catalogue.items.rows(viewed).tolist()
    return tuple(item_id for item_id, row in zip(viewed, rows, strict=True) if row >= 0 and _few_left(catalogue, row))


def _few_left(catalogue: Catalogue, row: int) -> bool:
    return bool(catalogue.available[row]) and 0 < catalogue.stock[row] <= FEW


def _available(item_ids: Sequence[str], catalogue: Catalogue | None) -> tuple[str, ...]:
    if not item_ids or not catalogue:
        return tuple(item_ids)
    rows = catalogue.items.rows(item_ids)
    there = (rows < 0) | catalogue.available[rows]
    return tuple(item_ids[place] for place in np.flatnonzero(there).tolist())
