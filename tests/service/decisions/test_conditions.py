"""Conditions of actions that ask what she did of late: they hold and fail as in lists, and are known or not."""

import pytest

from models.action_catalogue import parse
from models.action_rules import names
from models.errors import InputError
from models.profile import EMPTY, Event, dump, fold
from service.decisions.decide import next_best_action
from service.decisions.situation import Learnt, Request
from service.store import Customer
from tests.fakes import FakeStore
from tests.service.decisions.worlds import DAY, HOUR, NOW, SILENCE, World, action, catalogue, chosen
from tests.worlds import tiny_catalogue, tiny_tiers

BOUGHT_ON = NOW - 3 * DAY


def decided(
    condition: str, *, stage: str = "applicability", items=None, blind: bool = False, facts: bytes | None = None
):
    """What is chosen for who bought for 1,000 three days ago and looked at a pair of shoes twice since."""
    world = World(catalogue(action("it", **{"class": "service", stage: condition})))
    profile = EMPTY
    for name, at in (("purchase", BOUGHT_ON), ("view_item", NOW - DAY), ("view_item", NOW - DAY + 60)):
        profile = fold(profile, Event(name, at, item_id="SH-014", amount=100_000, order_id="o"))
    store = FakeStore()
    store.people["anna"] = Customer("anna", profile=dump(profile), facts=facts)
    return next_best_action(
        Request("anna", "website"),
        store=None if blind else store,
        actions=world.actions,
        learnt=Learnt(attach=lambda *_: [], tiers=tiny_tiers(), catalogue=items),
        now=NOW,
        new_id="d",
    )


@pytest.mark.parametrize("stage", ["eligibility", "applicability", "suitability"])
@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("spent(4) >= 1000", True),
        ("spent(3) > 0", False),
        ('days_since("purchase") == 3', True),
        ('days_since("purchase") > 3 || spent(90) == 1000.0', True),
        ('days_since("complaint") > 1', False),  # nobody knows of one
        ('days_since("complaint") > 1 || customer.orders == 1', True),
        ("spent(90) > spent(3)", True),  # reckoned
        ("spent(90) / 2.0 > 600.0", False),  # CEL
        ('days_since("complaint") + 1.0 > 0.0', False),  # reckoned, unknown
        ('views("shoes", 7) == 2', True),
        ('views("shoes", 1) > 0', False),
        ('views("shoes", 7) + 1.0 > 2.5', True),  # reckoned
        ('views("dresses", 7) > 0', False),
    ],
)
def test_windows_hold_and_fail_in_every_stage(stage, condition, holds):
    answer = decided(condition, stage=stage, items=tiny_catalogue())
    assert (chosen(answer), answer["dropped"].get(stage.upper(), 0)) == ((["it"], 0) if holds else (["silence"], 1))


@pytest.mark.parametrize(
    "condition", ['views("shoes", 7) == 2', 'views("shoes", 7) < 9', 'views("shoes", 7) + 1.0 < 9.0']
)
def test_without_a_catalogue_nobody_knows_what_was_viewed(condition):
    assert decided(condition)["dropped"] == {"APPLICABILITY": 1}


@pytest.mark.parametrize("condition", ["spent(90) < 5000", "spent(90) - 1.0 < 5000.0"])
def test_nothing_is_known_of_her_days_while_the_store_is_away(condition):
    assert chosen(decided(condition)) == ["it"]
    assert decided(condition, blind=True)["dropped"] == {"APPLICABILITY": 1}


def test_who_refused_to_be_profiled_is_not_asked_what_she_did():
    refused = b'{"consents": [{"purpose": "profiling", "channel": "all", "status": "denied", "at": 1}]}'
    assert decided("spent(90) >= 0", facts=refused)["dropped"] == {"PROFILING": 1}


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("spent(0) > 1", "whole days from 1 to 365"),
        ('views("shoes") > 1', 'views("shoes", 7)'),
        ('days_since("birthday") < 3', "known here: purchase"),
        ('spent("90") > 1', "write spent(90)"),
        ('spent(90) == "much"', "never equal"),
        ("spent(90)", "compare it, so that it is true or false"),
        ('spent(90) + "1" > 2', "different kinds"),
        ("bought(90) > 1", "bought() is no function; known here:"),
    ],
)
def test_a_windowed_condition_that_cannot_be_is_found_at_load_with_its_line_and_a_cure(condition, said):
    with pytest.raises(InputError) as caught:
        parse(action("it", suitability=condition), "actions.toml")
    assert "actions.toml, line 8: actions.0.suitability" in str(caught.value)
    assert said in str(caught.value)


KNOWN = names(context={"page": "text", "vip": "flag"}, attributes={"age": "number", "city": "text"})


def world(condition: str, *, stage: str = "applicability") -> World:
    text = '[learning]\nexploration = "none"\n' + action("it", **{stage: condition}) + SILENCE
    return World(parse(text, "actions.toml", known=KNOWN))


def stands(one: World, **asked: object) -> bool:
    return chosen(one.decide(**asked)) == ["it"]


@pytest.mark.parametrize(
    ("condition", "asked", "truth"),
    [
        ('context.page == "cart"', {"context": {"page": "cart"}}, True),
        ('context.page == "cart"', {}, False),
        ("context.vip", {"context": {"vip": True}}, True),
        ("context.vip", {}, False),
        ("customer.orders > 0.0", {}, True),
        ("customer.orders > 1.0 || customer.spent > 900.0", {}, True),
        ("cart.items == 1.0", {}, True),
        ('request.channel == "website"', {}, True),
        ('request.channel == "website"', {"channel": "agent"}, False),
        ("time.hour == 16.0", {}, True),
        ('time.weekday == "monday"', {}, True),
        ('time.date == "2025-11-24"', {}, True),
        ("attributes.age > 10.0", {}, False),
        ("attributes.age < 10.0", {}, False),
        ("!(attributes.age > 10.0)", {}, False),
        ('attributes.city == ""', {}, True),
    ],
)
def test_a_condition_reads_what_is_known_and_an_unknown_number_makes_it_fail(condition, asked, truth):
    one = world(condition)
    one.happened(("purchase", NOW - 3 * DAY), ("add_to_cart", NOW - HOUR))
    assert stands(one, **asked) is truth


@pytest.mark.parametrize("stage", ["eligibility", "applicability", "suitability"])
def test_what_fails_is_dropped_with_the_code_of_its_stage(stage):
    assert world("customer.orders > 5.0", stage=stage).decide()["dropped"] == {stage.upper(): 1}


def test_who_refused_profiling_is_asked_nothing_of_her_profile_and_the_action_is_dropped_before():
    one = world("customer.orders > 0.0")
    one.happened(("purchase", NOW - DAY))
    one.said(("profiling", "all", "denied"))
    assert one.decide()["dropped"] == {"PROFILING": 1}


def test_a_condition_that_cannot_be_decided_drops_its_own_action_alone():
    pattern = 'request.placement.matches("h.*") && "hero".matches(request.placement)'  # the second is no pattern: "["
    world = World(catalogue(action("broken", eligibility=pattern, value=200), action("it", eligibility=pattern[:32])))
    answer = world.decide(placement="h[")
    assert chosen(answer) == ["it"]
    assert answer["dropped"]["RULE_ERROR"] == 1
