import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from models.ranking import BLOCK, top


def sorted_plainly(scores, eligible, n):
    """The definition: best first, equal ones by row, eligible ones only."""
    rows = [row for row in range(len(scores)) if (eligible is None or eligible[row]) and scores[row] > -np.inf]
    return sorted(rows, key=lambda row: (-scores[row], row))[:n]


@settings(max_examples=60, deadline=None)
@given(
    size=some.sampled_from([0, 1, 5, BLOCK - 1, BLOCK, 3 * BLOCK + 7, 20 * BLOCK + 3]),
    distinct=some.sampled_from([1, 2, 5, 10_000]),
    share=some.sampled_from([None, 0.0, 0.01, 0.5]),
    n=some.integers(0, 30),
    seed=some.integers(0, 1000),
)
def test_is_exactly_the_head_of_the_sorted_list(size, distinct, share, n, seed):
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, distinct, size).astype(np.float32)
    eligible = None if share is None else rng.random(size) < share
    assert top(scores, eligible, n).tolist() == sorted_plainly(scores, eligible, n)


def test_never_shows_an_ineligible_row_even_when_little_is_left():
    scores = np.arange(10 * BLOCK, dtype=np.float32)
    eligible = np.zeros(len(scores), bool)
    eligible[[3, 700]] = True
    assert top(scores, eligible, 20).tolist() == [700, 3]


@pytest.mark.parametrize("size", [4, 40 * BLOCK])
def test_minus_infinity_is_never_shown(size):
    scores = np.full(size, -np.inf, np.float32)
    scores[2] = -5
    assert top(scores, None, 3).tolist() == [2]


def test_a_catalogue_of_equal_scores_comes_in_the_order_of_rows():
    assert top(np.zeros(50 * BLOCK, np.float32), None, 4).tolist() == [0, 1, 2, 3]
