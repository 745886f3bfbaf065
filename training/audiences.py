"""The shop's named segments, counted and profiled, for the report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from statistics import median
from typing import Any

from models.bundle import Models
from models.profile import Profile, load, money
from models.settings import DAY_S, Settings
from service.people.customers import Known
from service.people.facts import load as load_facts
from service.people.facts import with_attributes
from service.people.segments import Segments

MOST = 20_000  # customers who are looked at; of more, every so many-th, and sizes are estimates


def audiences(
    profiles: Iterable[tuple[str, bytes]],
    attributes: Mapping[str, Mapping[str, Any]],
    settings: Settings,
    models: Models,
    *,
    now: int,
    customers: int,
) -> list[dict[str, Any]]:
    """Of each segment its size and what its members are like, as JSON; consents are not read here."""
    segments, every = Segments(settings), max(-(-customers // MOST), 1)
    members: dict[str, list[Profile]] = {name: [] for name in segments}
    looked_at = 0
    for number, (customer_id, document) in enumerate(profiles):
        if number % every:
            continue
        profile = load(document)
        facts = with_attributes(load_facts(None), attributes.get(customer_id, {}))
        for name in segments.of(Known(profile, facts), models, now=now):
            members[name].append(profile)
        looked_at += 1
    whens = {segment.name: segment.when for segment in settings.segments}
    return [
        {
            "name": name,
            "when": whens[name],
            "customers": len(found) * every,
            "share": len(found) / max(looked_at, 1),
            **_like(found, now),
        }
        for name, found in members.items()
    ]


def _like(found: list[Profile], now: int) -> dict[str, float | None]:
    """Medians of the members; None where there is nothing to reckon from."""
    away = [(now - profile.last_at) / DAY_S for profile in found if profile.bought_on]
    return {
        "orders": median(profile.orders for profile in found) if found else None,
        "spent": median(money(profile.value) for profile in found) if found else None,
        "days_since_order": median(away) if away else None,
    }
