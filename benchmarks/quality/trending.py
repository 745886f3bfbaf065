"""Trending: Online Retail, both years, a list of 20 every 28 days from April 2010: how much more of all purchases of the next 28 days its items
make than they made in the 12 weeks before the last 28 days. The window is chosen on the 28 days before each list.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.next_purchases import FILES
from benchmarks.quality.rows import Row
from models.ranking import top
from models.settings import DAY_S, Settings
from models.trending import Trending
from training import metrics
from training.fit import trending
from training.fit.popularity import once_a_day
from training.history import History
from training.read import read

DATASET = "trending"
LISTED, DAYS, BEGIN = 20, 28, int(np.datetime64("2010-04-01", "s").astype(int))

Rows = NDArray[np.int32]

METHODS: Mapping[str, Callable[[Trending], Rows]] = {
    "trending": lambda model: top(model.rise(), model.rise() > 1, LISTED),
    "most bought in the window": lambda model: top(model.recent, None, LISTED),
    "most bought before": lambda model: top(model.before, None, LISTED),
    "largest ratio of the two": lambda model: top(_ratio(model), None, LISTED),
}


def run(data: Path) -> list[Row]:
    """The rows of the table; none where the data set is not there."""
    paths = [str(data / name) for name in FILES]
    if not all(Path(path).exists() for path in paths):
        return []
    settings = Settings()
    history = read(paths, columns={}, settings=settings.history, shop=settings.shop, now=2**40).history
    days = range(BEGIN, (history.newest or 0) - DAYS * DAY_S, DAYS * DAY_S)
    gains = [_gains(history, now) for now in days]
    return [_row(name, np.array([gain[name] for gain in gains])) for name in METHODS]


def _ratio(model: Trending) -> NDArray[np.float32]:
    return np.asarray(model.recent / np.maximum(model.before, 0.5), dtype=np.float32)


def _gains(history: History, now: int) -> dict[str, float]:
    """By method, how much more of all purchases the list of `now` makes afterwards."""
    past = history.where(history.at <= now)
    begun = now - DAYS * DAY_S
    seen = past.at <= begun
    parameters = trending.search(past.where(seen), past.where(~seen), now=begun)
    model = trending.fit(past, parameters, now=now)
    usual = trending.fit(past, trending.Parameters(DAYS), now=now)
    if model is None or usual is None:
        return dict.fromkeys(METHODS, 0.0)
    later = history.where((history.at > now) & (history.at <= now + DAYS * DAY_S))
    sold = np.bincount(once_a_day(later.purchases).item, minlength=len(history.items))
    more = sold / sold.sum() - usual.before / usual.before.sum()
    return {name: float(more[method(model)].sum()) for name, method in METHODS.items()}


def _row(name: str, gains: NDArray[np.float64]) -> Row:
    return Row(
        DATASET,
        name,
        {"more of all purchases": metrics.mean(gains)},
        ours=name == "trending",
        interval={"more of all purchases": metrics.interval(gains)},
        note=f"{len(gains)} lists",
    )
