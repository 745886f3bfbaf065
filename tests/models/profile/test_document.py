from functools import reduce

import orjson

from models.profile import EMPTY, Event, dump, fold, load


def test_nothing_known_is_the_empty_profile():
    assert load(None) is EMPTY
    assert load(dump(EMPTY)) == EMPTY


def test_a_life_comes_back_as_it_was():
    events = [
        Event("view_item", 50, "ก/ x🙂"),
        Event("purchase", 100, "a", 1.5, 1_999, "order 1"),
        Event("purchase", 90_000, "a", 2, 2_000),
        Event("add_to_cart", 100_000, "b", 2, 500),
        Event("rating", 100_001, "a"),
        Event("complaint", 100_002),
        Event("refund", 100_003, "a", 1, 100, "order 1"),
    ]
    profile = reduce(fold, events, EMPTY)
    assert load(dump(profile)) == profile
    assert reduce(fold, events[4:], load(dump(reduce(fold, events[:4], EMPTY)))) == profile


def test_a_customer_of_six_items_fits_in_800_bytes():
    events = [
        Event("purchase", 1_700_000_000 + 86_400 * n, f"SKU-{n:05}", 2, 12_990, f"order-{n // 2}") for n in range(6)
    ]
    assert len(dump(reduce(fold, events, EMPTY))) <= 800


def test_the_document_is_plain_json():
    assert isinstance(orjson.loads(dump(EMPTY)), dict)
