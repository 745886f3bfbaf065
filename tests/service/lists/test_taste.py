from dataclasses import replace
from functools import reduce

import numpy as np
import pytest

from models.blend import Blend
from models.profile import EMPTY, Event, fold
from models.settings import Interest
from service.lists.taste import NONE, Taste, taste, tastes
from tests.worlds import DAY_S, NOW, tiny_models

MODELS = tiny_models()


def taste_of(*events: Event, blend: Blend | None = None) -> Taste:
    profile = EMPTY
    for event in events:
        profile = fold(profile, event)
    return taste(profile, replace(MODELS, blend=blend) if blend else MODELS, now=NOW)


@pytest.mark.parametrize(
    ("name", "days_ago", "weight"),
    [
        ("purchase", 0, 1.0),
        ("purchase", 900, 1.0),
        ("view_item", 0, 0.2),
        ("view_item", 14, 0.1),
        ("add_to_cart", 0, 0.5),
        ("dislike", 0, -1.0),
    ],
)
def test_an_event_weighs_what_it_says_of_interest_and_fades(name: str, days_ago: int, weight: float) -> None:
    own = taste_of(Event(name, NOW - days_ago * DAY_S, item_id="DR-001"))
    assert own.weights.tolist() == pytest.approx([weight])


def test_a_purchase_fades_as_the_blend_learnt() -> None:
    own = taste_of(Event("purchase", NOW - 90 * DAY_S, item_id="DR-001"), blend=Blend({}, half_life_days=30))
    assert own.weights.tolist() == pytest.approx([0.125])


def test_weights_and_half_lives_are_the_shop_s_by_the_name_of_the_event() -> None:
    profile = EMPTY
    for name, item_id in (
        ("view_item", "DR-001"),
        ("add_to_wishlist", "DR-002"),
        ("purchase", "VT-001"),
        ("refund", "NE-001"),
    ):
        profile = fold(profile, Event(name, NOW - 10 * DAY_S, item_id=item_id))
    shop = Interest(
        {"view_item": 1.0, "add_to_wishlist": 1.0, "purchase": 2.0, "refund": -1.0},
        {"view_item": 5.0, "add_to_wishlist": 10.0, "purchase": 10.0},
    )
    own = taste(profile, MODELS, now=NOW, interest=shop)
    weights = dict(zip(MODELS.catalogue.items.texts(own.rows), own.weights.tolist(), strict=True))
    assert weights == pytest.approx({"DR-001": 0.25, "DR-002": 0.5, "VT-001": 1.0, "NE-001": -1.0})


def test_the_taste_of_who_was_away_for_decades_is_not_forgotten() -> None:
    long_ago = [
        Event("purchase", NOW - years * 365 * DAY_S, item_id=item_id)
        for years, item_id in ((30, "DR-001"), (31, "DR-002"))
    ]
    second, first = taste_of(*long_ago, blend=Blend({}, half_life_days=10)).weights.tolist()  # oldest first
    assert 0 < second < first


def test_events_of_one_item_add_up_and_it_is_owned_once() -> None:
    own = taste_of(*[Event(name, NOW, item_id="DR-001") for name in ("view_item", "view_item", "purchase", "purchase")])
    assert own.weights.tolist() == pytest.approx([1.4])
    assert own.purchases.tolist() == [2]
    assert MODELS.catalogue.items.texts(own.owned) == ["DR-001"]


def test_items_that_the_bundle_does_not_know_are_left_out() -> None:
    own = taste_of(Event("purchase", NOW, item_id="new"), Event("purchase", NOW, item_id="DR-002"))
    assert MODELS.catalogue.items.texts(own.rows) == ["DR-002"]


def test_nothing_known_is_nothing_liked() -> None:
    assert taste_of() is NONE
    assert np.concatenate([NONE.owned, NONE.disliked]).size == 0


def test_tastes_read_side_by_side_are_those_read_alone():
    lives = [
        [Event("purchase", NOW - 9 * DAY_S, item_id="DR-001"), Event("view_item", NOW - 5, item_id="nobody knows it")],
        [],
        [Event("view_item", NOW - DAY_S, item_id="nobody knows it")],
        [Event("dislike", NOW - DAY_S, item_id="DR-001"), Event("add_to_cart", NOW - 3, item_id="DR-001")],
    ]
    asked = [(reduce(fold, life, EMPTY), NOW - nth * DAY_S // 4) for nth, life in enumerate(lives)]
    for found, (profile, now) in zip(tastes(asked, MODELS), asked, strict=True):
        alone = taste(profile, MODELS, now=now)
        assert {name: part.tolist() for name, part in vars(found).items()} == {
            name: part.tolist() for name, part in vars(alone).items()
        }
    assert [len(found.rows) for found in tastes(asked, MODELS)] == [1, 0, 0, 1]
