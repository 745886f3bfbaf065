import numpy as np
import pytest

from training.gate import judge

CUSTOMERS = 400
NOISE = np.random.default_rng(0).random(CUSTOMERS)


def around(mean):
    return mean + 0.2 * (NOISE - 0.5)


@pytest.mark.parametrize(
    ("candidate", "popularity", "live", "passed", "says"),
    [
        (0.5, 0.3, 0.5, True, ""),
        (0.5, 0.3, 0.45, True, ""),
        (0.5, 0.3, 0.6, False, "below the live bundle's 0.6"),
        (0.3, 0.5, 0.2, False, "is not better than popularity's"),
        (0.3, 0.3001, 0.2, False, "is not better than popularity's"),
    ],
)
def test_refuses_what_is_not_better_than_popularity_or_clearly_worse_than_the_live_one(
    candidate, popularity, live, passed, says
):
    verdict = judge(around(candidate), around(popularity), around(live))
    assert verdict.passed is passed
    assert says in " ".join(verdict.reasons)


def test_a_difference_within_the_noise_is_no_reason():
    noise = np.random.default_rng(1).normal(0, 0.3, CUSTOMERS)
    assert judge(around(0.5), around(0.3), around(0.5) + noise - noise.mean() + 0.005).passed


def test_with_nothing_served_yet_it_warns_and_lets_pass():
    verdict = judge(around(0.2), around(0.3), None)
    assert verdict.passed
    assert "not better than popularity" in verdict.warnings[0]


@pytest.mark.parametrize("values", [np.full(3, np.nan), np.zeros(3), np.array([1.0, 0.5, np.nan])])
def test_a_test_that_tells_nothing_refuses_nothing_and_says_so(values):
    verdict = judge(values, values, values)
    assert verdict.passed
    assert "could not tell" in verdict.warnings[0]


def test_customers_without_relevant_items_do_not_count():
    some = np.where(NOISE > 0.5, np.nan, 0.4)
    assert judge(some, some / 2, some).measured["customers"] == int((NOISE <= 0.5).sum())
