from dataclasses import replace
from functools import reduce

import pytest

from models.profile import EMPTY, Event, fold
from service.people.intent import intent
from tests.models.intents import LIFETIME, a_model
from tests.worlds import DAY_S, NOW, tiny_models

MODELS = replace(tiny_models(), intent=a_model(), lifetime=LIFETIME)


def picture(*events, models=MODELS, now=NOW, attributes=None):
    """Events are (name, item, days ago)."""
    told = (Event(name, NOW - days * DAY_S, item, 1, 500) for name, item, days in events)
    return intent(reduce(fold, told, EMPTY), attributes or {}, models, now=now)


def test_what_she_is_after_is_what_she_looked_at_last():
    found = picture(
        ("view_item", "VT-001", 40),
        ("view_item", "DR-001", 2),
        ("view_item", "SH-014", 1),
        ("add_to_cart", "SH-014", 1),
    )
    assert (found["category"], found["colour"]) == ("Women > Shoes", "black")
    assert found["price_band"] == {
        "band": 3,
        "from": pytest.approx(1_290, abs=500),
        "to": pytest.approx(1_290, abs=500),
    }


def test_of_what_happened_long_ago_nothing_is_said():
    found = picture(("view_item", "DR-001", 40))
    assert [found[name] for name in ("category", "colour", "price_band")] == [None] * 3


def test_the_probabilities_come_with_what_speaks_for_them():
    found = picture(("purchase", "DR-001", 10), ("view_item", "DR-001", 2))
    assert 0 < found["score_7d"] < 1
    assert 0 < found["score_30d"] < 1
    assert {"recency", "frequency", "views_by_window", "season", "level"} <= set(found["contributions"]["30d"])


def test_where_she_lives_counts_where_it_is_known():
    here, elsewhere = (picture(("purchase", "DR-001", 1), attributes={"city": city}) for city in ("Trang", "Nan"))
    assert here["contributions"]["7d"]["place"] != elsewhere["contributions"]["7d"]["place"]


def test_without_a_model_or_anything_known_there_is_no_score():
    nothing = {"score_7d": None, "score_30d": None, "contributions": None}
    assert picture(("purchase", "DR-001", 1), models=tiny_models()).items() >= nothing.items()
    assert picture().items() >= nothing.items()
