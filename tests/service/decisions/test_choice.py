"""The choice: drawn with the chances that are logged, in the arm that a customer stands in."""

from collections import Counter

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.arms import ARMS
from service.decisions.record import load
from tests.service.decisions.worlds import (
    FIELDS,
    MODES,
    NOW,
    SILENCE,
    World,
    action,
    armed,
    catalogue,
    chosen,
    exploring,
)

DAY = 86_400


def logged(world: World, decision_id: str) -> dict:
    return load(world.store.kept["decision", decision_id])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(FIELDS, max_size=20),
    st.sampled_from(MODES),
    st.sampled_from(ARMS),
    st.sampled_from(["website", "agent"]),
    st.integers(1, 4),
    st.integers(0, 2**63),
)
def test_the_logged_chances_sum_to_1_and_the_same_input_version_and_seed_give_the_same_bytes(
    fields, mode, arm, channel, n, seed
):
    actions = [action(f"a{number}", **one) for number, one in enumerate(fields)]
    worlds = [armed(arm, *actions, mode=mode) for _ in range(2)]
    first, second = (world.decide(channel, n=n, seed=seed) for world in worlds)
    assert orjson.dumps(first) == orjson.dumps(second)
    kept = logged(worlds[0], "d1")
    assert sum(kept["chances"].values()) == pytest.approx(1.0, abs=1e-9)
    assert kept["chances"][chosen(first)[0]] == first["actions"][0]["probability"]
    assert all(0 < one["probability"] <= 1 + 1e-12 for one in first["actions"])
    assert len(first["actions"]) + sum(first["dropped"].values()) == len(fields) + 1


@pytest.mark.parametrize("mode", ["thompson", "closed_form"])
def test_each_action_is_drawn_as_often_as_its_logged_chance_says(mode):
    world = exploring(action("a", propensity=0.2), action("b", propensity=0.18), action("c", propensity=0.1), mode=mode)
    found, expected = Counter(), Counter()
    for seed in range(500):
        (best,) = chosen(world.decide(seed=seed))
        found[best] += 1
        expected.update(logged(world, f"d{seed + 1}")["chances"])
    for name, chance in expected.items():
        assert found[name] == pytest.approx(chance, abs=4 * (chance + 25) ** 0.5)


def test_a_page_that_is_loaded_again_says_the_same_today_and_may_say_something_else_tomorrow():
    world = exploring(*(action(f"a{number}") for number in range(8)))
    today = {chosen(world.decide(now=NOW + second))[0] for second in range(0, 600, 60)}
    days = {chosen(world.decide(now=NOW + day * DAY))[0] for day in range(30)}
    assert len(today) == 1
    assert len(days) > 3


def test_customers_places_and_channels_are_drawn_for_themselves():
    world = exploring(*(action(f"a{number}") for number in range(8)))
    assert len({chosen(world.decide(customer_id=f"c{number}"))[0] for number in range(40)}) > 3
    assert len({chosen(world.decide(placement=f"p{number}"))[0] for number in range(40)}) > 3


def test_without_exploration_the_best_stands_first_for_sure():
    world = exploring(action("a", propensity=0.2), action("b", propensity=0.19), mode="none")
    answers = [world.decide(n=2, seed=seed) for seed in range(20)]
    assert {tuple(chosen(one)) for one in answers} == {("a", "b")}
    assert {one["probability"] for answer in answers for one in answer["actions"]} == {1.0}


def test_what_is_not_worth_saying_is_never_drawn():
    world = exploring(action("a"), action("dear", cost=11))
    assert {chosen(world.decide(seed=seed))[0] for seed in range(50)} == {"a"}


def test_the_holdout_hears_of_service_only():
    world = armed("holdout", action("offer"), action("help", value=1, **{"class": "service"}))
    answer = world.decide()
    assert (answer["arm"], chosen(answer)) == ("holdout", ["help"])
    assert answer["dropped"] == {"HOLDOUT": 1, "ARBITRATION": 1}
    silent = armed("holdout", action("offer")).decide()
    assert (chosen(silent), silent["no_action_reason"]) == (["silence"], "HOLDOUT")


def test_at_random_everything_that_may_be_chosen_has_one_chance():
    world = armed("random", action("a", value=100), action("b", value=1), action("off", state="paused"))
    answers = [world.decide(seed=seed) for seed in range(200)]
    assert {answer["actions"][0]["probability"] for answer in answers} == {0.5}
    counts = Counter(chosen(answer)[0] for answer in answers)
    assert counts["a"] == pytest.approx(100, abs=40)


def test_by_propensity_the_likeliest_wins_whatever_it_is_worth():
    actions = action("likely", value=1, propensity=0.5), action("worth", value=100, propensity=0.1)
    assert chosen(armed("full", *actions).decide()) == ["worth"]
    assert chosen(armed("propensity", *actions).decide()) == ["likely"]


def test_without_levers_what_the_business_adds_is_left_out():
    actions = action("pushed", value=10, lever=200), action("plain", value=20)
    assert chosen(armed("full", *actions).decide()) == ["pushed"]
    answer = armed("no_levers", *actions).decide()
    assert (chosen(answer), answer["actions"][0]["factors"]["lever"]) == (["plain"], 1.0)


def test_silence_stands_alone_in_every_arm():
    for arm in ARMS:
        world = World(catalogue(more=f"[arms]\n{arm} = 1.0\n" if arm != "full" else ""))
        assert chosen(world.decide()) == ["silence"]
    assert "silence" in SILENCE
