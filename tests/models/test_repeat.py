from dataclasses import replace

import numpy as np
import pytest

from models.repeat import Repeat
from models.settings import DAY_S

NOW = 1_000 * DAY_S
COFFEE, PIANO = 0, 1
MODEL = Repeat(
    share=np.array([0.8, 0.01], np.float32),
    interval_days=np.array([30, 30], np.float32),
    prior_share=0.2,
    prior_interval_days=30.0,
)


def score(model, *items):
    """Scores of (row, purchases, first purchase, last purchase), the last two in days ago."""
    rows, purchases, first, last = np.array(items).T
    return model.score(rows.astype(np.int32), purchases, NOW - first * DAY_S, NOW - last * DAY_S, now=NOW)


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ((COFFEE, 3, 90, 10), (COFFEE, 2, 90, 10)),  # bought more often
        ((COFFEE, 3, 90, 10), (COFFEE, 3, 90, 60)),  # bought of late
        ((COFFEE, 3, 90, 30), (PIANO, 3, 90, 30)),  # an item that people buy again
        ((COFFEE, 5, 30, 10), (COFFEE, 5, 300, 10)),  # bought at shorter intervals
    ],
)
def test_ranks_what_will_be_bought_sooner_first(better, worse):
    high, low = score(MODEL, better, worse)
    assert high > low > 0


def test_equals_the_formula():
    interval = (90 - 20 + 1 * 30) / (3 - 1 + 1)
    assert score(MODEL, (COFFEE, 3, 90, 20)) == pytest.approx([0.8 * (3 + 1) / (20 + interval)])


def test_where_early_counts_little_an_item_just_bought_waits_until_it_is_due():
    patient = Repeat(MODEL.share, MODEL.interval_days, 0.2, 30.0, early=0.1)
    just_bought, due, overdue = score(patient, (COFFEE, 4, 90, 0), (COFFEE, 4, 120, 30), (COFFEE, 4, 390, 300))
    assert due > overdue
    assert due > just_bought > 0


def test_what_was_never_bought_and_who_has_nothing_score_nothing():
    assert score(MODEL, (COFFEE, 0, 0, 0)).tolist() == [0.0]
    none = np.zeros(0, np.int32)
    assert MODEL.score(none, none, none.astype(np.int64), none.astype(np.int64), now=NOW).shape == (0,)


def test_early_and_overdue_are_outside_the_middle_half_of_log_normal_intervals():
    spread = 0.7
    model = replace(MODEL, spread=spread)
    waits = 30 * np.random.default_rng(0).lognormal(0, spread, 4_000)
    count = np.ones(len(waits), np.int32)
    at = (NOW - waits * DAY_S).astype(np.int64)
    timing = model.timing(0 * count, count, at, at, now=NOW)
    assert np.mean(timing.early) == pytest.approx(0.25, abs=0.02)
    assert np.mean(timing.overdue) == pytest.approx(0.25, abs=0.02)
    assert timing.interval_days == pytest.approx(30)


def test_a_purchase_later_than_now_is_a_purchase_just_made():
    assert score(MODEL, (COFFEE, 2, -5, -5)) == pytest.approx(score(MODEL, (COFFEE, 2, 0, 0)))
