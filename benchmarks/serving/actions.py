"""A catalogue of 200 actions as a large shop might have it, with 200 conditions, no two alike; same text each time.

Forty sentences with five figures each say whom an action is for; of a customer of benchmarks.serving.regulars about half hold. Every part of a
catalogue is there: tiers, needs, budgets, stock, ramps, limits, levers, dates, treatments for placements, two languages.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import orjson

ACTIONS = 200  # the last of them is silence
STAGES = ("eligibility", "applicability", "suitability")
CONDITIONS: tuple[tuple[str, tuple[object, ...]], ...] = (
    ("customer.orders >= {}", (2, 4, 6, 10, 14)),
    ("customer.spent > {}", (1500, 3000, 6000, 9000, 12000)),
    ("customer.days_since_order < {}", (7, 14, 30, 45, 60)),
    ("customer.days_since_order >= {} && customer.orders > 1", (5, 10, 20, 30, 40)),
    ("customer.days_since_seen <= {} && customer.open_complaints == 0", (1, 3, 7, 10, 21)),
    ('views("type 7", {}) == 0 || cart.items > 1', (3, 7, 14, 21, 30)),
    ("cart.items >= 1 && cart.total > {}", (300, 600, 900, 1500, 2500)),
    ("cart.total < {} && customer.hours_since_cart > 2", (500, 1000, 2000, 4000, 8000)),
    ("customer.hours_since_cart > {} && cart.items < 5", (1, 4, 8, 24, 48)),
    ('customer.tier == "gold" && customer.orders < {}', (8, 12, 16, 20, 30)),
    ('customer.tier in ["silver", "gold"] && customer.spent >= {}', (1000, 2000, 5000, 8000, 11000)),
    ('customer.tier != "gold" && customer.tier_progress >= {}', (0.2, 0.4, 0.6, 0.8, 0.9)),
    ('customer.lifecycle in ["regular", "top"] && customer.orders >= {}', (3, 5, 8, 11, 15)),
    ('customer.lifecycle != "lost" && customer.order_due > {}', (0.2, 0.4, 0.8, 1.0, 1.3)),
    ('days_since("view") < {} && customer.order_due > 0.1', (3, 6, 9, 18, 36)),
    ("customer.order_due < {} && customer.open_complaints == 0", (0.5, 1.0, 1.5, 2.0, 3.0)),
    ("customer.tier_at_risk == 0 && customer.spent > {}", (500, 2500, 4500, 7000, 10000)),
    ("spent({}) >= 800 && customer.marketing_known == 1", (14, 30, 60, 90, 180)),
    ('attributes.country == "TH" && customer.orders > {}', (1, 3, 7, 9, 12)),
    ('attributes.country in ["TH", "SG", "MY"] && attributes.age >= {}', (18, 25, 30, 40, 50)),
    ("attributes.newsletter && attributes.points >= {}", (100, 500, 1000, 2000, 4000)),
    ("!attributes.newsletter && attributes.points < {}", (300, 800, 1500, 3000, 6000)),
    ('attributes.size == "{}" && customer.orders >= 1', ("S", "M", "L", "XL", "XXL")),
    ('context.page == "{}"', ("home", "cart", "product", "search", "account")),
    ('context.device == "mobile" && time.hour >= {}', (6, 8, 9, 12, 18)),
    ('time.weekday in ["monday", "thursday", "sunday"] && time.hour < {}', (8, 10, 14, 18, 22)),
    ('time.date >= "{}"', ("2025-11-01", "2025-12-01", "2025-12-31", "2026-01-02", "2026-02-01")),
    ('request.placement == "hero" && customer.orders > {}', (0, 2, 5, 8, 13)),
    ('request.channel != "email" && customer.days_since_order > {}', (1, 4, 12, 25, 50)),
    ("customer.orders >= {} || customer.spent > 9000", (3, 6, 9, 12, 18)),
    ("(customer.days_since_order > {} || cart.items > 0) && customer.open_complaints == 0", (3, 6, 15, 35, 70)),
    ('customer.tier == "gold" || attributes.points > {}', (400, 1200, 2500, 5000, 9000)),
    ('!(customer.lifecycle == "visitor") && customer.days_since_seen < {}', (2, 5, 9, 14, 28)),
    ('(context.page == "cart" && cart.total > {}) || customer.tier_at_risk == 1', (200, 700, 1200, 1800, 3600)),
    ("customer.spent >= cart.total * {} && cart.items > 0", (2.0, 4.0, 8.0, 16.0, 32.0)),
    ("cart.total + customer.spent >= {}", (2000.0, 4000.0, 7500.0, 10500.0, 13000.0)),
    ('attributes.city.startsWith("{}") && customer.orders > 0', ("B", "C", "K", "P", "S")),
    ('attributes.interests.contains("{}")', ("shoes", "bags", "home", "sport", "beauty")),
    ("customer.orders > 1 && attributes.points * 0.01 >= {}", (1.0, 5.0, 12.0, 22.0, 45.0)),
    ("customer.days_since_order / 7.0 > {} && customer.orders >= 2", (1.0, 2.0, 3.0, 5.0, 8.0)),
)
SETTINGS = """
[context]
page = "text"
device = "text"

