import numpy as np

from models.settings import DAY_S
from tests.training.histories import UNKNOWN, history
from training import matrices

THREE_DAYS = history(
    ("ann", "tea", 0, {"order": 0}),
    ("ann", "cup", 0, {"order": 0}),
    ("ann", "tea", 2, {"order": 2}),
    (UNKNOWN, "jar", 1, {"order": 1}),
    (UNKNOWN, "tea", 1, {"order": 1}),
    ("bob", "jar", 3, {"order": -1}),
    ("bob", "cup", 3, {"event": "view_item"}),
)
CUP, JAR, TEA = range(3)


def test_a_basket_is_a_row_even_when_its_buyer_is_unknown():
    baskets = matrices.baskets(THREE_DAYS, now=4 * DAY_S)
    assert baskets.held.toarray().tolist() == [[1, 0, 1], [0, 1, 1], [0, 0, 1]]
    assert baskets.age_days.tolist() == [4, 3, 2]


def test_a_customer_is_a_row_of_purchases_each_once_as_old_as_the_newest():
    customers = matrices.customers(THREE_DAYS, now=4 * DAY_S)
    assert customers.held.toarray().tolist() == [[1, 0, 1], [0, 1, 0]]
    assert customers.age_days.tolist() == [2, 1]


def test_without_times_nothing_is_old():
    timeless = history(("ann", "tea", 0), ("bob", "cup", 0), times=False)
    assert matrices.customers(timeless, now=None).age_days.tolist() == [0, 0]
    assert matrices.baskets(timeless, now=None).held.shape == (0, 2)


def test_a_history_cut_away_leaves_empty_matrices():
    nothing = THREE_DAYS.where(np.zeros(len(THREE_DAYS), bool))
    assert matrices.baskets(nothing, now=0).held.shape == (0, 3)
    assert matrices.customers(nothing, now=0).held.nnz == 0
