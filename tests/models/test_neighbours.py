import numpy as np
import pytest

from models.neighbours import Neighbours

# 0 speaks for 1 and 2, 1 for 0, nothing for or of 3; 2 speaks for 1
SMALL = Neighbours(
    indptr=np.array([0, 2, 3, 4, 4]),
    indices=np.array([1, 2, 0, 1], np.int32),
    scores=np.array([0.5, 0.25, 0.5, 2.0], np.float32),
    support=np.array([2, 1, 2, 1], np.int32),
)


def rows(*values):
    return np.array(values, np.int32)


def weights(*values):
    return np.array(values, np.float32)


@pytest.mark.parametrize(
    ("history", "weighs", "expected"),
    [
        ((), (), [0, 0, 0, 0]),
        ((3,), (1,), [0, 0, 0, 0]),
        ((0,), (1,), [0, 0.5, 0.25, 0]),
        ((0, 2), (1, 1), [0, 2.5, 0.25, 0]),
        ((2, 0), (0.5, 2), [0, 2.0, 0.5, 0]),
    ],
)
def test_adds_up_the_neighbours_of_a_history_each_by_its_weight(history, weighs, expected):
    scores = SMALL.add_up(rows(*history), weights(*weighs))
    assert scores.dtype == np.float32
    assert scores.tolist() == expected


def test_contributions_name_who_carried_an_item_and_sum_to_its_score():
    history, weighs = rows(2, 3, 0), weights(1, 1, 0.5)
    carried = SMALL.contributions(history, weighs, 1)
    assert carried.tolist() == [2.0, 0.0, 0.25]
    assert carried.sum() == SMALL.add_up(history, weighs)[1]


def test_nothing_carries_an_item_without_neighbours():
    assert SMALL.contributions(rows(0, 1), weights(1, 1), 3).tolist() == [0, 0]


def test_knows_how_many_items_there_are():
    assert len(SMALL) == 4


def test_several_targets_are_carried_by_what_carries_each_alone():
    history, weighs, targets = rows(2, 3, 0), weights(1, 1, 0.5), rows(3, 1, 2)
    alone = [SMALL.contributions(history, weighs, target).tolist() for target in targets]
    assert SMALL.carried(history, weighs, targets).tolist() == alone
