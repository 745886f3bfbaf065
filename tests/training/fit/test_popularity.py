import numpy as np
import pytest

from models.settings import DAY_S
from tests.training.histories import UNKNOWN, history
from training.fit.popularity import Parameters, fit, search

NOW = 100 * DAY_S


@pytest.mark.parametrize(
    ("parameters", "score"),
    [
        (Parameters(None, once_a_day=False), [3, 2]),
        (Parameters(None, once_a_day=True), [1, 2]),
        (Parameters(10.0, once_a_day=True), [2**-5, 2**0 + 2**-1]),
    ],
)
def test_a_purchase_counts_by_its_age_and_a_bulk_order_once(parameters, score):
    whole = history(("ann", "a", 50), ("ann", "a", 50), ("ann", "a", 50), ("bob", "b", 100), ("cid", "b", 90))
    assert fit(whole, parameters, now=NOW).score.tolist() == pytest.approx(score)


def test_unknown_buyers_count_each_for_herself():
    assert fit(history((UNKNOWN, "a", 1), (UNKNOWN, "a", 1), ("ann", "b", 1)), now=NOW).score.tolist() == [2, 1]


def test_only_purchases_count_and_nobody_buys_tomorrow():
    whole = history(("ann", "a", 1), ("ann", "b", 1, {"event": "view_item"}), ("bob", "b", 101))
    assert fit(whole, now=NOW).score.tolist() == [1, 0]


def test_without_times_purchases_are_counted_once_a_customer():
    whole = history(("ann", "a", 1), ("ann", "a", 2), ("bob", "b", 1), ("cid", "b", 1), times=False)
    assert fit(whole, Parameters(7.0), now=NOW).score.tolist() == [1, 2]
    assert search(whole, whole, now=NOW).half_life_days is None


def test_the_half_life_is_that_which_foretells():
    """Old favourites that nobody buys any more speak for a short half-life, a steady shop for none."""
    old = [(f"c{number}", "old", number % 50) for number in range(300)]
    new = [(f"c{number}", "new", 90 + number % 10) for number in range(60)]
    tomorrow = history(*[(f"c{number}", "new", 101) for number in range(20)], ("c0", "old", 1))
    assert search(history(*old, *new), tomorrow, now=NOW).half_life_days is not None
    steady = [(f"c{number}", f"i{number % 3 * (number % 2)}", number % 100) for number in range(600)]
    assert search(history(*steady), history(*steady), now=NOW).half_life_days is None


def test_nothing_bought_is_nothing_popular():
    score = fit(history(("ann", "a", 1, {"event": "view_item"})), now=NOW).score
    assert score.dtype == np.float32
    assert score.tolist() == [0]
