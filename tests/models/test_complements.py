"""What goes with what, in a shop that can be seen by eye."""

from dataclasses import replace

import numpy as np
import pytest

from models.vocabulary import MISSING
from tests.wardrobe import EACH, ITEMS, ROWS, baskets, learnt, matrix_of
from training.fit.affinities import Goods
from training.fit.complements import Parameters, fit

SHOP = learnt()
ONE = np.ones(1, dtype=np.float32)


def rows(*item_ids: str) -> np.ndarray:
    return np.array([ROWS[item_id] for item_id in item_ids], dtype=np.int32)


def best(item_id: str, n: int) -> list[str]:
    scores = SHOP.score(rows(item_id), ONE)
    return [str(ITEMS[row]["item_id"]) for row in np.argsort(-scores, kind="stable")[:n]]


def test_one_probability_over_all_items() -> None:
    for item_id in ("dress-black-0", "dress-black-5", "cup-red-1"):
        for level in (SHOP.of, SHOP.by_attributes):
            likely = level(ROWS[item_id])
            assert likely.min() >= 0
            assert float(likely.sum()) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("dress", ["dress-black-0", "dress-black-5"])
def test_a_black_dress_calls_for_black_shoes_even_one_that_never_sold(dress: str) -> None:
    assert all(item_id.startswith("shoe-black") for item_id in best(dress, EACH))


def test_shoes_that_never_sold_are_called_for_too() -> None:
    assert "shoe-black-5" in best("dress-black-0", EACH)


def test_a_type_completes_itself_only_where_baskets_say_so() -> None:
    scores = SHOP.score(rows("dress-black-0"), ONE)
    assert not scores[[row for item_id, row in ROWS.items() if item_id.startswith("dress")]].any()
    assert all(item_id.startswith("cup") for item_id in best("cup-red-0", 5))


def test_a_pair_seen_once_does_not_outrank_a_pattern_seen_often() -> None:
    once = [ROWS["dress-black-0"], ROWS["shoe-red-0"]]
    shop = fit(matrix_of([*baskets(), once]), Goods.of(ITEMS), Parameters(mass=30))
    likely = shop.of(ROWS["dress-black-0"])
    assert likely[ROWS["shoe-red-0"]] < likely[ROWS["shoe-black-5"]]  # of which nobody has bought any
    assert likely[ROWS["shoe-red-0"]] > shop.by_attributes(ROWS["dress-black-0"])[ROWS["shoe-red-0"]]


def test_a_pair_seen_often_outranks_what_the_items_are() -> None:
    often = [[ROWS["dress-black-0"], ROWS["shoe-red-0"]]] * 200
    shop = fit(matrix_of([*baskets(), *often]), Goods.of(ITEMS))
    assert int(np.argmax(shop.of(ROWS["dress-black-0"]))) == ROWS["shoe-red-0"]


def test_a_cart_wants_what_goes_with_all_of_it_and_with_none_of_their_substitutes() -> None:
    cart = rows("dress-black-0", "cup-red-0")
    scores = SHOP.score(cart, np.ones(2, dtype=np.float32))
    shown = {str(ITEMS[row]["product_type"]) for row in np.flatnonzero(scores)}
    assert shown == {"shoe", "cup"}


def test_what_each_item_of_a_cart_gave_adds_up_to_the_score() -> None:
    cart, targets = rows("dress-black-0", "dress-red-1"), rows("shoe-black-5", "shoe-red-2", "cup-blue-0")
    weights = np.array([1, 0.5], dtype=np.float32)
    carried = SHOP.carried(cart, weights, targets)
    np.testing.assert_allclose(carried.sum(axis=1), SHOP.score(cart, weights)[targets], rtol=1e-6)
    assert carried[0].argmax() == 0
    assert carried[1].argmax() == 1


def test_newcomers_are_scored_by_what_they_are_both_ways() -> None:
    items = len(SHOP)
    longer = SHOP.longer([{"title": "Red dress zzyzx"}, {"title": "Red shoes zzyzx"}, {"title": "Blue shoes"}, {}])
    assert len(longer) == items + 4
    from_known = longer.score(rows("dress-red-0"), ONE)[items:]
    assert from_known[1] > 0
    assert from_known[[0, 2, 3]].tolist() == [0, 0, 0]
    from_newcomer = longer.score(np.array([items], dtype=np.int32), ONE)
    of_one_make, unsold = items + 1, ROWS["shoe-red-5"]  # a word that training never saw, and both have
    assert from_newcomer[of_one_make] > from_newcomer[unsold] > 0
    np.testing.assert_allclose(longer.of(0)[:items] / SHOP.of(0), (longer.of(0)[:items] / SHOP.of(0))[0], rtol=0.05)


def test_an_item_of_which_nothing_is_known_calls_for_what_is_popular() -> None:
    longer = SHOP.longer([{}])
    np.testing.assert_allclose(longer.by_attributes(len(SHOP)), longer.share / longer.share.sum(), rtol=1e-5)


def test_the_attributes_that_speak_for_a_pair_are_named_the_strongest_first() -> None:
    alike = SHOP.alike(ROWS["dress-black-0"], ROWS["shoe-black-5"])
    assert alike["colour"] == ("black", "black")
    assert alike["type"] == ("dress", "shoe")
    assert "colour" not in SHOP.alike(ROWS["dress-black-0"], ROWS["shoe-red-0"])


def test_an_attribute_that_says_next_to_nothing_is_named_as_no_reason() -> None:
    faint = replace(SHOP.colour, pairs=SHOP.colour.pairs / 100, same=SHOP.colour.same / 100)
    assert "colour" not in replace(SHOP, colour=faint).alike(ROWS["dress-black-0"], ROWS["shoe-black-5"])


def test_a_reason_knows_whether_baskets_or_attributes_carried_it() -> None:
    often = [[ROWS["dress-black-0"], ROWS["shoe-red-0"]]] * 50
    shop = fit(matrix_of([*baskets(), *often]), Goods.of(ITEMS))
    pair, stranger = ROWS["shoe-red-0"], ROWS["shoe-black-5"]
    assert shop.bought(ROWS["dress-black-0"], np.array([pair, stranger])) == {pair}


def test_no_value_says_nothing() -> None:
    assert not SHOP.colour.beside(MISSING).any()
    assert SHOP.colour.between(0, MISSING) == 0
    assert SHOP.colour.between(0, 0) > 0 > SHOP.colour.between(0, 1)
