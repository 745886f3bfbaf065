from dataclasses import replace

import numpy as np
import pytest
from implicit.als import AlternatingLeastSquares
from scipy.sparse import csr_matrix, random
from threadpoolctl import threadpool_limits

from training.fit import factors
from training.fit.factors import Parameters, fit, search
from training.queries import Queries
from training.scoring import carts

SMALL = Parameters(factors=8, iterations=12, regularization=0.01, unobserved=0.1)


def purchases(seed=0, shape=(80, 40), density=0.1):
    held = random(*shape, density=density, format="csr", dtype=np.float32, random_state=seed)
    held.data[:] = 1
    return held


def checkerboard(size=40):
    """Even customers buy even items, odd ones odd; each lacks one of its own colour."""
    held = np.zeros((size, size), np.float32)
    for customer in range(size):
        held[customer, customer % 2 :: 2] = 1
        held[customer, customer] = 0
    return csr_matrix(held)


def test_the_checkerboard_is_learnt():
    model, held = fit(checkerboard(), SMALL), checkerboard()
    for customer in range(40):
        scores = model.score(model.fold_in(held[customer].indices, held[customer].data))
        scores[held[customer].indices] = -1
        assert scores.argmax() == customer


@pytest.mark.parametrize("weights", [(1.0,), (0.3, 1.0, 2.0)], ids=["purchases", "graded"])
def test_fold_in_is_implicits_own_recalculate_user(weights):
    held = purchases()
    held.data[:] = np.resize(np.array(weights, np.float32), held.nnz)
    model = fit(held, SMALL)
    with threadpool_limits(1, "blas"):  # implicit warns otherwise
        for customer in np.flatnonzero(np.diff(held.indptr)):
            one, confidence = held[customer], held[customer].copy()
            penalty = model.penalty(float(one.data.sum()))
            theirs = AlternatingLeastSquares(factors=8, regularization=penalty, num_threads=1)
            theirs.item_factors = model.item_factors
            confidence.data = 1 + confidence.data / np.float32(model.unobserved)
            expected = theirs.recalculate_user(customer, confidence)
            np.testing.assert_allclose(model.fold_in(one.indices, one.data), expected, rtol=1e-5, atol=1e-5)


def test_the_gram_matrix_is_diagonal_and_cached():
    model = fit(purchases(), SMALL)
    gram = model.item_factors.T @ model.item_factors
    np.testing.assert_allclose(gram, np.diag(model.gram), atol=1e-4 * model.gram[0])
    assert (np.diff(model.gram) <= 0).all()


def test_all_penalties_are_alike_without_an_exponent_and_rise_with_one():
    held = purchases(density=0.3)
    held = csr_matrix(held[np.argsort(np.diff(held.indptr), kind="stable")])
    alike = factors._side(held, replace(SMALL, exponent=0.0))
    rising = factors._side(held, replace(SMALL, exponent=1.0))
    assert len(alike.penalties) == 1
    assert len(rising.penalties) > 1
    assert (np.diff(rising.penalties) > 0).all()


def test_the_groups_reach_the_optimum_of_their_own_penalties():
    held = purchases(density=0.2)
    parameters = replace(SMALL, iterations=60, exponent=1.0)
    model = fit(held, parameters)
    vectors = np.stack([model.fold_in(row.indices, row.data) for row in held])
    again = np.zeros_like(model.item_factors)
    for item in range(held.shape[1]):
        bought = vectors[held[:, item].nonzero()[0]]
        left = 0.1 * vectors.T @ vectors + bought.T @ bought
        left += parameters.regularization * (len(bought) + 0.1 * held.shape[0]) * np.eye(8)
        again[item] = np.linalg.solve(left, 1.1 * bought.sum(axis=0))
    assert np.linalg.norm(again - model.item_factors) < 0.05 * np.linalg.norm(again)


@pytest.mark.parametrize("threads", [1, 2])
def test_same_in_same_out_whatever_the_threads(threads):
    first, again = fit(purchases(), SMALL), fit(purchases(), SMALL, threads=threads)
    assert np.array_equal(first.item_factors, again.item_factors)
    assert not np.array_equal(first.item_factors, fit(purchases(), replace(SMALL, seed=1)).item_factors)


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (5, 1), (3, 3)])
def test_tiny_histories_teach_finite_vectors(shape):
    held = csr_matrix(np.ones(shape, np.float32))
    model = fit(held, Parameters())
    assert model.item_factors.shape == (shape[1], 128)
    assert np.isfinite(model.item_factors).all()
    assert np.isfinite(model.score(model.fold_in(held[0].indices, held[0].data))).all()


def test_without_any_purchase_all_vectors_are_zero():
    assert not fit(csr_matrix((4, 3), dtype=np.float32), SMALL).item_factors.any()


def test_the_search_names_the_number_of_factors_and_keeps_the_rest_where_nothing_can_be_measured():
    nobody = Queries(carts(np.zeros(0, np.int32), 40), csr_matrix((0, 40)))
    assert search(purchases(), nobody) == (Parameters(factors=128, iterations=8), None)
    assert search(purchases(), nobody, replace(SMALL, factors=16))[0].factors == 16
