from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_matrix, random

from training import queries, scoring
from training.fit import neighbours
from training.fit.neighbours import Parameters, fit, search
from training.matrices import Matrix

PLAIN = Parameters(size_exponent=0, history_exponent=0, target_exponent=0)


def matrix(rows, age_days=None):
    held = csr_matrix(np.array(rows, np.float32))
    return Matrix(held, np.zeros(held.shape[0]) if age_days is None else np.array(age_days, float))


def dense(model):
    """The scores as a table, 0 where a pair is not kept."""
    table = np.zeros((len(model), len(model)))
    for row in range(len(model)):
        kept = slice(model.indptr[row], model.indptr[row + 1])
        table[row, model.indices[kept]] = model.scores[kept]
    return table


# three baskets: tea and cup · tea, cup and jar · jar alone
TEA, CUP, JAR = 0, 1, 2
SHOP = matrix([[1, 1, 0], [1, 1, 1], [0, 0, 1]])


@pytest.mark.parametrize(
    ("parameters", "tea_cup", "tea_jar", "jar_tea"),
    [
        (PLAIN, 2, 1, 1),
        (replace(PLAIN, size_exponent=1), 1 / 2 + 1 / 3, 1 / 3, 1 / 3),
        (replace(PLAIN, history_exponent=1), 2 / 2, 1 / 2, 1 / 2),
        (replace(PLAIN, target_exponent=0.5), 2 / 2**0.5, 1 / 2**0.5, 1 / 2**0.5),
        (replace(PLAIN, shrinkage=2), 2 * 2 / 4, 1 * 1 / 3, 1 / 3),
        (replace(PLAIN, minimum_support=2), 2, 0, 0),
    ],
    ids=str,
)
def test_scores_are_what_the_formula_says(parameters, tea_cup, tea_jar, jar_tea):
    table = dense(fit(SHOP, parameters))
    assert table[TEA, [CUP, JAR]] == pytest.approx([tea_cup, tea_jar], rel=1e-6)
    assert table[JAR, TEA] == pytest.approx(jar_tea, rel=1e-6)
    assert not table.diagonal().any()


def test_an_old_basket_says_half_as_much_after_a_half_life():
    model = fit(matrix([[1, 1, 0], [1, 0, 1]], age_days=[0, 30]), replace(PLAIN, half_life_days=30))
    assert dense(model)[0].tolist() == pytest.approx([0, 1, 0.5])
    assert model.support.tolist() == [1, 1, 1, 1]


def test_the_best_k_are_kept_best_first_and_ties_by_row():
    baskets = np.zeros((7, 5))
    baskets[:, 0] = 1
    baskets[:3, 4], baskets[3:5, 2], baskets[5:7, 1], baskets[6:, 3] = 1, 1, 1, 1
    model = fit(matrix(baskets), replace(PLAIN, k=2))
    assert model.indices[: model.indptr[1]].tolist() == [4, 1]
    assert model.support[: model.indptr[1]].tolist() == [3, 2]


def random_matrix(seed=0, shape=(300, 60)):
    held = random(*shape, density=0.08, format="csr", dtype=np.float32, random_state=seed)
    held.data[:] = 1
    return Matrix(held, np.random.default_rng(seed).uniform(0, 100, shape[0]))


@pytest.mark.parametrize("threads", [1, 3])
def test_neither_blocks_nor_threads_change_a_score(monkeypatch, threads):
    some, parameters = random_matrix(), Parameters(k=10, half_life_days=40, shrinkage=1)
    whole = fit(some, parameters)
    monkeypatch.setattr(neighbours, "BLOCK_WORK", 500)
    blocked = fit(some, parameters, threads=threads)
    for name in ("indptr", "indices", "scores", "support"):
        assert np.array_equal(getattr(whole, name), getattr(blocked, name)), name
    assert np.diff(whole.indptr).max() == 10


@pytest.mark.parametrize("shape", [(0, 0), (0, 4), (3, 0), (3, 4), (1, 1)])
def test_a_matrix_without_pairs_has_no_neighbours(shape):
    held = csr_matrix(np.eye(*shape, dtype=np.float32))
    model = fit(Matrix(held, np.zeros(shape[0])))
    assert len(model) == shape[1]
    assert len(model.indices) == len(model.scores) == len(model.support) == model.indptr[-1] == 0


def test_the_search_finds_that_popular_items_must_be_discounted():
    rng = np.random.default_rng(3)
    groups = rng.integers(0, 10, 400)
    held = np.zeros((400, 41), np.float32)
    held[:, 40] = 1  # everybody has the bag, which says nothing
    for customer, group in enumerate(groups):
        held[customer, group * 4 + rng.choice(4, 3, replace=False)] = 1
    known, hidden = held.copy(), np.zeros_like(held)
    for customer in range(400):
        target = rng.choice(np.flatnonzero(held[customer, :40]))
        known[customer, target], hidden[customer, target] = 0, 1
    known[:200, 40], hidden[:200, 40] = 1, 0
    asked = asked_of(csr_matrix(known[:200]), csr_matrix(hidden[:200]))
    start = replace(PLAIN, k=20)
    found = search(matrix(known), asked, start)
    learnt, plain = fit(matrix(known), found), fit(matrix(known), start)
    assert neighbours.ndcg(learnt, asked).mean() >= neighbours.ndcg(plain, asked).mean()
    assert search(matrix(known), asked, start) == found


def test_the_search_keeps_its_start_where_nothing_can_be_measured():
    start = Parameters(k=7)
    nobody = asked_of(csr_matrix((0, 3), dtype=np.float32), csr_matrix((0, 3)))
    assert search(SHOP, nobody, start) == start


def asked_of(known, hidden):
    ones = np.ones(known.nnz, np.int32)
    never = np.full(known.nnz, scoring.NO_TIME)
    rows = known.indices.astype(np.int32)
    held = scoring.Histories(known.shape[1], known.indptr.astype(np.int64), rows, known.data, ones, never, never)
    return queries.Queries(held, hidden)
