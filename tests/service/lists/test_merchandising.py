"""Which rules fire, and what they wish: on the tiny shop, from `valet.toml` to the list."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from models.filters import parse as parse_filter
from models.profile import EMPTY, Event, fold
from models.settings_file import parse
from service.lists.merchandising import FALSE, FIRED, NOT_NOW, RULE_ERROR, Rulebook
from service.lists.recommend import recommend
from service.lists.request import Boost, Promotion, Request
from service.lists.taste import NONE
from service.people.customers import AWAY, NOBODY, Known
from service.people.facts import load, with_attributes, with_consents
from tests.worlds import DAY_S, NOW, STRANGE, tiny_models

MODELS = tiny_models()
SHOP = """
[shop]
time_zone = "Asia/Bangkok"

[context]
device = "text"
visits = "number"

[attributes]
city = "text"

[placements.home]
intent = "popular"
n = 4

[placements.email]
intent = "popular"
n = 3
"""
POPULAR = ["DR-001", "SH-014", "VT-001", "DR-002"]


def bought(item_id: str, *, amount: int = 600_000) -> Known:
    profile = fold(EMPTY, Event("purchase", NOW - DAY_S, item_id=item_id, amount=amount, order_id="1"))
    return Known(profile, load(None))


def listed(rule: str, known: Known = NOBODY, *, now: int = NOW, **asked: Any) -> tuple[list[str], dict[str, str]]:
    """The list, and what became of the rules."""
    settings = parse(f'{SHOP}\n[[merchandising]]\nname = "it"\n{rule}', "valet.toml")
    request = Request(**{"placement": "home", "n": 4, **asked})
    request = request.at(settings.placements.get(request.placement or ""))
    wishes = Rulebook(settings).wishes(request, known=known, models=MODELS, now=now)
    answer = recommend(request, models=MODELS, taste=NONE, now=now, wishes=wishes)
    return [pick.item_id for pick in answer.picks], dict(wishes.rules)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ('items = ["SH-014"]\nhide = true', ["DR-001", "VT-001", "DR-002", "SH-015"]),
        ('filter = { field = "brand", value = "Nara" }\nhide = true', ["SH-014", "VT-001", "SH-015", STRANGE]),
        ('items = ["SH-016", "SH-015"]\npin = 2', ["DR-001", "SH-015", "SH-014", "VT-001"]),
        ('items = ["nothing"]\npin = 2', POPULAR),
        ('filter = { field = "brand", value = "Dee" }\nboost = 10', ["VT-001", "DR-001", "SH-014", "DR-002"]),
        ('filter = { field = "brand", value = "Nara" }\nbury = 100', ["SH-014", "VT-001", "SH-015", STRANGE]),
        (f'items = ["{STRANGE}"]\npromote = 25', ["DR-001", "SH-014", "VT-001", STRANGE]),
        ('at_most = 1\nper = "brand"', ["DR-001", "SH-014", "VT-001", "DR-003"]),
        ('at_most = 1\nfilter = { field = "category", value = "Women" }', ["DR-001", "VT-001"]),
    ],
)
def test_what_a_rule_does_to_the_list(rule: str, expected: list[str]) -> None:
    assert listed(rule) == (expected, {"it": FIRED})


HIDE = 'items = ["DR-001"]\nhide = true\n'


@pytest.mark.parametrize(
    ("limits", "asked", "state"),
    [
        ('placements = ["home"]', {}, FIRED),
        ('placements = ["email"]', {}, None),
        ('placements = ["email"]', {"placement": None, "intent": "popular"}, None),
        ("", {"placement": None, "intent": "popular"}, FIRED),
        ("until = 2026-01-01", {}, FIRED),  # NOW is seven in the morning there
        ("until = 2025-12-31", {}, NOT_NOW),
        ("from = 2026-01-01T07:00:00", {}, FIRED),
        ("from = 2026-01-01T07:00:01", {}, NOT_NOW),
        ("from = 2026-01-01T00:00:00Z", {}, FIRED),
        ("from = 2026-01-01T00:00:01Z", {}, NOT_NOW),
    ],
)
def test_a_rule_fires_in_its_placements_and_within_its_window(
    limits: str, asked: dict[str, Any], state: str | None
) -> None:
    items, states = listed(HIDE + limits, **asked)
    assert states == ({} if state is None else {"it": state})
    assert ("DR-001" in items) is (state != FIRED)


CART = Known(fold(EMPTY, Event("add_to_cart", NOW - 60, item_id="VT-001", amount=45_000)), load(None))
BANGKOKIAN = replace(bought("VT-001"), facts=with_attributes(load(None), {"city": "Bangkok", "age": 30}))
REFUSED = replace(
    BANGKOKIAN,
    facts=with_consents(
        BANGKOKIAN.facts, [{"purpose": "profiling", "channel": "all", "status": "denied", "at": NOW, "source": "web"}]
    ),
)


@pytest.mark.parametrize(
    ("condition", "known", "asked", "state"),
    [
        ("customer.tier == 'gold'", bought("VT-001"), {}, FIRED),
        ("customer.tier == 'gold'", NOBODY, {}, FALSE),
        ("customer.tier == ''", NOBODY, {}, FIRED),
        ("customer.lifecycle == 'first_time'", bought("VT-001"), {}, FIRED),
        ("customer.orders >= 1 && customer.spent > 5999.0", bought("VT-001"), {}, FIRED),
        ("customer.known", bought("VT-001"), {"customer_id": "c"}, FIRED),
        ("customer.known", bought("VT-001"), {"session_id": "s"}, FALSE),
        ("customer.days_since_order > 30", NOBODY, {}, FALSE),
        ("customer.orders == 0 || customer.days_since_order > 30", NOBODY, {}, FIRED),
        ("customer.orders == 0", AWAY, {}, FALSE),
        ("cart.items == 1 && cart.total == 450", CART, {}, FIRED),
        ("cart.items == 0 && cart.total < 1", NOBODY, {}, FIRED),
        ("attributes.city == 'Bangkok'", BANGKOKIAN, {}, FIRED),
        ("attributes.city == 'Bangkok'", REFUSED, {}, FALSE),
        ("customer.tier == ''", REFUSED, {}, FIRED),
        ("context.device == 'mobile'", NOBODY, {"context": (("device", "mobile"),)}, FIRED),
        ("context.visits > 2", NOBODY, {"context": (("visits", 3),)}, FIRED),
        ("context.visits > 2", NOBODY, {"context": (("visits", "many"),)}, FALSE),
        ("context.device == ''", NOBODY, {"context": (("other", "x"),)}, FIRED),
        ("request.placement == 'home' && request.intent == 'popular'", NOBODY, {}, FIRED),
        ("request.items == 2", NOBODY, {"item_ids": ("SH-014", "x")}, FIRED),
        ("time.hour == 7 && time.weekday == 'thursday' && time.date == '2026-01-01'", NOBODY, {}, FIRED),
    ],
)
def test_a_condition_reads_customer_cart_and_request(
    condition: str, known: Known, asked: dict[str, Any], state: str
) -> None:
    assert listed(f'{HIDE}when = "{condition}"', known, **asked)[1] == {"it": state}


def test_a_rule_that_fails_is_told_and_harms_no_other() -> None:
    failing = f"{HIDE}when = 'size(context.device) < 9 || context.device.matches(context.device)'"
    other = '\n[[merchandising]]\nname = "other"\nitems = ["SH-014"]\nhide = true'
    items, states = listed(failing + other, context=(("device", "(((((((((("),))
    assert states == {"it": RULE_ERROR, "other": FIRED}
    assert "SH-014" not in items
    assert "DR-001" in items


def test_the_request_s_own_boosts_and_promotions_come_to_those_of_the_shop() -> None:
    red = parse_filter({"field": "colour", "value": "red"})
    items, _ = listed(
        'filter = { field = "brand", value = "Dee" }\nboost = 10',
        boost=(Boost(red, 20.0),),
        promotions=(Promotion("umbrella", 25, parse_filter({"field": "item_id", "value": STRANGE})),),
    )
    assert set(items) == {"DR-002", "SH-015", "VT-001", STRANGE}


def test_another_catalogue_is_looked_at_anew() -> None:
    cheap = '[[merchandising]]\nname = "it"\nfilter = { field = "price", op = "lt", value = 500 }\nhide = true'
    rulebook = Rulebook(parse(f"{SHOP}\n{cheap}", "valet.toml"))
    dearer = replace(MODELS, catalogue=replace(MODELS.catalogue, price=np.maximum(MODELS.catalogue.price, 90_000)))
    hidden = [
        rulebook.wishes(Request(placement="home"), known=NOBODY, models=models, now=NOW).hidden
        for models in (MODELS, dearer, MODELS)
    ]
    assert [int(mask.sum()) for mask in hidden if mask is not None] == [1, 0, 1]


def test_a_shop_without_rules_wishes_nothing() -> None:
    wishes = Rulebook(parse("", "valet.toml")).wishes(Request(), known=NOBODY, models=MODELS, now=NOW)
    assert wishes.plain
    assert wishes.hidden is wishes.boosts is None
