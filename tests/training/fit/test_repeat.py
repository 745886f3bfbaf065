import numpy as np
import pytest

from models.settings import DAY_S
from tests.training.histories import history
from training.fit.repeat import PRIOR_BUYERS, Parameters, fit, search


def drinkers(count=200, *, every=30, until=300):
    """Everybody buys coffee every month, and one piano; everybody begins on another day."""
    for number in range(count):
        yield from ((f"c{number:03}", "coffee", day) for day in range(number % every, until, every))
        yield (f"c{number:03}", "piano", number % 200)


def test_learns_what_is_bought_again_and_after_how_long():
    model = fit(history(*drinkers()))
    coffee, piano = 0, 1
    assert model.share[coffee] > 0.9
    assert model.share[piano] < 0.1
    assert model.interval_days[coffee] == pytest.approx(30, rel=0.01)


def test_an_item_with_few_buyers_is_as_the_shop_is():
    model = fit(history(*drinkers(), ("c000", "rare", 5)))
    assert model.share[2] == pytest.approx(PRIOR_BUYERS * model.prior_share / (PRIOR_BUYERS + 1))
    assert model.interval_days[2] == pytest.approx(model.prior_interval_days)


def test_several_lines_of_one_day_are_no_repetition():
    assert fit(history(("ann", "a", 1), ("ann", "a", 1.2), ("bob", "a", 3))) is None


def test_cannot_be_learnt_without_times():
    assert fit(history(("ann", "a", 1), ("ann", "a", 20), times=False)) is None


def test_the_search_learns_patience_where_what_was_just_bought_is_not_bought_again():
    """Two goods of one cycle, half a cycle apart: due is the one that was bought longer ago."""
    rows = [
        (f"c{n}", item, day)
        for n in range(60)
        for item, shift in (("a", 0), ("b", 15))
        for day in range(n % 10 + shift, 330, 30)
    ]
    whole = history(*rows)
    cut = whole.at <= 300 * DAY_S
    found = search(whole.where(cut), whole.where(~cut & (whole.at <= 312 * DAY_S)), now=300 * DAY_S)
    assert found.early < 1


def test_learns_how_far_intervals_spread():
    assert fit(history(*drinkers())).spread == pytest.approx(0, abs=0.02)
    wild = [
        (f"c{n}", "tea", day)
        for n in range(200)
        for day in np.cumsum([0, *np.random.default_rng(n).lognormal(3, 0.5, 4)])
    ]
    assert fit(history(*wild)).spread == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(("again", "waits"), [("mug", True), ("tea", False)])
def test_the_search_learns_whether_people_wait(again, waits):
    """On day 300 the mug is due and the tea was bought yesterday."""
    rows = [(f"c{n}", "tea", day) for n in range(60) for day in (1, 101, 200, 299)]
    rows += [(f"c{n}", "mug", day) for n in range(60) for day in (30 - n % 20, 120, 210)]
    whole = history(*rows, *((f"c{n}", again, 301) for n in range(60)))
    cut = whole.at <= 300 * DAY_S
    assert search(whole.where(cut), whole.where(~cut), now=300 * DAY_S).waits is waits


@pytest.mark.parametrize("rows", [[("ann", "a", 1)], [("ann", "a", 1), ("ann", "a", 20)]])
def test_the_search_has_an_answer_where_nothing_can_be_learnt(rows):
    whole = history(*rows)
    assert search(whole, whole.where(np.zeros(len(whole), bool)), now=30 * DAY_S) == Parameters()
