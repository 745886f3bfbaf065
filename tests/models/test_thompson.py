"""Exploration: what may be the best is tried as often as it may be, and the chances are those of what is done."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.propensity import Belief
from models.thompson import CONTENDERS, SHARPER, closed_form, contenders, drawn, seed, shares, worths


def belief(means, evidence) -> Belief:
    return Belief(np.array(means, dtype=float), np.full(len(means), float(evidence)))


def first(means, evidence, slope=None, cost=None, *, of=1) -> np.ndarray:
    """The chance to stand first."""
    worth = np.ones(len(means)) if slope is None else np.array(slope, dtype=float)
    rows, drawn_ = worths(belief(means, evidence), worth, np.zeros(len(means)) if cost is None else np.array(cost), of)
    found = np.zeros(len(means))
    found[rows] = shares(drawn_, np.ones(len(rows), dtype=bool))
    return found


def _rng(of: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(of))


@pytest.mark.parametrize(("alpha", "beta"), [(1, 19), (2.5, 47.5), (30, 20), (0.5, 50), (200, 5)])
def test_the_draws_are_those_of_a_beta(alpha, beta):
    whole = alpha + beta
    one = belief([alpha / whole], whole)
    drawn_ = np.concatenate([worths(one, np.ones(1), np.zeros(1), seed(of))[1][:, 0] for of in range(2_000)])
    exact = _rng(1).beta(SHARPER * alpha, SHARPER * beta, 100_000)
    levels = [0.05, 0.25, 0.5, 0.75, 0.95]
    assert drawn_.mean() == pytest.approx(exact.mean(), rel=0.02)
    assert np.quantile(drawn_, levels) == pytest.approx(np.quantile(exact, levels), rel=0.05, abs=6e-4)


def test_the_same_are_tried_alike_and_what_is_surely_better_always():
    assert first([0.1] * 4, 50) == pytest.approx([0.25] * 4, abs=0.1)
    assert first([0.5, 0.1], 1e6).tolist() == [1.0, 0.0]


def test_what_little_is_known_of_is_tried_more():
    sure = Belief(np.array([0.1, 0.08]), np.array([1e4, 1e4]))
    unsure = Belief(np.array([0.1, 0.08]), np.array([1e4, 20.0]))
    chances = [shares(worths(one, np.ones(2), np.zeros(2), 7)[1], np.ones(2, dtype=bool))[1] for one in (sure, unsure)]
    assert chances[0] == 0.0
    assert chances[1] > 0.1


def test_what_something_is_worth_and_costs_counts():
    assert first([0.1, 0.1], 1e5, slope=[1, 2]).tolist() == [0.0, 1.0]
    assert first([0.1, 0.1], 1e5, slope=[1, 2], cost=[0, 0.15]).tolist() == [1.0, 0.0]


def test_only_those_that_may_be_the_best_are_drawn():
    means = np.linspace(0.001, 0.2, 200)
    rows = contenders(belief(means, 50), np.ones(200), np.zeros(200))
    assert rows.tolist() == list(range(200 - CONTENDERS, 200))


@given(st.lists(st.floats(0.001, 1.0), min_size=1, max_size=40), st.floats(2, 1e6), st.integers(0, 2**64 - 1))
def test_the_chances_sum_to_1_and_none_is_negative(means, evidence, of):
    chances = first(means, evidence, of=of)
    assert chances.sum() == pytest.approx(1.0, abs=1e-9)
    assert (chances >= 0).all()
    formula = closed_form(np.array(means))
    assert formula.sum() == pytest.approx(1.0, abs=1e-9)
    assert (formula > 0).all()
    assert formula[np.argmax(means)] == pytest.approx(formula.max(), abs=1e-12), (
        "the best has the highest, ties among them"
    )


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.floats(0, 1))
def test_nothing_without_a_chance_is_ever_drawn(chances, point):
    chances = np.array([*chances, 0.3, 0.0])
    assert chances[drawn(chances, point)] > 0


def test_over_many_points_each_is_drawn_as_often_as_its_chance_says():
    chances = np.array([0.5, 0.0, 0.3, 0.2])
    found = np.bincount([drawn(chances, point) for point in (np.arange(10_000) + 0.5) / 10_000], minlength=4)
    assert (found / 10_000).tolist() == pytest.approx(chances.tolist(), abs=1e-3)


def test_a_seed_is_of_everything_it_is_made_of():
    assert seed("anna", "email", None, 1) == seed("anna", "email", None, 1)
    assert len({seed("anna", "email", None, 1), seed("anna", "email", None, 2), seed("ann", "aemail", None, 1)}) == 3
