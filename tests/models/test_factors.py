from dataclasses import replace

import numpy as np
import pytest

from models.factors import Factors
from models.factors import leading as leading_of


def factors(items=30, size=8, *, regularization=0.1, unobserved=0.2, exponent=0.5, seed=0):
    """Random vectors in the eigenbasis of their Gram matrix, as training leaves them."""
    vectors = np.random.default_rng(seed).standard_normal((items, size))
    values, basis = np.linalg.eigh(vectors.T @ vectors)
    return Factors(
        (vectors @ basis).astype(np.float32), values.astype(np.float32), regularization, unobserved, exponent
    )


def solved_plainly(model, rows, weights):
    """The definition: the normal equations of one customer, in float64."""
    vectors = model.item_factors.astype(np.float64)
    bought, weight = vectors[rows], np.asarray(weights, np.float64)
    penalty = model.regularization * (weight.sum() + model.unobserved * len(vectors)) ** model.exponent
    left = model.unobserved * vectors.T @ vectors + (bought.T * weight) @ bought + penalty * np.eye(vectors.shape[1])
    return np.linalg.solve(left, (model.unobserved + weight) @ bought)


@pytest.mark.parametrize("history", [1, 2, 7, 8, 9, 25], ids=lambda size: f"{size} of 8 factors")
def test_fold_in_solves_the_normal_equations_whatever_the_length_of_the_history(history):
    model, rng = factors(), np.random.default_rng(history)
    rows = rng.choice(30, history, replace=False).astype(np.int32)
    weights = rng.uniform(0.1, 2, history).astype(np.float32)
    np.testing.assert_allclose(model.fold_in(rows, weights), solved_plainly(model, rows, weights), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("rows", "weights"), [((), ()), ((3,), (0,)), ((3, 4), (-1, 0))])
def test_a_history_that_says_nothing_is_the_zero_vector(rows, weights):
    model = factors()
    vector = model.fold_in(np.array(rows, np.int32), np.array(weights, np.float32))
    assert vector.dtype == np.float32
    assert not vector.any()
    assert not model.score(vector).any()


def test_a_dislike_is_left_out_not_liked():
    model = factors()
    rows, weights = np.array([1, 2, 3], np.int32), np.array([1, -1, 1], np.float32)
    assert np.array_equal(model.fold_in(rows, weights), model.fold_in(rows[[0, 2]], weights[[0, 2]]))


def test_contributions_sum_to_the_score():
    model, rows = factors(), np.array([4, 9, 2, 17], np.int32)
    weights = np.array([1, 0.5, -1, 2], np.float32)
    carried = model.contributions(rows, weights, 11)
    assert carried[2] == 0
    assert carried.sum() == pytest.approx(model.score(model.fold_in(rows, weights))[11], rel=1e-4)


def test_similar_is_the_cosine_and_an_item_is_most_like_itself():
    model = factors()
    cosine = model.similar(5)
    a, b = model.item_factors[5].astype(float), model.item_factors[6].astype(float)
    assert cosine[5] == pytest.approx(1, abs=1e-5)
    assert cosine[6] == pytest.approx(a @ b / np.linalg.norm(a) / np.linalg.norm(b), abs=1e-5)
    assert cosine.argmax() == 5


def test_an_item_nobody_bought_is_like_none():
    model = factors()
    model.item_factors[7] = 0
    assert not model.similar(7).any()
    assert model.similar(3)[7] == 0


@pytest.mark.parametrize(("exponent", "ratio"), [(0.0, 1.0), (0.5, 2.0), (1.0, 4.0)])
def test_the_penalty_grows_with_the_history_by_the_exponent(exponent, ratio):
    model = factors(exponent=exponent)  # 0.2 · 30 items weigh 6
    assert model.penalty(18) / model.penalty(0) == pytest.approx(ratio)


def test_the_root_mean_square_of_scores_is_known_without_them():
    model = factors()
    vector = np.random.default_rng(1).standard_normal(8).astype(np.float32)
    scores = np.append(model.score(vector), np.zeros(5))  # of five newcomers
    assert model.rms(vector, items=35) == pytest.approx(np.sqrt(np.mean(scores**2)), rel=1e-4)


def test_an_estimate_is_the_score_by_the_leading_dimensions():
    model = factors()
    vector = np.ones(8, np.float32)
    leading = replace(model, leading=np.ascontiguousarray(model.item_factors[:, :3].T))
    np.testing.assert_allclose(leading.estimate(vector), model.item_factors[:, :3].sum(axis=1), rtol=1e-4, atol=1e-6)
    assert np.array_equal(model.estimate(vector), model.score(vector))


def test_only_a_large_catalogue_has_leading_dimensions(monkeypatch):
    vectors = factors(items=30, size=80).item_factors
    assert leading_of(vectors) is None
    monkeypatch.setattr("models.factors.LARGE", 30)
    assert np.array_equal(leading_of(vectors), vectors[:, :8].T)
