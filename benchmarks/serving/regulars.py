"""Customers of a shop as decisions find them: forty orders and looks each, carts, consents, attributes, and what was said to them so far."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.serving.world import DAY_S, NOW, customer_id, item_id
from models.profile import EMPTY, Event, Profile, dump, fold
from service.decisions import ledger as ledger_of
from service.decisions.ledger import Contact, Ledger
from service.people import facts as facts_of
from service.store import Customer

EVENTS, CONTACTS = 40, 12
CITIES = ("Bangkok", "Chiang Mai", "Khon Kaen", "Phuket", "Singapore")
CHANNELS = ("website", "email", "agent")
OUTCOMES = ("shown", "clicked", "rejected", "no_response", "converted")


def regular(number: int, actions: Sequence[tuple[str, str]], *, items: int = 300) -> Customer:
    """The customer of this number; `actions` are (id, group) of what may have been said to her."""
    rng = np.random.default_rng([7, number])
    return Customer(
        customer_id(number),
        profile=dump(_profile(rng, items)),
        facts=facts_of.dump(_facts(rng)),
        ledger=ledger_of.dump(_ledger(rng, actions)),
    )


def _profile(rng: np.random.Generator, items: int) -> Profile:
    profile, pace = EMPTY, int(rng.integers(2, 9)) * DAY_S
    bought = int(rng.integers(2, 6))  # every so manieth event is a purchase
    for nth in range(EVENTS):
        at = NOW - (EVENTS - nth) * pace - int(rng.integers(DAY_S))
        name = "purchase" if nth % bought == 0 else "view_item"
        amount = int(rng.integers(200, 900)) * 100
        profile = fold(
            profile, Event(name, at, item_id=item_id(int(rng.integers(items))), amount=amount, order_id=f"O{nth}")
        )
    for nth in range(int(rng.integers(4))):
        at = NOW - (nth + 1) * 7_000
        line = Event("add_to_cart", at, item_id=item_id(int(rng.integers(items))), amount=int(rng.integers(900)) * 100)
        profile = fold(profile, line)
    if rng.random() < 0.05:
        profile = fold(profile, Event("complaint", NOW - 3 * DAY_S))
    return profile


def _facts(rng: np.random.Generator) -> facts_of.Facts:
    said = [
        {"purpose": "marketing", "channel": "email", "status": "granted", "at": NOW - 300 * DAY_S},
        {"purpose": "profiling", "channel": "all", "status": "granted", "at": NOW - 300 * DAY_S},
        {"purpose": "marketing", "channel": "email", "status": "withdrawn", "at": NOW - 200 * DAY_S},
        {"purpose": "marketing", "channel": "all", "status": "granted", "at": NOW - 100 * DAY_S},
    ]
    attributes = {
        "country": str(rng.choice(["TH", "SG", "MY", "JP"])),
        "city": str(rng.choice(CITIES)),
        "size": str(rng.choice(["S", "M", "L", "XL"])),
        "interests": " ".join(rng.choice(["shoes", "bags", "home", "sport", "beauty"], 2, replace=False).tolist()),
        "age": int(rng.integers(18, 70)),
        "points": int(rng.integers(0, 5_000)),
        "newsletter": bool(rng.random() < 0.5),
    }
    return facts_of.with_consents(facts_of.with_attributes(facts_of.load(None), attributes), said)


def _ledger(rng: np.random.Generator, actions: Sequence[tuple[str, str]]) -> Ledger:
    contacts = []
    for nth in range(CONTACTS):
        name, group = actions[int(rng.integers(len(actions)))]
        at = NOW - (CONTACTS - nth) * 2 * DAY_S
        channel = CHANNELS[int(rng.integers(3))]
        came = {"shown": at + 60, str(rng.choice(OUTCOMES)): at + 600} if rng.random() < 0.8 else {}
        until = None if channel == "email" else at + 1_800
        contacts.append(Contact(f"old{nth}", channel, at, until, True, (name,), {name: came}, (group,)))
    return Ledger(tuple(contacts))
