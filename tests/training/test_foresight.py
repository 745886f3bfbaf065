from dataclasses import replace

import numpy as np
import pytest

from tests.training.cuts import months
from training.fit.intent import Kinds
from training.foresight import MOST_MONTHS, foresight, measure


def test_each_month_is_foretold_from_those_before_it():
    known = list(months(count=18))
    seven, thirty = foresight(known, Kinds())
    assert (seven.days, thirty.days) == (7, 30)
    assert [month[0] for month in thirty.months] == [cut.today for cut in known[-MOST_MONTHS:]]
    spoilt = [*known[:-1], replace(known[-1], y=~known[-1].y)]
    assert foresight(spoilt, Kinds())[1].months[:-1] == thirty.months[:-1]


def test_what_is_learnt_is_better_than_a_part_of_it():
    ours, *alone = foresight(list(months(count=18)), Kinds())[1].methods
    assert all(ours.auc > other.auc and ours.log_loss < other.log_loss for other in alone)


def test_too_few_months_are_not_measured():
    assert foresight(list(months(count=5)), Kinds()) == ()


def test_a_measure_by_eye():
    ordered = np.array([False] * 90 + [True] * 10)
    honest = measure("honest", np.full(100, 0.1), ordered)
    assert honest.log_loss == pytest.approx(-(0.1 * np.log(0.1) + 0.9 * np.log(0.9)))
    assert honest.auc == 0.5
    perfect = measure("perfect", np.where(ordered, 0.999, 0.001), ordered)
    assert (perfect.auc, perfect.error) == (1.0, pytest.approx(0.001))


def test_a_tenth_that_was_foretold_wrongly_lies_outside_its_interval():
    rng = np.random.default_rng(0)
    p = rng.uniform(0.05, 0.5, 20_000)
    ordered = rng.random(20_000) < p
    assert all(tenth.inside for tenth in measure("right", p, ordered).tenths)
    assert not any(tenth.inside for tenth in measure("wrong", p / 2, ordered).tenths)
