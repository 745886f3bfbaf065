import numpy as np
import pytest

from models.behaviour import UNKNOWN, Behaviour, Days, behaviour
from models.intent import FEATURES, HORIZONS, features, waves
from models.profile import DAY_S, EMPTY, Event, fold
from tests.models.intents import LIFETIME, NAMES, a_model

TODAY = 400


def one(*events, **codes):
    profile = EMPTY
    for name, day in events:
        profile = fold(profile, Event(name, day * DAY_S, "a", 1, 500, f"o{day}"))
    return behaviour(profile, today=TODAY, **codes)


def value(found, name):
    return float(features(found, LIFETIME, today=TODAY, categories=1, places=1)[0, NAMES.index(name)])


def test_contributions_add_up_to_the_log_odds_of_the_probability():
    found = features(one(("purchase", 10), ("purchase", 390)), LIFETIME, today=TODAY, categories=1, places=1)
    model = a_model()
    chances = model.chances(found, today=TODAY)
    assert chances.shape == (1, len(HORIZONS))
    for chance, parts in zip(chances[0], model.contributions(found, today=TODAY), strict=True):
        assert sum(parts.values()) == pytest.approx(np.log(chance / (1 - chance)), abs=1e-9)
        assert set(parts) == {"level", "season", "category", "place", *FEATURES.values()}


def test_windows_count_their_days_and_no_other():
    found = one(("purchase", 400), ("purchase", 394), ("purchase", 393), ("purchase", 371), ("purchase", 370))
    assert [value(found, f"bought_{days}d") for days in (7, 30)] == pytest.approx([np.log1p(2), np.log1p(4)])
    looked = one(("view_item", 400), ("view_item", 400), ("view_item", 394), ("view_item", 393))
    assert [value(looked, f"viewed_{days}d") for days in (1, 7)] == pytest.approx([np.log1p(2), np.log1p(3)])


def test_who_never_ordered_has_no_recency():
    found = one(("view_item", 399))
    assert [value(found, name) for name in ("no_order_yet", "away", "expected_orders")] == [1.0, 0.0, 0.0]


def test_a_cart_counts_while_it_is_open_and_fresh():
    assert value(one(("add_to_cart", 399)), "cart_7d") == 1.0
    assert value(one(("add_to_cart", 399), ("purchase", 400)), "cart_7d") == 0.0
    assert value(one(("add_to_cart", 390)), "cart_7d") == 0.0


def test_the_year_before_is_remembered_by_its_weeks():
    assert value(one(("purchase", TODAY - 365 + 15)), "bought_a_year_ago") == 1.0
    assert value(one(("purchase", TODAY - 365 + 60)), "bought_a_year_ago") == 0.0


def test_categories_and_places_have_columns_of_their_own():
    assert value(one(("purchase", 1), category=0), "category: Shoes") == 1.0
    assert value(one(("purchase", 1), category=UNKNOWN, place=0), "category: Shoes") == 0.0


def test_waves_come_back_after_a_year():
    np.testing.assert_allclose(waves(100), waves(100 + 4 * 365.25), atol=1e-9)
    assert np.abs(waves(100) - waves(280)).max() > 0.5


def test_days_of_several_customers_are_kept_apart():
    days = Days(np.array([1, 5, 9, 5]), np.array([1, 2, 3, 4]), np.array([0, 3, 3, 4]))
    assert days.count.tolist() == [3, 0, 1]
    assert days.first.tolist() == [1, 0, 5]
    assert days.last.tolist() == [9, 0, 5]
    assert days.between(5, 9).tolist() == [5, 0, 4]
    assert len(Behaviour(days, days, days, *(np.zeros(3, np.int64),) * 3, *(np.zeros(3, np.int32),) * 2)) == 3
