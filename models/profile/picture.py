"""The shared picture: a profile as the contract's JSON, as of now."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import numpy as np

from models.catalogue import Catalogue
from models.lifetime import Lifetime
from models.profile.habits import buys, engagement, person
from models.profile.state import Profile
from models.settings import DAY_S
from models.tiers import Tiers, segment

MINOR = 100  # minor units of a major one
HALF_YEAR_DAYS, YEAR_DAYS = 182.625, 365.25
DUE_DAYS = np.geomspace(1.0, 730.0, 24)  # where the next order is looked for; what is expected later is not expected
FATIGUE_DAYS, SATISFACTION_DAYS = 30, 365
MOMENTS = 256  # whose text is kept: many answers are of one moment
EXPECTED = ("orders_6m", "orders_12m", "value_6m", "value_12m", "p_active", "next_order_at")


def describe(
    profile: Profile,
    *,
    customer_id: str,
    facts: Mapping[str, Any],
    now: int,
    tiers: Tiers,
    lifetime: Lifetime | None,
    currency: str | None,
    catalogue: Catalogue | None = None,
) -> dict[str, Any]:
    """The contract's Profile as of `now`: times in RFC 3339 UTC, money in major units as everywhere in the API, null for what is not known.

    `facts` (attributes, consents, aliases …) are what she or the shop said; a missing part is empty.
    """
    today = now // DAY_S
    days = profile.bought_on[: bisect_left(profile.bought_on, today + 1)]
    rfm = _rfm(profile, days, today, tiers)
    return {
        "customer_id": customer_id,
        "as_of": rfc3339(now),
        "tier": _tier(profile, today, tiers),
        "lifecycle": tiers.lifecycle(days, profile.orders, profile.value, today=today, left_out=profile.earlier_days),
        "segment": segment(rfm["r"], rfm["f"]) if rfm["r"] is not None else None,
        "rfm": rfm,
        "orders": _orders(profile, days, currency),
        "expected": _expected(profile, days, now, lifetime),
        "intent": {
            **dict.fromkeys(("category", "colour", "price_band", "score_7d", "score_30d")),
            "cart": _cart(profile, now),
            "searches": _searches(profile, now),
        },
        "fatigue": _fatigue(profile, now),
        "satisfaction": _satisfaction(profile, now),
        "consents": [_consent(consent) for consent in facts.get("consents", ())],
        "channels": facts.get("channels", []),
        "attributes": facts.get("attributes", {}),
        "segments": facts.get("segments", []),
        "cluster": None,
        "aliases": facts.get("aliases", []),
        "degraded": False,
        "buys": buys(profile, catalogue),
        "engagement": engagement(profile),
        "person": person(facts.get("attributes", {})),
    }


@lru_cache(maxsize=MOMENTS)
def rfc3339(at: int) -> str | None:
    """A time in RFC 3339, UTC; None where no calendar has it."""
    try:
        return f"{datetime.fromtimestamp(at, UTC).replace(tzinfo=None).isoformat()[:19]}Z"
    except (OverflowError, ValueError, OSError):
        return None


def money(amount: int) -> float:
    """Minor units as major ones."""
    return amount / MINOR


def _tier(profile: Profile, today: int, tiers: Tiers) -> dict[str, Any]:
    """`missing`, `needed` and `short` are in what the shop's tiers count: money, orders or points."""
    standing = tiers.standing(profile, today=today)
    return {
        "name": standing.name,
        "since": None if standing.since is None else rfc3339(standing.since * DAY_S),
        "next": standing.next,
        "missing": None if standing.missing is None else money(standing.missing),
        "counts": tiers.by,
        "keep": {
            "needed": None if standing.needed is None else money(standing.needed),
            "short": None if standing.short is None else money(standing.short),
            "until": None if standing.until is None else rfc3339(standing.until * DAY_S),
        },
    }


def _rfm(profile: Profile, days: Sequence[int], today: int, tiers: Tiers) -> dict[str, Any]:
    recency = today - days[-1] if days else None
    answer = {"recency_days": recency, "frequency": profile.orders, "monetary": money(profile.value)}
    if recency is None or profile.orders <= 0:
        return {**answer, "r": None, "f": None, "m": None}
    return {**answer, **dict(zip("rfm", tiers.rfm(recency, profile.orders, profile.value), strict=True))}


def _orders(profile: Profile, days: Sequence[int], currency: str | None) -> dict[str, Any]:
    bought, repeats = bool(profile.bought_on), _repeats(profile, days)
    return {
        "count": profile.orders,
        "value": money(profile.value),
        "currency": currency,
        "first_at": rfc3339(profile.first_at) if bought else None,
        "last_at": rfc3339(profile.last_at) if bought else None,
        "mean_interval_days": (days[-1] - days[0]) / repeats if repeats else None,
    }


