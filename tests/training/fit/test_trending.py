import numpy as np
import pytest

from models.settings import DAY_S
from tests.training.histories import history
from training.fit.trending import Parameters, fit, search

NOW = 100 * DAY_S


def shop(*, until=100, rises=90):
    """Tea and mugs are bought every day, lights hardly ever before day `rises` and then by many."""
    for day in range(until):
        yield from ((f"t{day % 40}-{n}", "tea", day) for n in range(5))
        yield from ((f"m{day % 40}-{n}", "mug", day) for n in range(3))
        yield from ((f"l{day}-{n}", "lights", day) for n in range(6 if day >= rises else day % 5 == 0))


def of(model, whole):
    return dict(zip(whole.items.texts(range(len(whole.items))), model.rise().tolist(), strict=True))


def test_what_rose_of_late_trends_and_what_always_sold_well_does_not():
    whole = history(*shop())
    rise = of(fit(whole, Parameters(7), now=NOW), whole)
    assert rise["lights"] > 2
    assert max(rise["tea"], rise["mug"]) < 1


def test_a_trend_is_as_of_now():
    whole = history(*shop())
    early = fit(whole, Parameters(7), now=80 * DAY_S)
    assert (early.rise() <= 1).all()
    assert early.recent.tolist() == fit(history(*shop(until=81)), Parameters(7), now=80 * DAY_S).recent.tolist()


def test_a_bulk_buyer_is_no_trend():
    whole = history(*shop(rises=200), *(("bulk", "lights", 99) for _ in range(50)))
    assert of(fit(whole, Parameters(7), now=NOW), whole)["lights"] <= 1


@pytest.mark.parametrize(
    "whole",
    [
        history(*shop(until=30), times=False),
        history(("ann", "tea", 1)),  # nothing in the window
        history(("ann", "tea", 99)),  # nothing before it
        history(("ann", "tea", 99, {"event": "view_item"}), ("ann", "tea", 1)),
    ],
)
def test_cannot_be_learnt_without_times_or_with_nothing_to_compare(whole):
    assert fit(whole, now=NOW) is None


def test_the_less_ratios_differ_the_firmer_the_prior():
    rng = np.random.default_rng(0)
    steady = [(f"c{n}", f"i{rng.integers(50)}", rng.uniform(0, 100)) for n in range(20_000)]
    wild = [row for row in steady if row[2] < 86 or int(row[1][1:]) % 3]
    assert fit(history(*steady), now=NOW).prior > 10 * fit(history(*wild), now=NOW).prior


def test_the_window_is_that_whose_list_goes_on_rising():
    """Lights have sold for three weeks and stopped two days ago; candles began then and go on: a short window sees it."""
    rows = [*shop(rises=200)]
    rows += [(f"x{day}-{n}", "bells", day) for day in range(75, 94) for n in range(9)]
    rows += [(f"c{day}-{n}", "candles", day) for day in range(96, 110) for n in range(9)]
    rows += [(f"y{day}-{n}", "tea", day) for day in range(100, 110) for n in range(5)]
    whole = history(*rows)
    then = whole.at <= NOW
    assert search(whole.where(then), whole.where(~then), now=NOW).window_days in (7.0, 14.0)


@pytest.mark.parametrize("rows", [[("ann", "a", 1)], [*shop(until=100)]])
def test_the_search_has_an_answer_where_nothing_can_be_foretold(rows):
    whole = history(*rows)
    assert search(whole, whole.where(np.zeros(len(whole), bool)), now=NOW) == Parameters()
