from models.settings import DAY_S
from tests.training.histories import UNKNOWN, history
from training.days import purchase_days

NOW = 100 * DAY_S


def test_a_day_holds_all_its_orders_and_lines():
    days = purchase_days(
        history(
            ("ann", "a", 1, {"order": 1, "amount": 10}),
            ("ann", "b", 1, {"order": 1, "amount": 5}),
            ("ann", "b", 1.5, {"order": 2, "amount": 1}),
            ("ann", "a", 7, {"order": 3, "amount": 2}),
            ("bob", "a", 3, {"order": 4, "amount": 9}),
            (UNKNOWN, "a", 3, {"order": 5, "amount": 9}),
            ("bob", "a", 4, {"order": 6, "amount": 9, "event": "view_item"}),
        ),
        now=NOW,
    )
    assert days.customer.tolist() == [0, 0, 1]
    assert days.day.tolist() == [1, 7, 3]
    assert days.amount.tolist() == [16, 2, 9]
    assert days.orders.tolist() == [2, 1, 1]
    assert days.per_customer(days.orders).tolist() == [3, 1]
    assert (days.start.tolist(), days.end.tolist()) == ([0, 2], [2, 3])


def test_without_times_everything_was_bought_today():
    assert purchase_days(history(("ann", "a", 1), ("ann", "b", 2), times=False), now=NOW).day.tolist() == [100]


def test_nobody_bought_anything():
    days = purchase_days(history((UNKNOWN, "a", 1)), now=NOW)
    assert (len(days.day), len(days.start), len(days.end)) == (0, 0, 0)
