"""The figures are those of Fader, Hardie & Lee 2005 and Fader & Hardie 2013 on CDNOW, with the published parameters."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import hyp2f1

from models.lifetime import Lifetime, orders_while_active

WEEK_S = 604_800
CDNOW = Lifetime(
    r=0.243, alpha=4.414, a=0.793, b=2.426, mbg_r=0.525, mbg_alpha=6.183, mbg_a=0.891, mbg_b=1.614,
    p=6.25, q=3.74, v=15.44, mean_value=35.0, unit_s=WEEK_S,
)  # fmt: skip
EXACT = replace(CDNOW, r=0.242593, alpha=4.413532, a=0.792886, b=2.425754)


def test_expects_what_the_paper_expects_of_its_example_customer():
    assert EXACT.expected_orders(2, 30.43, 38.86, 39) == pytest.approx(1.2259, abs=1e-4)


@pytest.mark.parametrize(
    ("weeks", "orders"), [(0.1429, 0.0078), (1, 0.0532), (3, 0.1506), (31.8571, 1.0405), (32, 1.0437), (78, 1.8580)]
)
def test_expects_of_a_new_customer_what_the_papers_spreadsheet_does(weeks, orders):
    assert EXACT.expected_orders(0, 0, 0, weeks) == pytest.approx(orders, abs=6e-5)


@pytest.mark.parametrize("seed", range(60))
def test_the_quadrature_equals_gausss_function(seed):
    rng = np.random.default_rng(seed)
    a, b, shape = np.exp(rng.uniform([-1.6, -1.6, -3], [3, 4, 4]))
    rate, t = np.exp(rng.uniform([-1, -3], [5, 5]))
    closed = (a + b - 1) / (a - 1) * (1 - (rate / (rate + t)) ** shape * hyp2f1(shape, b, a + b - 1, t / (rate + t)))
    assert orders_while_active(shape, rate, a, b, t) == pytest.approx(closed, rel=1e-8)


def test_is_smooth_where_the_closed_form_has_its_pole():
    below, at, above = (orders_while_active(2.0, 40.0, a, 3.0, 39.0) for a in (1 - 1e-6, 1.0, 1 + 1e-6))
    assert below > at > above
    assert below == pytest.approx(above, rel=1e-5)


@pytest.mark.parametrize(("a", "b"), [(0.05, 0.05), (0.05, 5_000.0), (5_000.0, 0.05), (5_000.0, 5_000.0)])
def test_is_finite_at_the_bounds_of_what_can_be_learnt(a, b):
    orders = orders_while_active(np.array([0.1, 500.0]), 1.0, a, np.array([b, b]), 100.0)
    assert np.isfinite(orders).all()
    assert (orders > 0).all()


def test_more_time_brings_more_orders_and_none_brings_none():
    orders = CDNOW.expected_orders(3, 20, 30, np.array([0, 1, 10, 100, 1_000]))
    assert orders[0] == 0
    assert (np.diff(orders) > 0).all()


@pytest.mark.parametrize(("x", "t_x", "p_alive"), [(2, 30.43, 0.7266), (0, 0, 1.0)])
def test_the_bgnbd_calls_one_time_buyers_alive_and_is_kept_for_expected_orders_alone(x, t_x, p_alive):
    assert EXACT._p_alive_bgnbd(np.asarray(float(x)), np.asarray(t_x), np.asarray(38.86)) == pytest.approx(
        p_alive, abs=1e-4
    )


def test_a_one_time_buyer_is_less_surely_active_the_longer_she_is_away():
    active = CDNOW.p_active(0, 0, np.array([0, 10, 40, 400]))
    assert active[0] == pytest.approx(1.614 / (0.891 + 1.614))
    assert (np.diff(active) < 0).all()


def test_a_very_frequent_customer_long_away_is_gone_without_overflow():
    assert CDNOW.p_active(2_000, 1, 500) < 1e-100
    assert CDNOW.expected_orders(2_000, 1, 500, 52) < 1e-100


def test_the_value_of_an_order_equals_the_published_table():
    x = np.array([2, 1, 0, 0, 0, 7, 1, 0, 2, 0])
    mean = np.array([22.35, 11.77, 0, 0, 0, 73.74, 11.77, 0, 25.55, 0])
    assert CDNOW.expected_value(x, mean) == pytest.approx(
        [24.66, 18.92, 35.22, 35.22, 35.22, 71.47, 18.92, 35.22, 27.29, 35.22], abs=0.1
    )


def test_without_a_finite_mean_everybody_gets_the_shops():
    assert replace(CDNOW, q=1.0).expected_value(np.array([0, 5]), np.array([0.0, 80.0])).tolist() == [35.0, 35.0]
