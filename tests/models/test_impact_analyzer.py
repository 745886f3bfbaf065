"""Pega's Impact Analyzer, as pdstools computes it (impactanalyzer/statistics.py and its tests): our lift says the same, to a millionth."""

import pytest

from models.lift import Estimate, Z, lift, needed


def rate(accepted: float, shown: int) -> Estimate:
    """A share of yes and no."""
    share = accepted / shown
    return Estimate(share, share * (1 - share) / shown, shown)


@pytest.mark.parametrize(
    ("tested", "control", "relative", "error"),
    [
        ((58, 5_035), (1, 100), 0.15193644, 1.15598573),
        ((13, 1_189), (2, 100), -0.45332212, 0.41131182),
        ((4_124, 41_855), (81, 843), 0.02544853, 0.10938239),
        ((996_905, 9_985_661), (9_068, 90_525), -0.003369949, None),
        ((1_200, 10_000), (1_000, 10_000), 0.2, 0.04849742),
    ],
)
def test_lift_and_its_error(tested, control, relative, error):
    found = lift(rate(*control), rate(*tested))
    assert found is not None
    assert found.relative == pytest.approx(relative, abs=1e-6)
    if error is not None:
        assert (found.interval[1] - found.relative) / Z == pytest.approx(error, abs=1e-6)


@pytest.mark.parametrize(
    ("share", "effect", "customers"),
    [
        (0.05, 0.05, 1_557_663),
        (0.01, 0.05, 8_125_093),
        (0.10, 0.05, 736_734),
        (0.05, 0.01, 38_223_144),
        (0.05, 0.10, 398_351),
    ],
)
def test_the_customers_needed_are_twice_those_of_pdstools_which_counts_one_arm_of_two(share, effect, customers):
    changed = share * (1 + effect)
    spread = (share * (1 - share) + changed * (1 - changed)) / 2
    control, tested = (Estimate(share, spread / shown, shown) for shown in (2_000, 98_000))
    wanted = needed(control, tested, effect=effect)
    assert wanted is not None
    assert sum(wanted) / 2 == pytest.approx(customers, rel=2e-6)
    assert wanted[0] / sum(wanted) == pytest.approx(0.02, rel=1e-4)
