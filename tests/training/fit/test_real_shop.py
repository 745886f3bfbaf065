"""What a real shop, Online Retail, teaches: directions, seasons, intervals. (One file: it is read once.)"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from models.catalogue import catalogue_of
from models.repeat import QUARTILE
from models.settings import DAY_S, HistorySettings, Shop
from models.trending import Trending
from training import matrices
from training.fit import complements, repeat, trending
from training.fit.affinities import Goods
from training.history import History
from training.read import Reading, read
from training.type_map import one_sided


@pytest.fixture(scope="module")
def retail(valet_data: Callable[[str], Path]) -> Reading:
    file = valet_data("online_retail/online_retail_2010_2011.csv.gz")
    return read([str(file)], columns={}, settings=HistorySettings(), shop=Shop(), now=1_400_000_000, threads=1)


def test_direction_counts_in_real_baskets(retail: Reading) -> None:
    """What is rarely bought calls for what it goes with more than the other way round."""
    items = retail.history.items
    goods = Goods.of([retail.products.get(item_id, {}) for item_id in items.texts(range(len(items)))])
    learnt = complements.fit(matrices.baskets(retail.history, now=None), goods)
    catalogue = catalogue_of(items, [{}] * len(learnt), [b"{}"] * len(learnt))
    pairs = one_sided(learnt, catalogue)
    assert len(pairs) == 10
    ways = [[items.row(pair[side]) for side in ("item", "calls_for")] for pair in pairs]
    ratios = [float(learnt.of(first)[second] / learnt.of(second)[first]) for first, second in ways]
    assert min(ratios) > 1
    assert max(ratios) > 5


def test_christmas_rises_in_autumn_and_easter_in_spring(retail: Reading) -> None:
    items = retail.history.items
    titles = [str(retail.products.get(item_id, {}).get("title")) for item_id in items.texts(range(len(items)))]

    def share(model: Trending, word: str) -> float:
        risen = np.flatnonzero(model.rise() > 1)
        return float(np.mean([word in titles[row] for row in risen]))

    spring, summer, autumn = (
        trending.fit(retail.history, trending.Parameters(28), now=int(np.datetime64(day, "s").astype(int)))
        for day in ("2011-03-15", "2011-07-15", "2011-10-15")
    )
    assert share(autumn, "CHRISTMAS") > 0.1 > 2 * share(summer, "CHRISTMAS")
    assert share(spring, "CHRISTMAS") == share(autumn, "EASTER") == 0
    assert share(spring, "EASTER") > 0.02 > 5 * share(summer, "EASTER")


def test_her_intervals_and_the_items_together_foretell_better_than_either_alone(retail: Reading) -> None:
    """The last interval of everybody who bought an item on four days or more, foretold from those before; half come when they are due."""
    model = repeat.fit(retail.history)
    item, days, first, last, gap = intervals(retail.history)
    rows = item.astype(np.int32), (days - 1).astype(np.int32), first * DAY_S, last * DAY_S

    def error(interval: np.ndarray) -> float:
        return float(np.abs(np.log(gap / interval)).mean())

    shrunk = model.interval(*rows)
    assert error(shrunk) < 0.97 * error((last - first) / (days - 2))
    assert error(shrunk) < error(model.interval_days[item])
    half = np.exp(QUARTILE * model.spread)
    assert 0.4 < np.mean((gap >= shrunk / half) & (gap <= shrunk * half)) < 0.6


def intervals(whole: History) -> tuple[np.ndarray, ...]:
    """Of each (customer, item) with four days or more: item, days, first day, last but one day, days from it to the last."""
    bought = whole.purchases.where(whole.purchases.customer >= 0)
    rows = np.unique(np.stack([bought.customer, bought.item, bought.at // DAY_S], axis=1), axis=0)
    start = np.flatnonzero(np.r_[True, (rows[1:, :2] != rows[:-1, :2]).any(axis=1)])
    days = np.diff(np.r_[start, len(rows)])
    start, days = start[days > 3], days[days > 3]
    end = start + days - 1
    return rows[start, 1], days, rows[start, 2], rows[end - 1, 2], rows[end, 2] - rows[end - 1, 2]
