import numpy as np
import pytest

from models.blend import Blend
from tests.training.histories import UNKNOWN, history
from training.queries import completions, looked_alike, next_clicks, next_purchases, unfinished

DAY = 10
WHOLE = history(
    ("ann", "tea", 0, {"order": 0}),
    ("ann", "cup", 0, {"order": 0}),
    ("bob", "tea", 1, {"order": 1}),
    ("dan", "jar", 2, {"order": 2}),
    ("ann", "tea", DAY, {"order": 3}),
    ("ann", "jar", DAY, {"order": 3}),
    ("bob", "tea", DAY, {"order": 4}),
    ("cid", "cup", DAY, {"order": 5}),
    (UNKNOWN, "cup", DAY, {"order": 6}),
    (UNKNOWN, "jar", DAY, {"order": 6}),
    (UNKNOWN, "new", DAY, {"order": 6}),
)
TRAIN, TEST = WHOLE.where(WHOLE.at < DAY * 86_400), WHOLE.where(WHOLE.at >= DAY * 86_400)
CUP, JAR, NEW, TEA = range(4)


def told(queries):
    """What is known -> what should be found, as sets of rows."""
    held = queries.histories
    return {
        frozenset(held.rows[held.indptr[place] : held.indptr[place + 1]].tolist()): set(
            queries.relevant[place].indices.tolist()
        )
        for place in range(len(queries))
    }


def test_with_repeats_all_that_known_customers_buy_is_to_be_found():
    queries = next_purchases(TRAIN, TEST, repeats=True)
    assert told(queries) == {frozenset({CUP, TEA}): {TEA, JAR}, frozenset({TEA}): {TEA}}
    assert not queries.hide


def test_new_items_only_leaves_out_who_bought_nothing_new():
    queries = next_purchases(TRAIN, TEST, repeats=False)
    assert told(queries) == {frozenset({CUP, TEA}): {JAR}}
    assert queries.hide


def test_a_basket_is_asked_for_its_other_items_that_are_known():
    queries = completions(TRAIN, TEST)
    pairs = {(int(row), tuple(queries.relevant[place].indices)) for place, row in enumerate(queries.histories.rows)}
    assert pairs == {(TEA, (JAR,)), (JAR, (TEA,)), (CUP, (JAR,)), (JAR, (CUP,))}


@pytest.mark.parametrize("limit", [1, 3])
def test_a_limit_draws_by_the_seed(limit):
    first, again = (completions(TRAIN, TEST, limit=limit, seed=4) for _ in range(2))
    assert len(first) == limit
    assert first.histories.rows.tolist() == again.histories.rows.tolist()


def test_a_big_basket_does_not_outvote_the_others():
    big = history(*((UNKNOWN, f"item {number}", 0, {"order": 0}) for number in range(30)))
    queries = completions(big, big)
    assert len(queries) == 5
    assert set(
        queries.relevant.sum(axis=1).A1 if hasattr(queries.relevant.sum(axis=1), "A1") else queries.relevant.sum(axis=1)
    ) == {29}


def test_nobody_in_both_parts_asks_nothing():
    assert len(next_purchases(TRAIN, TRAIN.where(TRAIN.item < 0), repeats=True)) == 0
    assert len(completions(TRAIN, TRAIN.where(TRAIN.item < 0))) == 0


CARTS = history(
    *((UNKNOWN, f"item {place}", order, {"order": order}) for order in range(40) for place in range(order % 7))
)


def test_a_cart_holds_two_items_or_more_and_the_rest_of_the_basket_should_be_found():
    queries = unfinished(CARTS, CARTS)
    sizes = np.diff(queries.histories.indptr)
    assert len(queries) == sum(order % 7 > 2 for order in range(40))
    assert set(sizes) == {2, 3, 4, 5}
    both = queries.histories.matrix + queries.relevant
    assert both.max() == 1
    assert sorted(np.diff(both.indptr)) == sorted(order % 7 for order in range(40) if order % 7 > 2)
    assert (np.diff(queries.relevant.indptr) > 0).all()


def test_one_item_can_be_left_out_of_every_cart():
    queries = unfinished(CARTS, CARTS, missing=1)
    assert (np.diff(queries.relevant.indptr) == 1).all()
    assert sorted(np.diff(queries.histories.indptr)) == sorted(order % 7 - 1 for order in range(40) if order % 7 > 2)


def test_carts_and_visits_are_drawn_by_the_seed():
    for ask in (unfinished, next_clicks):
        first, again = (ask(VISITS, VISITS, limit=5, seed=3) for _ in range(2))
        assert len(first) <= 5
        assert first.histories.rows.tolist() == again.histories.rows.tolist()
        assert (first.relevant != again.relevant).nnz == 0


VIEWED = {"event": "view_item"}
VISITS = history(
    *(("ann", f"item {place}", visit + place / 1440, VIEWED) for visit in range(8) for place in range(visit % 5)),
    *(("bob", f"item {place}", 2.5, {"order": 9}) for place in range(6)),
)


def test_of_a_visit_the_items_so_far_are_known_and_the_next_should_be_found():
    queries = next_clicks(VISITS, VISITS)
    assert len(queries) == sum(visit % 5 > 1 for visit in range(8))  # bob's basket has no order inside
    for place in range(len(queries)):
        known = queries.histories.of(place, place + 1)
        assert known.rows.tolist() == list(range(len(known.rows)))
        assert queries.relevant[place].indices.tolist() == [len(known.rows)]


def test_the_newest_item_of_a_visit_weighs_most_however_the_purchases_fade():
    queries = next_clicks(VISITS, VISITS).weighed(Blend({}, half_life_days=1.0, fade=0.5), now=0)
    for place in range(len(queries)):
        weights = queries.histories.of(place, place + 1).weights
        assert weights.tolist() == [0.5 ** (len(weights) - 1 - nth) for nth in range(len(weights))]


def test_what_was_looked_at_side_by_side_in_a_category_should_be_found():
    rows = [
        ("ann", name, place / 1440, VIEWED)
        for place, name in enumerate(["tea 1", "cup 1", "tea 2", "jar", "tea 3", "cup 2"])
    ]
    whole = history(*rows, *(("bob", row[1], 5, {"order": place}) for place, row in enumerate(rows)))
    kind = np.array(["cup", "cup", "jar", "tea", "tea", "tea"])
    category = np.where(kind == "jar", -1, np.where(kind == "tea", 1, 0)).astype(np.int32)
    queries = looked_alike(whole, whole, category)
    assert len(queries) == 2
    for place in range(2):
        (asked,) = queries.histories.of(place, place + 1).rows
        side = set(np.flatnonzero(kind == kind[asked]).tolist())
        assert set(queries.relevant[place].indices.tolist()) == side - {asked}


def test_no_baskets_of_three_and_no_clicks_ask_nothing():
    assert len(unfinished(TRAIN, TRAIN)) == len(next_clicks(TRAIN, TEST)) == 0
