import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.linear import Linear

# 0 speaks for 1 and against 2, 1 for 0, 2 for 1; nothing for or of 3
SMALL = Linear(
    np.array([0, 2, 3, 4, 4]), np.array([1, 2, 0, 1], np.int32), np.array([0.5, -0.25, 0.5, 2.0], np.float32)
)


def test_what_speaks_against_an_item_is_taken_off_it():
    assert SMALL.add_up(np.array([0, 2], np.int32), np.array([1, 2], np.float32)).tolist() == [0, 4.5, -0.25, 0]


def test_a_history_of_which_nothing_is_said_adds_up_to_nothing():
    nothing = Linear(np.zeros(5, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32))
    for model in (SMALL, nothing):
        for rows in ([], [3]):
            history = np.array(rows, np.int32), np.ones(len(rows), np.float32)
            assert model.add_up(*history).tolist() == [0, 0, 0, 0]
            assert model.carried(*history, np.array([1], np.int32)).tolist() == [[0.0] * len(rows)]


def test_of_newcomers_nothing_is_said():
    longer = SMALL.longer(6)
    history = np.array([0, 5], np.int32), np.array([1, 1], np.float32)
    assert longer.add_up(*history).tolist() == [0, 0.5, -0.25, 0, 0, 0]


@pytest.mark.parametrize("model", [SMALL, Linear(np.arange(5), np.array([1, 2, 0, 1], np.int32), SMALL.scores)])
def test_histories_one_after_the_other_say_what_each_says_alone(model):
    rows, weights = np.array([0, 2, 3, 1, 3, 0], np.int32), np.array([1, 2, 1, -1, 0.5, 3], np.float32)
    ends = [2, 2, 5, 6]
    for said, begin, end in zip(model.sums(rows, weights, ends), [0, *ends], ends, strict=False):
        assert said.scores.tolist() == model.add_up(rows[begin:end], weights[begin:end]).tolist()


@given(
    st.lists(st.integers(0, 3), unique=True, max_size=4), st.lists(st.floats(-2, 2, width=32), min_size=4, max_size=4)
)
def test_contributions_always_sum_to_the_score(rows, weights):
    history, weighs = np.array(rows, np.int32), np.array(weights[: len(rows)], np.float32)
    scores = SMALL.add_up(history, weighs)
    for target in range(4):
        np.testing.assert_allclose(SMALL.contributions(history, weighs, target).sum(), scores[target], atol=1e-6)


@pytest.mark.parametrize("items", [4, 1_000], ids=["many pairs", "few pairs"])
def test_a_sum_can_be_added_to_others(items):
    said = SMALL.longer(items).sum(np.array([0, 2, 2], np.int32), np.array([1, 2, -0.5], np.float32))
    mixed = np.ones(items, np.float32)
    said.onto(mixed, 2.0)
    assert mixed == pytest.approx(1 + 2 * said.scores)
