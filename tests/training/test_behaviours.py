"""Training reckons from columns what the service reckons from a profile."""

import numpy as np
import pytest

from models.behaviour import UNKNOWN, behaviour
from models.catalogue import catalogue_of
from models.intent import features
from models.profile import load
from models.settings import DAY_S
from service.people.intent import newest_category
from tests.models.intents import LIFETIME
from tests.training.histories import a_shop, history
from training.behaviours import Past
from training.intents import kinds_of
from training.profile_rows import rows_of
from training.profiles import profiles

CATEGORIES = ("Women > Shoes", "Women > Bags", "Men > Shoes", "Home", None)


def past(*rows):
    return Past(rows_of(history(*rows), now=500 * DAY_S))


def a_catalogue(items):
    fields = [{"item_id": items.text(row), "category": CATEGORIES[row % len(CATEGORIES)]} for row in range(len(items))]
    return catalogue_of(items, fields, [b"{}"] * len(items))


@pytest.mark.parametrize("seed", range(8))
def test_the_features_of_a_history_are_those_of_its_profiles(seed):
    whole = history(*a_shop(seed))
    catalogue, today = a_catalogue(whole.items), 500
    attributes = [{"customer_id": f"c{number:02}", "city": ("Trang", "Nan")[number % 2]} for number in range(0, 12, 3)]
    told_rows = rows_of(whole, now=today * DAY_S)
    kinds = kinds_of(told_rows, catalogue, attributes)
    widths = {"categories": len(kinds.categories), "places": len(kinds.places)}
    rows, everybody = Past(told_rows, category=kinds.category, place=kinds.place).upto(today)
    by_columns = features(everybody, LIFETIME, today=today, **widths)
    told = {row["customer_id"]: row["city"] for row in attributes}
    documents = dict(profiles(whole, now=today * DAY_S))
    assert len(rows) == len(documents) == 12
    for row, expected in zip(rows.tolist(), by_columns, strict=True):
        customer_id = whole.customers.text(row)
        profile = load(documents[customer_id])
        after = newest_category(profile, catalogue, kinds.categories, today=today)
        category = kinds.categories.index(after) if after else UNKNOWN
        place = kinds.places.index(told[customer_id]) if customer_id in told else UNKNOWN
        one = behaviour(profile, today=today, category=category, place=place)
        np.testing.assert_allclose(features(one, LIFETIME, today=today, **widths)[0], expected, rtol=1e-12)


def test_nothing_that_came_later_is_known():
    rows = list(a_shop(3))
    early = [row for row in rows if row[2] < 251]
    seen = [past(*some).upto(250) for some in (rows, early)]
    found = [features(known, LIFETIME, today=250) for _, known in seen]
    np.testing.assert_array_equal(*found)


def test_who_only_looked_is_known_and_has_bought_nothing():
    rows, known = past(("ann", "a", 1), ("eve", "a", 2, {"event": "view_item"})).upto(5)
    assert rows.tolist() == [0, 1]
    assert known.bought.count.tolist() == [1, 0]
    assert known.viewed.between(0, 5).tolist() == [0, 1]


def test_who_buys_within_some_days():
    known = past(("ann", "a", 1), ("ann", "a", 9), ("eve", "a", 2))
    assert known.buys(np.array([0, 1]), 2, 8).tolist() == [False, True]
    assert known.first_day == 1


def test_who_only_sent_something_back_is_nobody_yet():
    told = rows_of(
        history(("ann", "tea", 1), ("bob", "tea", 2, {"event": "refund"}), ("zoe", "tea", 3, {"event": "refund"})),
        now=500 * DAY_S,
    )
    customers, known = Past(told, category=np.zeros(1, dtype=np.int32)).upto(400)
    assert customers.tolist() == [0]
    assert known.category.tolist() == [0]