def _repeats(profile: Profile, days: Sequence[int]) -> int:
    """Purchase days after the first, up to the last of `days`."""
    return len(days) - 1 + profile.earlier_days if len(days) > 1 else 0


def _expected(profile: Profile, days: Sequence[int], now: int, lifetime: Lifetime | None) -> dict[str, Any]:
    """What the coming months bring; all null before the first order, or where training could not learn the model.

    next_order_at: the time by which one order is expected; null when that is more than two years away.
    """
    if lifetime is None or not days:
        return dict.fromkeys(EXPECTED)
    unit_days = lifetime.unit_s / DAY_S
    x, t_x, age = _repeats(profile, days), (days[-1] - days[0]) / unit_days, (now // DAY_S - days[0]) / unit_days
    orders = lifetime.expected_orders(x, t_x, age, np.array([HALF_YEAR_DAYS, YEAR_DAYS, *DUE_DAYS]) / unit_days)
    spent = sum(max(amount, 0) for day, amount in profile.days.items() if days[0] < day <= days[-1])
    repeats = profile.earlier_spend + spent
    value = float(lifetime.expected_value(x, repeats / max(x, 1))) / MINOR
    due = round(float(np.interp(1.0, orders[2:], DUE_DAYS)) * DAY_S) if orders[-1] >= 1.0 else None
    half, year = float(orders[0]), float(orders[1])
    p_active = float(lifetime.p_active(x, t_x, age))
    answer = (half, year, half * value, year * value, p_active, None if due is None else rfc3339(now + due))
    return dict(zip(EXPECTED, answer, strict=True))


def _cart(profile: Profile, now: int) -> dict[str, Any] | None:
    """The cart with its value and age; None when it is empty."""
    cart = profile.cart
    if not cart:
        return None
    newest = max(line.at for line in cart.values())
    return {
        "items": [{"item_id": item_id, "quantity": cart[item_id].quantity / 1000} for item_id in sorted(cart)],
        "value": money(sum(line.amount for line in cart.values())),
        "updated_at": rfc3339(newest),
        "age_s": max(now - newest, 0),
    }


def _searches(profile: Profile, now: int) -> list[dict[str, Any]]:
    """What she searched for since she last bought something, newest first."""
    found = [(term, at) for term, at in profile.searches.items() if at <= now]
    return [{"term": term, "at": rfc3339(at), "age_s": now - at} for term, at in reversed(found)]


def _fatigue(profile: Profile, now: int) -> dict[str, Any]:
    """How tired of us she is: 1 - e^-(sum of the parts), from messages left unanswered of late and from what she told us to stop."""
    late = _happened(profile, now, FATIGUE_DAYS)
    parts = {
        "sent": 0.03 * late["email_sent"],
        "unanswered": 0.15 * max(late["email_sent"] - late["email_open"] - late["email_click"], 0),
        "unsubscribed": 0.7 * _happened(profile, now, SATISFACTION_DAYS)["unsubscribe"],
        "open_complaints": 0.5 * profile.open_complaints,
    }
    return {"score": -math.expm1(-sum(parts.values())), "parts": parts}


def _satisfaction(profile: Profile, now: int) -> dict[str, Any]:
    """How content she is: 1 / (1 + e^-(sum of the parts)), .5 for a stranger; of what went well and badly, the past year counts."""
    late = _happened(profile, now, SATISFACTION_DAYS)
    parts = {
        "orders": 0.5 * math.log1p(max(profile.orders, 0)),
        "answered": 0.1 * min(late["email_open"] + late["email_click"], 10),
        "complaints": -0.5 * late["complaint"] - 1.0 * profile.open_complaints,
        "returns": -0.3 * min(late["refund"], 5),
        "unsubscribed": -0.5 * late["unsubscribe"],
        "dislikes": -0.2 * late["dislike"],
    }
    return {"score": 0.5 + 0.5 * math.tanh(sum(parts.values()) / 2), "parts": parts}


def _happened(profile: Profile, now: int, days: int) -> Counter[str]:
    """How often each telling event happened in the last days."""
    return Counter(name for at, name in profile.recent if now - days * DAY_S < at <= now)


def _consent(consent: Mapping[str, Any]) -> dict[str, Any]:
    at = consent.get("at")
    return {**consent, "at": rfc3339(at) if isinstance(at, int) else at}
