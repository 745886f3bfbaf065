"""Conditions of actions that ask what she did of late: they hold and fail as in lists, and are known or not."""

import pytest

from models.action_catalogue import parse
from models.errors import InputError
from models.profile import EMPTY, Event, dump, fold
from service.decide import next_best_action
from service.situation import Learnt, Request
from service.store import Customer
from tests.fakes import FakeStore
from tests.service.test_decide import DAY, NOW, World, action, catalogue, chosen
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
        ("spent(90) > spent(3)", True),  # CEL
        ("spent(90) / 2.0 > 600.0", False),  # CEL
        ('days_since("complaint") + 1.0 > 0.0', False),  # CEL, unknown
        ('views("shoes", 7) == 2', True),
        ('views("shoes", 1) > 0', False),
        ('views("shoes", 7) + 1.0 > 2.5', True),  # CEL
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
