"""Many customers folded in side by side get the vectors that each gets alone."""

from dataclasses import replace

import numpy as np

from benchmarks.serving.world import shop
from models.folding import fold_all

FACTORS = shop(400, factors=32).factors
assert FACTORS is not None
HISTORIES = [
    (np.arange(1, length + 1, dtype=np.int32) * 3 % 400, np.linspace(1.5, -0.2, length, dtype=np.float32))
    for length in (7, 0, 20, 1, 12, 90, 3, 40)
]


def test_each_gets_the_vector_that_she_gets_alone_however_long_her_history():
    for hers, (rows, weights) in zip(fold_all(FACTORS, HISTORIES), HISTORIES, strict=True):
        np.testing.assert_allclose(hers.vector, FACTORS.fold_in(rows, weights), rtol=1e-3, atol=1e-6)


def test_newcomers_and_what_was_refused_say_nothing():
    rows, weights = np.array([5, 400, 401, 9], np.int32), np.array([1, 1, 1, -1], np.float32)
    hers, other = fold_all(FACTORS, [(rows, weights), HISTORIES[2]])
    np.testing.assert_allclose(hers.vector, FACTORS.fold_in(rows[:1], weights[:1]), rtol=1e-3, atol=1e-6)
    assert other.vector.any()


def test_what_each_item_gave_adds_up_to_the_scores_of_the_vector():
    targets = np.array([3, 77], np.int32)
    for hers in fold_all(FACTORS, HISTORIES):
        gave = FACTORS.gave(hers, targets).sum(axis=1)
        np.testing.assert_allclose(gave, FACTORS.score(hers.vector)[targets], rtol=1e-2, atol=1e-5)


def test_nobody_is_folded_in_as_nobody():
    assert fold_all(replace(FACTORS, unobserved=0.1), []) == []
