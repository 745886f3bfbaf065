"""Counting by attribute: hand-made baskets whose figures can be counted by eye."""

import numpy as np
import pytest

from models.attributes import CODED
from tests.wardrobe import ITEMS, ROWS, baskets, matrix_of
from training.fit.affinities import SMOOTHING, Counts, Goods, WordLifts, bag, coded, completes, one_hot

GOODS = Goods.of(ITEMS)
PAIRS = [
    [ROWS["dress-black-0"], ROWS["shoe-black-0"]],
    [ROWS["dress-black-0"], ROWS["shoe-black-0"], ROWS["cup-red-0"], ROWS["cup-red-0"] + 1],
    [ROWS["cup-blue-0"]],
]


def counts(found: list[list[int]], half_life_days: float | None = None) -> Counts:
    return Counts.of(matrix_of(found), GOODS, half_life_days)


def test_each_pair_of_a_basket_counts_one_over_its_size_and_a_basket_of_one_not_at_all() -> None:
    of_types = counts(PAIRS).pairs(one_hot(GOODS, "type"), one_hot(GOODS, "type"))
    dress, shoe, cup = (GOODS.lexicon.types.row(name) for name in ("dress", "shoe", "cup"))
    assert of_types[dress, shoe] == pytest.approx(1 / 2 + 1 / 4)
    assert of_types[dress, cup] == pytest.approx(2 / 4)
    assert of_types[cup, cup] == pytest.approx(2 / 4)
    assert of_types[dress, dress] == 0
    assert of_types.sum() == pytest.approx(counts(PAIRS).begun.sum()) == pytest.approx(1 + 3)


def test_no_matrix_of_items_is_needed_for_the_counts_of_one() -> None:
    found = counts(baskets())
    by_items = (found.held.T.multiply(found.weight[None, :]) @ found.held).toarray()
    np.fill_diagonal(by_items, 0)
    hot = one_hot(GOODS, "colour").toarray()
    np.testing.assert_allclose(found.pairs(one_hot(GOODS, "colour"), one_hot(GOODS, "colour")), hot.T @ by_items @ hot)
    np.testing.assert_allclose(found.begun, by_items.sum(axis=1))


@pytest.mark.parametrize("name", CODED)
def test_what_is_expected_of_an_attribute_adds_up_to_what_was_seen(name: str) -> None:
    found = counts(baskets())
    hot = one_hot(GOODS, name)
    np.testing.assert_allclose(found.expected(hot, hot).sum(axis=1), found.pairs(hot, hot).sum(axis=1))


def test_a_colour_is_measured_against_the_colours_of_the_type() -> None:
    colour = coded(counts(baskets()), "colour")
    black, red = (GOODS.lexicon.colours.row(name) for name in ("black", "red"))
    assert colour.between(black, black) > 1
    assert colour.between(black, red) < 0


def test_a_value_that_was_never_in_a_basket_is_as_like_itself_as_any() -> None:
    sold = [basket for basket in baskets() if not any("green" in str(ITEMS[row]["item_id"]) for row in basket)]
    colour = coded(counts(sold), "colour")
    green, black = (GOODS.lexicon.colours.row(name) for name in ("green", "black"))
    assert green not in colour.listed
    assert colour.between(green, green) > 0.5
    assert colour.between(green, black) < 0


def test_a_pair_seen_twice_says_less_than_one_seen_twenty_times() -> None:
    few, many = (coded(counts(PAIRS[:1] * times), "type") for times in (2, 20))
    dress, shoe = (GOODS.lexicon.types.row(name) for name in ("dress", "shoe"))
    assert 0 < few.between(dress, shoe) < many.between(dress, shoe)


def test_old_baskets_count_less() -> None:
    matrix = matrix_of(PAIRS[:2])
    matrix.age_days[:] = [0, 10]
    found = Counts.of(matrix, GOODS, 10.0)
    assert found.weight.tolist() == pytest.approx([1 / 2, 1 / 4 / 2])


def test_types_complete_themselves_where_baskets_hold_two() -> None:
    may = completes(counts(baskets()))
    dress, shoe, cup = (GOODS.lexicon.types.row(name) for name in ("dress", "shoe", "cup"))
    assert may[cup, cup]
    assert not may[dress, dress]
    assert not may[shoe, shoe]
    assert may[dress, shoe]
    assert may[-1].all()


def test_words_speak_by_pair_and_a_shared_one_by_how_rare_it_is() -> None:
    lifts = WordLifts.of(counts(baskets()))
    words = GOODS.lexicon.words
    assert np.diag(lifts.pairs).tolist() == [0] * len(lifts.listed)
    titles = np.asarray(bag(GOODS).sum(axis=0)).ravel()
    for word in ("aaa", "dress"):
        assert lifts.rarity[words.row(word)] == pytest.approx(np.log((len(ITEMS) + 1) / (titles[words.row(word)] + 1)))
    theta = {"words": 1.0, "shared": 0.0, "rare": 1.0, "rarer": 0.0}
    affinity, stranger = lifts.weighed(theta)
    assert affinity.between(words.row("aaa"), words.row("aaa")) == pytest.approx(
        lifts.rarity[words.row("aaa")], rel=1e-5
    )
    assert stranger > lifts.rarity.max()


def test_no_baskets_at_all_say_nothing() -> None:
    found = counts([[0], [1]])
    for name in CODED:
        assert not coded(found, name).pairs.any()
    assert SMOOTHING > 0
