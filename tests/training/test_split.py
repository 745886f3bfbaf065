import numpy as np
import pytest

from models.settings import DAY_S
from models.vocabulary import Vocabulary
from training.history import NO_TIME, PURCHASE, History
from training.split import cut, default_days


def history(customers, items, days=None):
    rows = len(items)
    return History(
        customers=Vocabulary.of(f"c{number}" for number in range(max(customers, default=0) + 1)),
        items=Vocabulary.of(f"i{number}" for number in range(max(items, default=0) + 1)),
        customer=np.array(customers, dtype=np.int32),
        item=np.array(items, dtype=np.int32),
        order=np.full(rows, -1, dtype=np.int32),
        at=np.full(rows, NO_TIME) if days is None else np.array(days, dtype=np.int64) * DAY_S,
        quantity=np.ones(rows, dtype=np.float32),
        amount=np.zeros(rows, dtype=np.int64),
        event=np.full(rows, PURCHASE, dtype=np.int8),
    )


def test_what_is_foretold_lies_wholly_after_what_was_learnt():
    parts = cut(history([0] * 100, [0] * 100, range(100)), days=28)
    assert parts.train.at.max() <= parts.at < parts.test.at.min()
    assert len(parts.test) == 28
    assert len(parts.train) + len(parts.test) == 100


@pytest.mark.parametrize(("window", "days"), [(400, 28), (90, 15), (12, 7)])
def test_the_test_is_a_sixth_of_the_window_between_a_week_and_four(window, days):
    assert default_days(history([0, 0], [0, 0], [0, window])) == days


def test_without_times_each_customer_gives_a_tenth_of_her_items():
    customers = np.repeat(np.arange(200), 30)
    parts = cut(history(customers, np.tile(np.arange(30), 200)), seed=3)
    held_out = np.bincount(parts.test.customer, minlength=200)
    assert held_out.tolist() == [3] * 200
    assert parts.at is None


def test_an_item_bought_twice_is_never_on_both_sides():
    customers, items = np.repeat(np.arange(50), 20), np.tile(np.repeat(np.arange(10), 2), 50)
    parts = cut(history(customers, items), seed=1)
    learnt = set(zip(parts.train.customer.tolist(), parts.train.item.tolist(), strict=True))
    assert len(parts.test)
    assert not learnt & set(zip(parts.test.customer.tolist(), parts.test.item.tolist(), strict=True))


def test_the_only_item_of_a_customer_and_rows_without_one_stay_in_training():
    parts = cut(history([0, 1, 2, -1, -1], [0, 1, 2, 0, 1]), seed=0)
    assert len(parts.train) == 5


def test_the_same_seed_cuts_the_same_way_and_another_does_not():
    rows = history(np.repeat(np.arange(50), 20), np.tile(np.arange(20), 50))
    assert np.array_equal(cut(rows, seed=1).test.item, cut(rows, seed=1).test.item)
    assert not np.array_equal(cut(rows, seed=1).test.item, cut(rows, seed=2).test.item)
