from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from models.profile import Profile
from models.tiers import LIFECYCLES, SEGMENTS, Tiers, segment

TIERS = Tiers(
    names=["bronze", "silver", "gold"],
    entry=np.array([0, 100, 500]),
    maintenance=np.array([0, 80, 400]),
    window_days=365,
    grace_days=30,
    recency_edges=np.array([10.0, 20, 30, 40]),
    frequency_edges=np.array([1.0, 1, 2, 4]),
    monetary_edges=np.array([10.0, 20, 30, 40]),
    interval_days=30.0,
    top_value=1_000,
)


def standing(bought, today, tiers=TIERS):
    return tiers.standing(
        Profile(days=bought, bought_on=tuple(day for day, amount in bought.items() if amount > 0)), today=today
    )


@pytest.mark.parametrize(
    ("bought", "today", "name", "since", "below_since"),
    [
        ({}, 1000, "bronze", None, None),
        ({0: 50}, 0, "bronze", 0, None),
        ({0: 99}, 10, "bronze", 0, None),
        ({0: 100}, 0, "silver", 0, None),  # enters on the day itself
        ({0: 50, 9: 50}, 9, "silver", 9, None),
        ({0: 600}, 0, "gold", 0, None),  # over a tier at once
        ({0: 100}, 364, "silver", 0, None),  # the last day within the window
        ({0: 100}, 365, "silver", 0, 365),  # below, and kept
        ({0: 100}, 394, "silver", 0, 365),  # the last day of grace
        ({0: 100}, 395, "bronze", 395, None),  # fallen
        ({0: 600, 300: 450}, 400, "gold", 0, None),  # 450 keeps gold: maintenance is less than entry
        ({0: 600, 300: 90}, 395, "silver", 395, None),  # falls to the tier that 90 keeps, not enters
        ({0: 600, 380: 400}, 500, "gold", 0, None),  # earned back in grace
        ({0: 600, 395: 400}, 500, "gold", 0, None),  # on the day that grace ends
        ({0: 600, 396: 400}, 396, "silver", 396, None),  # a day too late
        ({0: 600, 10: -600}, 20, "gold", 0, 10),  # sent back: below at once, kept for grace
        ({0: 600, 10: -600}, 40, "bronze", 40, None),
    ],
)
def test_up_at_once_down_after_grace(bought, today, name, since, below_since):
    found = standing(bought, today)
    assert (found.name, found.since, found.below_since) == (name, since, below_since)


def test_says_what_is_missing_to_the_next_tier():
    assert (standing({0: 40}, 5).next, standing({0: 40}, 5).missing) == ("silver", 60)
    assert (standing({0: 500}, 5).next, standing({0: 500}, 5).missing) == (None, None)


@pytest.mark.parametrize(
    ("bought", "today", "needed", "short", "until"),
    [
        ({0: 50}, 5, 0, None, None),  # nothing is below bronze
        ({0: 600}, 5, 400, 400, 365 + 30),  # all of it leaves the window on day 365, then grace
        ({0: 600, 100: 300}, 105, 400, 100, 365 + 30),  # 300 are left then
        ({0: 600, 370: 1}, 380, 400, 399, 365 + 30),  # in grace already
        ({0: 600, 390: 100}, 396, 80, 80, 390 + 365 + 30),  # fallen to silver, which 100 keeps for a year
    ],
)
def test_says_what_keeps_the_tier_and_until_when(bought, today, needed, short, until):
    found = standing(bought, today)
    assert (found.needed, found.short, found.until) == (needed, short, until)
    if until is not None:
        assert standing(bought, until - 1).name == found.name != standing(bought, until).name
        assert standing({**bought, until - 1: short}, until).name == found.name  # earned on the last day


@pytest.mark.parametrize(
    ("changes", "bought", "name"),
    [
        ({"by": "orders", "entry": np.array([0, 200, 300])}, {0: 5, 1: 5}, "silver"),
        ({"by": "orders", "entry": np.array([0, 200, 300])}, {0: 5, 1: -5}, "bronze"),
        ({"by": "points", "points_per_unit": 2.0, "points_per_order": 0.5}, {0: 25}, "silver"),  # 50 + 50 hundredths
        ({"by": "points", "points_per_unit": 2.0, "points_per_order": 0.5}, {0: 24}, "bronze"),
        ({"when": ["", "", "orders >= 2.0"]}, {0: 600}, "silver"),
        ({"when": ["", "", "orders >= 2.0"]}, {0: 300, 1: 300}, "gold"),
        ({"when": ["", "", "orders >= 2.0 || spend > 9.0"]}, {0: 1_000}, "gold"),  # spend is in major units
        (
            {"when": ["", "orders / (orders - 1.0) > 5.0", ""]},
            {0: 100},
            "silver",
        ),  # a float divided by zero is infinite
    ],
)
def test_orders_points_and_conditions_can_make_a_tier(changes, bought, name):
    assert standing(bought, 5, replace(TIERS, **changes)).name == name


def test_a_condition_that_holds_no_more_lets_her_fall_after_grace_unless_another_keeps_her():
    when = ["", "orders >= 2.0", "orders >= 9.0"]
    asked = replace(TIERS, entry=np.zeros(3, int), maintenance=np.zeros(3, int), when=when)
    kept = replace(asked, keep=["", "orders >= 1.0", ""])
    bought = {0: 5, 100: 5}
    assert [standing(bought, day, asked).name for day in (100, 394, 395)] == ["silver", "silver", "bronze"]
    assert [standing(bought, day, kept).name for day in (395, 494, 495)] == ["silver", "silver", "bronze"]


