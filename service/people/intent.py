"""What she is after now, and how likely she orders: from her last events and the learnt purchase intent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from models.attributes import BANDS
from models.behaviour import UNKNOWN, behaviour
from models.bundle import Models
from models.catalogue import NO_PRICE, Catalogue
from models.intent import HORIZONS, PLACE_FIELDS, features, top_category
from models.profile import DAY_S, EVERYDAY, Profile, interactions, money
from models.settings import Interest
from models.vocabulary import MISSING

RECENT_DAYS = 14  # events that say what she is after now


def intent(
    profile: Profile, attributes: Mapping[str, Any], models: Models, *, now: int, interest: Interest = EVERYDAY
) -> dict[str, Any]:
    """Category, colour and price band of the last events, and the probabilities with their contributions in log-odds; null where unknown."""
    return {
        **after(profile, models.catalogue, now=now, interest=interest),
        **scores(profile, attributes, models, now=now),
    }


def after(profile: Profile, catalogue: Catalogue, *, now: int, interest: Interest = EVERYDAY) -> dict[str, Any]:
    """What most of her interest of the last two weeks went to; a price band is a fifth of the catalogue's prices, with its bounds."""
    items = interactions(profile)
    said = items.said(interest, now=now)
    rows = catalogue.items.rows(items.item_ids)
    wanted = (said > 0) & (items.seen_at > now - RECENT_DAYS * DAY_S) & (items.seen_at <= now) & (rows >= 0)
    chosen, weights = rows[wanted].tolist(), said[wanted].tolist()
    return {
        "category": _most(chosen, weights, catalogue.category.text),
        "colour": _most(chosen, weights, catalogue.colour.text),
        "price_band": _band(chosen, weights, catalogue),
    }


def scores(profile: Profile, attributes: Mapping[str, Any], models: Models, *, now: int) -> dict[str, Any]:
    """The probability of an order within 7 and 30 days, and what adds how much to its log-odds; null where nothing is learnt or known."""
    model, lifetime, today = models.intent, models.lifetime, now // DAY_S
    if model is None or lifetime is None or not (profile.bought_on or profile.items):
        return {**{f"score_{days}d": None for days in HORIZONS}, "contributions": None}
    told = behaviour(
        profile,
        today=today,
        category=_code(model.categories, newest_category(profile, models.catalogue, model.categories, today=today)),
        place=_code(model.places, next((str(attributes[name]) for name in PLACE_FIELDS if attributes.get(name)), None)),
    )
    found = features(told, lifetime, today=today, categories=len(model.categories), places=len(model.places))
    chances = model.chances(found, today=today)[0].tolist()
    parts = model.contributions(found, today=today)
    return {
        **{f"score_{days}d": chance for days, chance in zip(HORIZONS, chances, strict=True)},
        "contributions": {f"{days}d": part for days, part in zip(HORIZONS, parts, strict=True)},
    }


def newest_category(profile: Profile, catalogue: Catalogue, known: Sequence[str], *, today: int) -> str | None:
    """The commonest of the known top categories among the items of her newest day, equals by name; see training.behaviours."""
    days = {item_id: item.seen_at // DAY_S for item_id, item in profile.items.items() if item.seen_at // DAY_S <= today}
    newest = max(days.values(), default=None)
    rows = catalogue.items.rows([item_id for item_id, day in days.items() if day == newest])
    paths = [catalogue.category.text(row) for row in rows[rows != MISSING].tolist()]
    counts = Counter(top for path in paths if path and (top := top_category(path)) in known)
    return min(counts, key=lambda name: (-counts[name], name)) if counts else None


def _code(names: Sequence[str], name: str | None) -> int:
    return list(names).index(name) if name is not None and name in names else UNKNOWN


def _most(rows: Sequence[int], weights: Sequence[float], text: Callable[[int], str | None]) -> str | None:
    sums: dict[str, float] = {}
    for row, weight in zip(rows, weights, strict=True):
        if (name := text(row)) is not None:
            sums[name] = sums.get(name, 0.0) + weight
    return min(sums, key=lambda name: (-sums[name], name)) if sums else None


def _band(rows: Sequence[int], weights: Sequence[float], catalogue: Catalogue) -> dict[str, float] | None:
    """The fifth of the catalogue's prices that most of it lies in: from 1, the cheapest, to 5, and its bounds in major units."""
    prices = catalogue.price[catalogue.price != NO_PRICE]
    if not len(prices):
        return None
    edges = np.quantile(prices, np.arange(BANDS + 1) / BANDS)
    priced = [row for row in rows if catalogue.price[row] != NO_PRICE]
    bands = {row: str(int(np.clip(np.searchsorted(edges, catalogue.price[row]), 1, BANDS))) for row in priced}
    band = _most(priced, [weight for row, weight in zip(rows, weights, strict=True) if row in bands], bands.get)
    if band is None:
        return None
    low, high = edges[int(band) - 1 : int(band) + 1]
    return {"band": int(band), "from": money(round(low)), "to": money(round(high))}
