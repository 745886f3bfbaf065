import numpy as np
import pytest
from scipy.stats import gamma

from models.trending import FLOOR, LOWER, Trending, gamma_quantile

#                     steady  risen  big and risen  two where one was  new  dead
RECENT = np.array([20, 40, 400, 2, 30, 0], np.float32)
BEFORE = np.array([100, 50, 1_000, 5, 0, 100], np.float32)
STEADY, RISEN, BIG, CHANCE, NEW, DEAD = range(6)
MODEL = Trending(RECENT, BEFORE, prior=2.0, window_days=7, baseline_days=35)


def test_a_trend_is_what_sells_above_its_share_of_before():
    rise = MODEL.rise()
    assert set(np.flatnonzero(rise > 1)) == {RISEN, BIG, NEW}
    assert rise[STEADY] < 1


def test_many_sales_are_surer_than_few_of_the_same_ratio():
    few, many = Trending(np.array([8, 80, 100], np.float32), np.array([10, 100, 800], np.float32), 2.0, 7, 35).rise()[
        :2
    ]
    assert many > few


def test_below_the_floor_of_support_nothing_is_a_trend():
    assert MODEL.rise()[CHANCE] == 0
    assert Trending(RECENT, BEFORE, 2.0, 7, 35, least=2).rise()[CHANCE] > 0


def test_what_the_whole_shop_sells_more_of_is_no_trend():
    usual = np.array([100, 200, 900], np.float32)
    assert (Trending(3 * usual, usual, 2.0, 7, 35).rise() < 1).all()


def test_in_a_category_a_trend_is_measured_against_the_category():
    lights = np.array([False, True, True, False, False, False])
    assert not (MODEL.rise(lights)[lights] > 1).all()
    assert MODEL.expected(lights)[lights].sum() == pytest.approx(RECENT[lights].sum())


def test_a_newcomer_is_expected_to_sell_a_part_of_what_others_do():
    assert MODEL.expected()[NEW] == pytest.approx(MODEL.expected()[STEADY] * FLOOR * BEFORE.mean() / BEFORE[STEADY])


@pytest.mark.parametrize("recent", [np.zeros(6), np.zeros(0)])
def test_where_nothing_is_bought_nothing_trends(recent):
    model = Trending(recent.astype(np.float32), recent.astype(np.float32), 2.0, 7, 35)
    assert model.rise().tolist() == [0] * len(recent)


def test_the_quantile_is_the_gamma_distributions():
    shape = np.array([5.5, 8, 20, 500], np.float32)
    assert gamma_quantile(shape, LOWER) == pytest.approx(gamma.ppf(0.05, shape), rel=0.01)
