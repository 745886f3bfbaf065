"""The benchmark of purchase intent on a drawn shop, small enough for every run of the tests."""

import numpy as np
import pytest

from benchmarks.quality.intent import measured
from tests.training.histories import history

BUYERS, DAYS = 500, 720
VIEWS_A_DAY = 0.004  # without a purpose


def a_shop(seed=7):
    """Who buys does so at her own pace until she leaves, more towards the end of a year, and looks at what she buys some days before."""
    rng = np.random.default_rng(seed)
    pace, stays = rng.gamma(0.8, 1 / 70, BUYERS), rng.geometric(1 / 500, BUYERS)
    begins = rng.integers(0, DAYS - 60, BUYERS)
    for customer in range(BUYERS):
        who, last = f"c{customer:04}", min(begins[customer] + stays[customer], DAYS)
        days = np.arange(begins[customer], last)
        season = 1 + 0.4 * np.sin(2 * np.pi * (days - 250) / 365)
        yield who, "a", int(begins[customer]), {"amount": 1_000}
        for day in days[rng.random(len(days)) < pace[customer] * season].tolist():
            yield who, "b", day, {"amount": 1_000}
            if rng.random() < 0.7:
                yield who, "b", max(day - int(rng.integers(1, 6)), 0), {"event": "view_item"}
        for day in days[rng.random(len(days)) < VIEWS_A_DAY].tolist():
            yield who, "b", day, {"event": "view_item"}


@pytest.fixture(scope="module")
def table():
    return {row.method: row for row in measured(history(*a_shop()))}


@pytest.mark.parametrize(("days", "gain"), [(7, 0.03), (30, 0.005)])  # views come some days before an order
def test_intent_foretells_orders_better_than_a_part_of_it_and_is_calibrated(table, days, gain):
    ours, *alone = (row.values for name, row in table.items() if name.endswith(f" {days} days"))
    assert len(alone) == 3
    assert all(ours["auc"] > other["auc"] + gain and ours["log loss"] < other["log loss"] for other in alone)
    assert ours["calibration error"] <= 0.02
    assert ours["tenths inside"] >= 9


def test_eight_months_are_pooled(table):
    assert table["purchase intent, 30 days"].note.startswith("8 months, ")
