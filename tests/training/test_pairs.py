from models.settings import DAY_S
from tests.training.histories import UNKNOWN, history
from training.pairs import bought_pairs


def test_a_pair_sums_what_one_customer_did_with_one_item():
    pairs = bought_pairs(
        history(
            ("ann", "a", 1),
            ("ann", "a", 1.5),
            ("ann", "a", 11),
            ("ann", "a", 14),
            ("ann", "b", 2),
            ("bob", "a", 3),
            (UNKNOWN, "a", 3),
            ("bob", "b", 3, {"event": "view_item"}),
        )
    )
    assert list(zip(pairs.customer.tolist(), pairs.item.tolist(), strict=True)) == [(0, 0), (0, 1), (1, 0)]
    assert pairs.purchases.tolist() == [4, 1, 1]
    assert pairs.days.tolist() == [3, 1, 1]
    assert (pairs.first_at / DAY_S).tolist() == [1, 2, 3]
    assert (pairs.last_at / DAY_S).tolist() == [14, 2, 3]
    assert (pairs.gap_item.tolist(), pairs.gap_days.tolist()) == ([0, 0], [10, 3])


def test_nobody_bought_anything():
    assert len(bought_pairs(history((UNKNOWN, "a", 1))).customer) == 0