def test_who_fell_comes_back_by_what_she_does_not_by_what_time_does():
    """Three orders let in for a year, but who has been away too long falls, and stays there while they leave the window one by one."""
    terms = {"when": ["", "orders >= 2.0", ""], "keep": ["", "customer.days_since_order < 60.0", ""]}
    tiers = replace(TIERS, entry=np.zeros(2, int), maintenance=np.zeros(2, int), names=["a", "b"], **terms)
    bought = {0: 5, 10: 5, 20: 5}
    assert [standing(bought, day, tiers).name for day in (20, 109, 110, 365, 375)] == ["b", "b", "a", "a", "a"]
    assert standing({**bought, 200: 5}, 200, tiers).name == "b"


def test_who_spends_less_than_the_lowest_tier_asks_has_none():
    exclusive = replace(TIERS, entry=np.array([10, 100, 500]), maintenance=np.array([8, 80, 400]))
    assert standing({0: 9}, 0, exclusive).name is None
    assert standing({0: 10}, 0, exclusive).name == "bronze"
    assert standing({0: 10}, 395, exclusive).name is None


def test_a_refund_that_outlives_its_purchase_leaves_the_lowest_tier():
    assert standing({0: 50, 10: -50}, 370).spend == 0
    assert standing({0: 50, 10: -50}, 470).name == "bronze"


def test_an_order_after_today_is_not_known_yet():
    assert standing({0: 10, 50: 1_000}, 49).name == "bronze"


@pytest.mark.parametrize("seed", range(20))
def test_the_days_between_make_no_difference(seed):
    """The tier on a day is the same whether it is asked for every day or once: by a day-by-day simulation."""
    rng = np.random.default_rng(seed)
    bought = {
        int(day): int(amount)
        for day, amount in zip(np.unique(rng.integers(0, 900, 12)), rng.integers(20, 400, 12), strict=False)
    }
    tier, below = 0, None
    for day in range(1_300):
        spend = sum(amount for bought_on, amount in bought.items() if day - 365 < bought_on <= day)
        entered = max(number for number in range(3) if spend >= TIERS.entry[number])
        if entered > tier:
            tier, below = entered, None
        elif spend >= TIERS.maintenance[tier]:
            below = None
        else:
            below = day if below is None else below
            if day >= below + 30:
                tier, below = max(number for number in range(tier) if spend >= TIERS.maintenance[number]), None
        assert standing(bought, day).name == TIERS.names[tier], f"day {day}"


@pytest.mark.parametrize(
    ("recency", "frequency", "monetary", "fifths"),
    [
        (0, 5, 41, (5, 5, 5)),
        (10, 1, 10, (5, 1, 1)),  # an edge belongs to the lower fifth
        (11, 2, 11, (4, 3, 2)),  # two equal edges are passed at once
        (40, 3, 40, (2, 4, 4)),
        (1e9, 0, -5, (1, 1, 1)),
    ],
)
def test_fifths_are_functions_of_the_value_alone(recency, frequency, monetary, fifths):
    assert TIERS.rfm(recency, frequency, monetary) == fifths


def test_every_cell_of_recency_and_frequency_has_a_name():
    names = {segment(r, f) for r, f in product(range(1, 6), repeat=2)}
    assert names == {name for row in SEGMENTS for name in row}
    assert len(names) == 10
    assert [segment(5, 5), segment(5, 1), segment(4, 1), segment(3, 3), segment(1, 5), segment(1, 1), segment(2, 3)] == [
        "champions", "new", "promising", "need_attention", "cant_lose", "hibernating", "at_risk",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("days", "orders", "value", "today", "stage"),
    [
        ([], 0, 0, 100, "visitor"),
        ([0], 0, 0, 100, "visitor"),  # all of it went back
        ([0], 1, 50, 10, "first_time"),
        ([0, 30], 2, 50, 40, "repeat"),
        ([0, 30, 60, 90], 4, 50, 100, "regular"),
        ([0, 30, 60, 90], 4, 1_000, 100, "top"),
        ([0], 1, 5_000, 10, "first_time"),  # one big order is no habit
        ([0], 1, 50, 61, "at_risk"),
        ([0], 1, 50, 121, "lapsed"),
        ([0], 1, 50, 241, "lost"),
        ([0, 10, 20, 30], 4, 5_000, 130, "lapsed"),  # by her own pace, which is quicker than the shop's
        ([0, 30, 330], 3, 50, 340, "won_back"),
    ],
)
def test_the_life_cycle_goes_by_her_own_pace(days, orders, value, today, stage):
    assert TIERS.lifecycle(days, orders, value, today=today) == stage
    assert stage in LIFECYCLES


def test_the_pace_is_hers_the_more_the_longer_she_is_known():
    assert TIERS.cadence_days([0]) == 30
    assert TIERS.cadence_days([0, 10]) == pytest.approx((10 + 2 * 30) / 3)
    assert TIERS.cadence_days(list(range(0, 1010, 10))) == pytest.approx(10, rel=0.05)
