"""Many customers folded in side by side get the vectors that each gets alone."""

import numpy as np

from benchmarks.serving.world import shop
from models.folding import NOBODY, fold_all

FACTORS = shop(400, factors=32).factors
assert FACTORS is not None
HISTORIES = [
    (np.arange(1, length + 1, dtype=np.int32) * 3 % 400, np.linspace(1.5, -0.2, length, dtype=np.float32))
    for length in (7, 0, 20, 1, 12, 90, 3, 40)
]


def test_each_gets_the_vector_that_she_gets_alone_however_long_her_history():
    for vector, (rows, weights) in zip(fold_all(FACTORS, HISTORIES).vectors, HISTORIES, strict=True):
        np.testing.assert_allclose(vector, FACTORS.fold_in(rows, weights), rtol=1e-3, atol=1e-6)


def test_newcomers_and_what_was_refused_say_nothing():
    rows, weights = np.array([5, 400, 401, 9], np.int32), np.array([1, 1, 1, -1], np.float32)
    vector, other = fold_all(FACTORS, [(rows, weights), HISTORIES[2]]).vectors
    np.testing.assert_allclose(vector, FACTORS.fold_in(rows[:1], weights[:1]), rtol=1e-3, atol=1e-6)
    assert other.any()


def test_who_carried_a_score_is_the_item_that_gave_most_to_it():
    targets = np.tile(np.array([3, 77, 401], np.int32), (len(HISTORIES), 1))
    carriers = fold_all(FACTORS, HISTORIES).carriers(targets)
    for found, hers, (rows, weights) in zip(carriers, targets, HISTORIES, strict=True):
        gave = FACTORS.carried(rows, weights, hers)
        assert [row in rows for row in found] == (gave > 0).any(axis=1).tolist()
        for row, each in zip(found.tolist(), gave, strict=True):
            assert row == NOBODY or each[rows == row] == max(each)


def test_nobody_is_folded_in_as_nobody():
    assert fold_all(FACTORS, []).vectors.shape == (0, 32)
