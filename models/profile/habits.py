"""Habits: how she deals with us, on which channel and at what hour, and what she buys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from models.catalogue import Catalogue
from models.profile.state import Profile

HOURS = 24
PRIOR_DEEDS = (
    24  # what people of her tier do counts as so many deeds of hers: one an hour, where nothing is known of them
)
PRIOR_ON = 4  # what people of her tier do where she may be reached counts as so many deeds of hers
PRIOR_SENT, PRIOR_RATE = 5, 0.2  # messages, and how many are answered where nobody knows
FAVOURITES = 3
BANDS = ("low", "middle", "high", "top")  # quarters of the shop's prices
CHANNELS: Mapping[str, tuple[str, ...]] = {  # what she does where
    "website": (
        "view_item",
        "search",
        "add_to_cart",
        "begin_checkout",
        "login",
        "page_view",
        "select_item",
        "view_cart",
    ),
    "email": ("email_open", "email_click"),
    "agent": ("call", "support_contact"),
    "store": ("visit_store",),
}
PERSON = ("persona", "gender", "birth_date", "city", "province", "country", "language", "time_zone")


def engagement(profile: Profile) -> dict[str, Any]:
    """How she deals with us, counted over her life; rates lean on a prior, so that one message says little."""
    count = profile.counts.get
    sent, opened, clicked = (count(name, 0) for name in ("email_sent", "email_open", "email_click"))
    told = ("referral", "review", "rating", "share", "complaint", "refund", "support_contact", "visit_store")
    return {
        "sent": sent,
        "opened": opened,
        "clicked": clicked,
        "open_rate": _rate(opened, sent),
        "click_rate": _rate(clicked, sent),
        **{f"{name}s": count(name, 0) for name in told},
    }


def channel(profile: Profile, reachable: Sequence[str], *, tier_channels: Sequence[float] = ()) -> str | None:
    """The reachable channel on which she does most, leaning on where people of her tier do (shares, in the order of CHANNELS).

    None where none is reachable, the first one where neither says anything.
    """
    shares = dict(zip(CHANNELS, tier_channels, strict=False))
    whole = sum(shares.get(name, 0.0) for name in reachable) or 1.0
    does = {name: deeds(profile, name) + PRIOR_ON * shares.get(name, 0.0) / whole for name in reachable}
    return max(does, key=does.__getitem__, default=None)  # of equals the first


def deeds(profile: Profile, channel: str) -> int:
    """How much she did on a channel, over her life."""
    return sum(profile.counts.get(deed, 0) for deed in CHANNELS.get(channel, ()))


def hour(profile: Profile, *, zone: str, now: int, tier_hours: Sequence[float]) -> int | None:
    """The hour of her day (0 to 23, in her zone) in which she does most, leaning on when people of her tier do (shares by UTC hour).

    None where neither says anything.
    """
    own = np.array([profile.hours.get(at, 0) for at in range(HOURS)], dtype=np.float64)
    prior = np.array(tier_hours if len(tier_hours) == HOURS else [0.0] * HOURS, dtype=np.float64)
    if not own.any() and not prior.any():
        return None
    return (int(np.argmax(own + PRIOR_DEEDS * prior)) + _offset_hours(zone, now)) % HOURS


def person(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of who and where she is: the attributes that have a name everywhere, null where she or the shop said nothing."""
    return {name: attributes.get(name) for name in PERSON}


def buys(profile: Profile, catalogue: Catalogue | None) -> dict[str, Any]:
    """What she buys, of what she kept: categories by share of her purchases, how many there are, and the quarter of prices she pays."""
    kept = [
        (item_id, item.purchases) for item_id, item in profile.items.items() if item.purchases and item.quantity > 0
    ]
    rows = catalogue.items.rows(item_id for item_id, _ in kept) if catalogue is not None else np.zeros(0, np.int32)
    if catalogue is None or not (rows >= 0).any():
        return {"favourite_categories": [], "breadth": 0, "price_band": None}
    weights = np.array([purchases for _, purchases in kept], dtype=np.float64)[rows >= 0]
    rows = rows[rows >= 0]
    codes = catalogue.category.code[rows]
    sums = np.bincount(codes[codes >= 0], weights=weights[codes >= 0], minlength=len(catalogue.category.values))
    best = [code for code in np.argsort(-sums, kind="stable")[:FAVOURITES].tolist() if sums[code] > 0]
    shares = [
        {"category": catalogue.category.values.text(code), "share": float(sums[code] / sums.sum())} for code in best
    ]
    return {"favourite_categories": shares, "breadth": int((sums > 0).sum()), "price_band": _band(rows, catalogue)}


def _band(rows: np.ndarray[Any, np.dtype[np.int32]], catalogue: Catalogue) -> str | None:
    """The quarter of the shop's prices in which the median of these items lies."""
    paid, all_ = catalogue.price[rows], catalogue.price[catalogue.price > 0]
    paid = paid[paid > 0]
    if not len(paid):
        return None
    return BANDS[int(np.searchsorted(np.quantile(all_, (0.25, 0.5, 0.75)), np.median(paid)))]


def _rate(answered: int, sent: int) -> float | None:
    return (answered + PRIOR_SENT * PRIOR_RATE) / (sent + PRIOR_SENT) if sent else None


def _offset_hours(zone: str, now: int) -> int:
    """Hours that a zone is ahead of UTC at a time; 0 for a name that is none."""
    try:
        offset = datetime.fromtimestamp(now, UTC).astimezone(ZoneInfo(zone)).utcoffset()
    except (ZoneInfoNotFoundError, ValueError, OSError, OverflowError):
        return 0
    return round(offset.total_seconds() / 3600) if offset else 0
