"""Uplift and the Qini curve, on people whose answer to a treatment is known."""

import numpy as np
import pytest

from models.uplift import by_group, qini, uplift


def people(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(effect, outcome, treated): half of them buy .3 more often when treated, the others no more."""
    rng = np.random.default_rng(seed)
    effect = np.where(rng.random(n) < 0.5, 0.3, 0.0)
    treated = rng.random(n) < 0.5
    return effect, (rng.random(n) < 0.1 + effect * treated).astype(float), treated


def test_the_uplift_is_the_difference_of_the_means_with_both_variances():
    found = uplift("all", np.array([1, 1, 0, 1, 0, 0, 0, 1.0]), np.array([1, 1, 1, 1, 0, 0, 0, 0], bool))
    assert (found.treated.value, found.alone.value, found.difference.value) == (0.75, 0.25, 0.5)
    assert found.difference.variance == pytest.approx(2 * 0.25 / 4)
    assert found.difference.customers == 8


def test_groups_are_told_apart_and_those_without_a_control_left_out():
    found = by_group(
        ["gold"] * 4 + ["new"] * 4 + ["lone"], np.array([1, 1, 0, 0, 1, 1, 1, 1, 1.0]), np.arange(9) % 4 < 2
    )
    assert [(one.group, one.difference.value) for one in found] == [("gold", 1.0), ("new", 0.0)]


def test_the_curve_of_a_few_people_is_as_counted_by_hand():
    found = qini(np.array([3, 3, 2, 2, 1, 1.0]), np.array([1, 0, 1, 1, 0, 0.0]), np.array([1, 0] * 3, bool))
    assert found.share.tolist() == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert found.gained.tolist() == pytest.approx([0, 1 / 3, 1 / 3, 1 / 3])
    assert found.coefficient == pytest.approx((1 / 6 + 1 / 3 + 1 / 3) / 3 - 1 / 6)


def test_a_score_that_knows_beats_one_that_does_not_and_its_reverse_is_below_zero():
    effect, outcome, treated = people(20_000)
    knows = qini(effect, outcome, treated)
    guesses = qini(np.random.default_rng(1).random(20_000), outcome, treated)
    assert knows.interval[0] > 0 > qini(-effect, outcome, treated).interval[1]
    assert guesses.interval[0] < 0 < guesses.interval[1]
    assert knows.coefficient == pytest.approx(0.3 / 8, abs=0.008)  # the triangle (0, 0), (½, .15), (1, .15)


def test_the_order_of_equals_says_nothing():
    effect, outcome, treated = people(500)
    shuffled = np.random.default_rng(2).permutation(500)
    found, again = qini(effect, outcome, treated), qini(effect[shuffled], outcome[shuffled], treated[shuffled])
    assert found.coefficient == pytest.approx(again.coefficient)
    assert len(found.share) == 3


def test_one_score_for_all_finds_nobody():
    _, outcome, treated = people(500)
    assert qini(np.zeros(500), outcome, treated).coefficient == pytest.approx(0, abs=1e-12)


def test_without_a_control_there_is_no_uplift():
    assert qini(np.arange(3.0), np.ones(3), np.ones(3, bool)) is None
    assert uplift("all", np.ones(3), np.ones(3, bool)) is None
