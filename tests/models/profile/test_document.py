from dataclasses import replace
from functools import reduce

import numpy as np
import pytest

from models.profile import EMPTY, EVENTS, Event, dump, fold, load
from models.profile.document import summary_bytes

LIFE = [
    Event("add_to_wishlist", 50, "x"),
    Event("purchase", 100, "a", 1.5, 1_999, "order 1"),
    Event("purchase", 90_000, "a", 2, 2_000),
    Event("add_to_cart", 100_000, "b", 2, 500),
    Event("rating", 100_001, "a"),
    Event("complaint", 100_002),
    Event("refund", 100_003, "a", 1, 100, "order 1"),
]


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


def a_regular(rng, orders, *, items=40):
    """A life of this many orders of 3 lines, each on a day of its own, with a mailing before and a return after some of them."""
    at = 1_500_000_000
    for _ in range(orders):
        at += int(rng.integers(86_400, 20 * 86_400))
        order_id = f"2026-{rng.integers(10**9)}-{rng.integers(10**9)}"
        for item in rng.integers(items, size=3):
            yield Event(
                "purchase", at, f"SKU-{item:05}", float(rng.integers(1, 9)), int(rng.integers(99_999)), order_id
            )
        yield Event("email_sent", at - 50_000 + int(rng.integers(9_999)))
        yield Event(str(rng.choice(sorted(EVENTS - {"purchase"}))), at + int(rng.integers(80_000)))
        yield Event("refund", at + 70_000, f"SKU-{item:05}", 1, int(rng.integers(999)), order_id)


@pytest.mark.parametrize("orders", [1, 6, 40, 400])
def test_the_summary_of_any_customer_fits_in_800_bytes(orders):
    document = dump(reduce(fold, a_regular(np.random.default_rng(orders), orders), EMPTY))
    assert summary_bytes(document) <= 800


def test_a_customer_of_fifteen_orders_fits_in_a_kilobyte_with_all_her_items():
    assert len(dump(reduce(fold, a_regular(np.random.default_rng(0), 15), EMPTY))) <= 1_024


def test_a_document_of_the_former_format_is_read_as_it_was():
    """Written by the release before format 2."""
    former = (
        b'{"e":0,"v":3899,"f":100,"l":90000,"s":100003,"d":[[0,1999],[1,1900]],"b":[0,1],"o":{"@1":[90000,2000,0,1],'
        b'"order 1":[100003,1999,100,1]},"i":{"x":[0,0,0,0,50,{"add_to_wishlist":1}],"b":[0,0,0,0,100000,{"add_to_cart":1}],'
        b'"a":[2,2500,100,89900,10003,{"rating":1,"refund":1}]},'
        b'"c":{"add_to_cart":1,"complaint":1,"purchase":2,"rating":1,"refund":1,"add_to_wishlist":1},'
        b'"r":[[100002,"complaint"],[100003,"refund"]],"k":{"b":[100000,2000,500]}}'
    )
    assert load(former) == replace(reduce(fold, LIFE, EMPTY), hours={}, wish_words={})  # they were not kept then
    assert load(dump(load(former))) == load(former)
