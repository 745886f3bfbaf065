import numpy as np
import pytest

from benchmarks.quality.cdnow import read
from models.settings import DAY_S
from tests.training.histories import history
from training.fit.lifetime import Summary, fit, fit_bgnbd, fit_gamma_gamma, fit_summary, summarise

NOW = 400 * DAY_S


def test_a_summary_counts_distinct_days_beyond_the_first():
    rows = [
        ("ann", "a", 100, {"amount": 999}), ("ann", "b", 100, {"amount": 1}),
        ("ann", "a", 170, {"amount": 50}), ("ann", "b", 170, {"amount": 30}),
        ("ann", "a", 240, {"amount": 20}), ("bob", "a", 330, {"amount": 7}),
    ]  # fmt: skip
    summary = summarise(history(*rows), now=NOW, unit_s=7 * DAY_S)
    assert summary.x.tolist() == [2, 0]
    assert summary.t_x.tolist() == [20, 0]
    assert summary.age.tolist() == pytest.approx([300 / 7, 10])
    assert summary.mean.tolist() == [50, 0]


def a_cohort(customers, seed, r=2.0, alpha=10.0, a=1.5, b=6.0, age=52.0):
    """Customers drawn from a BG/NBD process, and the mean of Gamma-Gamma values (p 6, q 4, v 15)."""
    rng = np.random.default_rng(seed)
    x, t_x, mean = np.zeros((3, customers))
    for customer in range(customers):
        rate, leave, at = rng.gamma(r, 1 / alpha), rng.beta(a, b), 0.0
        while (at := at + rng.exponential(1 / rate)) < age:
            x[customer], t_x[customer] = x[customer] + 1, at
            if rng.random() < leave:
                break
        if x[customer]:
            mean[customer] = rng.gamma(6 * x[customer], 1 / (rng.gamma(4, 1 / 15) * x[customer]))
    return Summary(x, t_x, np.full(customers, age), mean)


def test_finds_the_parameters_that_made_the_customers():
    cohort = a_cohort(6_000, seed=1)
    assert fit_bgnbd(cohort).parameters == pytest.approx((2.0, 10.0, 1.5, 6.0), rel=0.25)
    assert fit_gamma_gamma(cohort).parameters == pytest.approx((6, 4, 15), rel=0.25)


def test_weeks_or_days_and_dollars_or_cents_are_the_same_customers():
    weeks = a_cohort(800, seed=2)
    days = Summary(weeks.x, weeks.t_x * 7, weeks.age * 7, weeks.mean * 100)
    one, other = fit_summary(weeks, unit_s=7 * DAY_S), fit_summary(days, unit_s=DAY_S)
    assert other.expected_orders(3, 70, 350, 365) == pytest.approx(one.expected_orders(3, 10, 50, 365 / 7), rel=1e-3)
    assert other.p_active(3, 70, 350) == pytest.approx(one.p_active(3, 10, 50), rel=1e-3)
    assert other.expected_value(3, 4_000) == pytest.approx(100 * one.expected_value(3, 40), rel=1e-3)


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [("ann", "a", day) for day in range(100)],  # one customer
        [(f"c{number}", "a", number) for number in range(200)],  # nobody came again
        [(f"c{number}", "a", 400) for number in range(200)],  # all of it today
    ],
)
def test_a_shop_that_cannot_teach_them_has_none(rows):
    assert fit(history(*rows), now=NOW) is None


def test_without_times_there_is_no_lifetime():
    assert fit(history(*((f"c{n % 50}", "a", n) for n in range(300)), times=False), now=NOW) is None


def test_a_shop_without_prices_still_foretells_orders():
    lifetime = fit(history(*((f"c{n}", "a", n + 30 * k) for n in range(100) for k in range(n % 5 + 1))), now=NOW)
    assert lifetime.expected_orders(3, 10, 30, 52) > 0
    assert lifetime.expected_value(np.array([0, 3]), 0.0).tolist() == [0, 0]


@pytest.mark.parametrize("every", [1, 30])
def test_customers_who_are_all_alike_have_finite_lifetimes(every):
    lifetime = fit(
        history(*((f"c{n}", "a", day, {"amount": 100}) for n in range(50) for day in range(0, 300, every))), now=NOW
    )
    x = 300 // every - 1
    answers = [lifetime.expected_orders(x, 40, 57, 26), lifetime.p_active(x, 40, 57), lifetime.expected_value(x, 100)]
    assert np.isfinite(answers).all()


def test_cdnow_has_the_published_parameters(valet_data):
    cdnow = read(valet_data("cdnow/CDNOW_sample.txt").parent)
    bgnbd, mbgnbd, value = (
        fit_bgnbd(cdnow.summary),
        fit_bgnbd(cdnow.summary, modified=True),
        fit_gamma_gamma(cdnow.summary),
    )
    assert bgnbd.parameters == pytest.approx((0.243, 4.414, 0.793, 2.426), abs=5e-4)
    assert bgnbd.log_likelihood == pytest.approx(-9582.4, abs=0.05)
    assert mbgnbd.parameters == pytest.approx((0.525, 6.183, 0.891, 1.614), abs=5e-4)
    assert value.parameters == pytest.approx((6.25, 3.74, 15.44), abs=0.01)
