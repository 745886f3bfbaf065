"""The shared picture: one customer as every department sees her, computed from what the store keeps, as of a time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.bundle import Models
from models.lifetime import Lifetime
from models.profile import EVERYDAY, Profile, describe, load, rfc3339
from models.profile.habits import channel, hour
from models.settings import Interest
from models.tiers import Tiers
from service.people import facts as facts_of
from service.people.customers import Known
from service.people.facts import MARKETING, Facts
from service.people.intent import intent
from service.people.segments import Segments, cluster
from service.store import Customer

_NONE, _EDGES = np.zeros(0, dtype=np.int64), np.zeros(4)
NO_TIERS = Tiers(
    names=(),
    entry=_NONE,
    maintenance=_NONE,
    window_days=365,
    grace_days=0,
    recency_edges=_EDGES,
    frequency_edges=_EDGES,
    monetary_edges=_EDGES,
    interval_days=1.0,
    top_value=0,
)


@dataclass(frozen=True)
class Yardstick:
    """What a customer is measured by: learnt of the shop's history; None as long as there is no bundle."""

    tiers: Tiers | None = None
    lifetime: Lifetime | None = None
    currency: str | None = None
    models: Models | None = None
    interest: Interest = EVERYDAY
    zone: str = "UTC"  # the shop's, where she has none of her own
    segments: Segments | None = None


def known(customer: Customer | None) -> bool:
    """Whether anything was heard or said of her; decisions alone make nobody known."""
    return customer is not None and (customer.profile is not None or customer.facts is not None)


def shared(customer: Customer, *, by: Yardstick, channels: Iterable[str], now: int) -> dict[str, Any]:
    """The contract's Profile JSON. Without a bundle, what is relative to the shop's other customers is null, and `degraded` says so."""
    facts = facts_of.load(customer.facts)
    profile = load(customer.profile)
    shown = describe(
        profile,
        customer_id=customer.customer_id,
        facts=facts,
        now=now,
        tiers=by.tiers or NO_TIERS,
        lifetime=by.lifetime,
        currency=by.currency,
        catalogue=None if by.models is None else by.models.catalogue,
    )
    if by.models is not None and facts_of.may_profile(facts):
        shown["intent"] |= intent(profile, facts["attributes"], by.models, now=now, interest=by.interest)
        shown["cluster"] = cluster(profile, by.models, now=now)
        if by.segments is not None:
            shown["segments"] = by.segments.of(Known(profile, facts), by.models, now=now)
    shown |= {"consents": _consents(facts), "channels": [_channel(facts, channel) for channel in channels]}
    shown["preferences"] = _preferences(profile, shown, by, now)
    return shown if by.tiers is not None else _unmeasured(shown)


def _preferences(profile: Profile, shown: dict[str, Any], by: Yardstick, now: int) -> dict[str, Any]:
    """Where, when and how she wants to be spoken to: channels that she said yes to and that work, the one and the hour she uses most."""
    reachable = [row["channel"] for row in shown["channels"] if row[MARKETING] == "yes" and not row["do_not_contact"]]
    zone = str(shown["person"]["time_zone"] or by.zone)
    tiers, tier = by.tiers or NO_TIERS, shown["tier"]["name"]
    return {
        "reachable": reachable,
        "channel": channel(profile, reachable, tier_channels=tiers.channels_of(tier)),
        "hour": hour(profile, zone=zone, now=now, tier_hours=tiers.hours_of(tier)),
        "language": shown["person"]["language"],
        "time_zone": zone,
    }


def _consents(facts: Facts) -> list[dict[str, Any]]:
    return [{**consent, "at": rfc3339(consent["at"])} for consent in facts["consents"]]


def _channel(facts: Facts, channel: str) -> dict[str, Any]:
    return {
        "channel": channel,
        MARKETING: facts_of.consent(facts, MARKETING, channel),
        "do_not_contact": facts_of.do_not_contact(facts, channel),
    }


def _unmeasured(shown: dict[str, Any]) -> dict[str, Any]:
    rfm = {**shown["rfm"], "r": None, "f": None, "m": None}
    return {**shown, "lifecycle": None, "segment": None, "rfm": rfm, "degraded": True}