[attributes]
country = "text"
city = "text"
size = "text"
interests = "text"
age = "number"
points = "number"
newsletter = "flag"
"""  # valet.toml
HEAD = """
[learning]
exploration = "thompson"

[policy]
fatigue_by_tier = { gold = 0.1 }

[levers]
issue3 = 10

[[limits]]
channel = "email"
contacts = 2
days = 7

[[limits]]
contacts = 30
days = 1

[[limits]]
group = "group7"
contacts = 3
days = 30

[[suppressions]]
outcome = "rejected"
times = 2
days = 30
rest_days = 60

[[suppressions]]
outcome = "unsubscribed"
rest_days = 90
rests = "group"

[[budgets]]
name = "vouchers"
amount = 1000000
days = 7
"""
# Every so many actions have this
MORE: tuple[tuple[int, str, object], ...] = (
    (2, "cool_off_days", {"shown": 1, "accepted": 30, "rejected": 14}),
    (3, "context", {"page=cart": 1.5, "device=mobile": 1.2}),
    (4, "value_by_tier", {"gold": 90, "silver": 40}),
    (5, "needs", {"orders": [1]}),
    (6, "recency", {"since": "days_since_order", "boost": 1.0, "half_life": 7}),
    (7, "cost_by_tier", {"gold": 0.5}),
    (8, "needs", {"days_since_seen": [0, 60], "orders": [1, 40]}),
    (9, "lifecycles", ["repeat", "regular", "top", "at_risk", "won_back"]),
    (10, "limits", [{"contacts": 2, "days": 14}]),
    (11, "budget", "vouchers"),
    (11, "spend", 2),
    (12, "tiers", ["silver", "gold"]),
    (13, "ramp", {"start": 0.5, "positives": 50}),
    (40, "stock", 100_000),
    (50, "state", "paused"),
    (60, "ends", datetime(2025, 12, 1, tzinfo=UTC)),
)
CLASSES = ("growth", "growth", "growth", "retention", "growth", "thanks", "growth", "retention", "growth", "service")


def conditions() -> list[str]:
    """The conditions, ACTIONS of them."""
    return [sentence.format(figure) for sentence, figures in CONDITIONS for figure in figures]


def catalogue() -> str:
    """The text of actions.toml."""
    asked = conditions()
    told = [_action(number, {STAGES[number % 3]: asked[number]}) for number in range(ACTIONS - 1)]
    told[0] = _action(0, {STAGES[0]: asked[0], STAGES[2]: asked[-1]})  # silence has none
    silence = {"id": "silence", "issue": "rest", "group": "rest", "class": "silence"}
    return HEAD + "".join(told) + _table("actions", silence) + _treatments("silence", 0)


def _action(number: int, asked: Mapping[str, str]) -> str:
    name = f"action{number}"
    said: dict[str, object] = {
        "id": name,
        "issue": f"issue{number % 8}",
        "group": f"group{number % 40}",
        "class": CLASSES[number % len(CLASSES)],
        "value": 5 + number * 37 % 115,
        "cost": number % 3 / 4,
        "propensity": 0.02 + number % 14 / 100,
        "lever": number % 7 * 5 - 10,
        "why": {"en": f"Reason {number}: {{orders}} orders.", "th": f"เหตุผล {number}: {{orders}} ครั้ง"},
        **asked,
    }
    more = {key: value for every, key, value in MORE if number % every == every - 1}
    return _table("actions", said | more) + _treatments(name, number)


def _treatments(name: str, number: int) -> str:
    """One a channel; some stand at one place alone."""
    texts = {"en": f"Title of {name}", "th": f"หัวข้อ {name}"}
    placed = {"placements": ["cart"]} if number % 16 == 15 else {}
    forms: list[dict[str, object]] = [{"channel": "website", "title": texts, "text": texts, **placed}]
    forms += [{"channel": "email", "template": name, "title": texts}] if number % 5 else []
    forms += [{"channel": "agent", "title": texts, "script": texts}] if number % 4 else []
    return "".join(_table("actions.treatments", form) for form in forms)


def _table(name: str, said: Mapping[str, object]) -> str:
    return f"[[{name}]]\n" + "".join(f"{key} = {_toml(value)}\n" for key, value in said.items())


def _toml(value: object) -> str:
    if isinstance(value, list) and value and isinstance(value[0], Mapping):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f'"{key}" = {_toml(part)}' for key, part in value.items()) + " }"
    return value.isoformat() if isinstance(value, datetime) else orjson.dumps(value).decode()
