"""Lift and its intervals, against scipy, by hand, and by simulation of what they promise."""

import math

import numpy as np
import pytest
from scipy.stats import chi2

from models.lift import Estimate, always_valid, lift, mismatch, needed, ratio, tail


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 7, 10])
@pytest.mark.parametrize("value", [0.0, 0.1, 1.0, 3.84, 20.0, 200.0])
def test_the_tail_of_chi_squared_is_scipy_s(value, freedom):
    assert tail(value, freedom) == pytest.approx(chi2.sf(value, freedom), rel=1e-9, abs=1e-300)


def test_a_split_as_dealt_is_trusted_and_one_that_lost_customers_is_not():
    assert mismatch([5_000, 5_000], [0.5, 0.5]) == 1.0
    assert mismatch([5_050, 4_950], [0.5, 0.5]) > 0.3
    assert mismatch([5_000, 4_600], [0.5, 0.5]) < 0.001
    assert mismatch([900, 100], [0.9, 0.1]) == 1.0
    assert mismatch([0, 0], [0.5, 0.5]) == 1.0


def test_a_mean_has_the_variance_of_a_mean_and_a_rate_that_of_the_delta_method():
    bought = np.array([0.0, 1.0, 2.0, 1.0])
    assert ratio(bought, np.ones(4)) == Estimate(1.0, pytest.approx(bought.var(ddof=1) / 4), 4)
    rng = np.random.default_rng(1)
    lists = rng.integers(1, 10, (3_000, 200)).astype(float)
    clicks = rng.binomial(lists.astype(int), rng.beta(2, 5, lists.shape)).astype(float)
    found = [ratio(one, other) for one, other in zip(clicks, lists, strict=True)]
    claimed = np.mean([one.variance for one in found])
    assert claimed == pytest.approx(np.var([one.value for one in found]), rel=0.08)


def test_nothing_is_claimed_of_one_customer_of_no_list_or_beside_a_control_of_nothing():
    assert ratio(np.array([1.0]), np.array([1.0])) is None
    assert ratio(np.array([0.0, 0.0]), np.array([0.0, 0.0])) is None
    one = Estimate(0.5, 0.01, 10)
    assert lift(None, one) is None
    assert lift(Estimate(0.0, 0.01, 10), one) is None


def test_a_lift_by_hand():
    found = lift(Estimate(0.10, 0.0001, 500), Estimate(0.12, 0.0001, 500))
    error = math.sqrt(0.0001 + 1.2**2 * 0.0001) / 0.10
    assert found.relative == pytest.approx(0.2)
    assert found.interval == pytest.approx((0.2 - 1.959964 * error, 0.2 + 1.959964 * error))
    assert found.always_valid == pytest.approx((0.2 - always_valid(1_000) * error, 0.2 + always_valid(1_000) * error))


def test_who_looks_every_day_is_fooled_by_the_plain_interval_and_not_by_the_always_valid_one():
    rng = np.random.default_rng(3)
    fooled = {"interval": 0, "always_valid": 0}
    for _ in range(300):
        control, variant = rng.exponential(1.0, (2, 3_000))  # nothing differs
        looks = [lift(ratio(control[:n], np.ones(n)), ratio(variant[:n], np.ones(n))) for n in range(100, 3_001, 100)]
        for name in fooled:
            fooled[name] += any(not getattr(look, name)[0] <= 0 <= getattr(look, name)[1] for look in looks)
    assert fooled["interval"] / 300 > 0.15
    assert fooled["always_valid"] / 300 < 0.05


def bought(share: float, customers: int) -> Estimate:
    return Estimate(share, share * (1 - share) / customers, customers)


def test_the_customers_needed_are_those_of_the_textbook_where_arms_are_alike_and_more_where_one_is_small():
    alike = needed(bought(0.05, 500), bought(0.05, 500), effect=0.2)
    per_arm = (1.959964 + 0.841621) ** 2 * 2 * 0.05 * 0.95 / (0.2 * 0.05) ** 2
    assert alike == (math.ceil(per_arm), math.ceil(per_arm))
    small = needed(bought(0.05, 20), bought(0.05, 980), effect=0.2)
    assert small[1] == pytest.approx(49 * small[0], abs=49)
    assert sum(small) > 10 * sum(alike)
    assert needed(bought(0.0, 10), bought(0.1, 10)) is None
    assert needed(None, bought(0.1, 10)) is None


def test_with_as_many_customers_as_are_needed_the_effect_is_found_four_times_in_five():
    rng = np.random.default_rng(3)
    first, second = needed(bought(0.2, 300), bought(0.2, 900), effect=0.15)
    found = 0
    for _ in range(1_000):
        control, variant = rng.binomial(first, 0.2) / first, rng.binomial(second, 0.2 * 1.15) / second
        seen = lift(bought(control, first), bought(variant, second))
        found += seen.interval[0] > 0
    assert 0.70 < found / 1_000 < 0.86  # the relative interval is a little wider than that of the difference
