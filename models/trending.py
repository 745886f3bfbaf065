"""Trending: which items sell more than was to be expected of them, as far as that is sure.

An item's ratio of purchases to expectation has a Gamma prior of mean 1, fitted to all items, and is told by the lower 5 % bound of its
posterior, so that two sales where one was expected are no trend (EB05; DuMouchel, The American Statistician 53(3), 1999, sections 3 and 4,
with one Gamma). Expected is the share an item had of its peers' sales before: what all of them sell more of (a season, a weekday) is no rise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

LOWER = -1.6448536269514722  # standard normal, 5 %
FLOOR = 0.25  # of the average peer's purchases before: what sold less counts as that, or newcomers alone would trend


@dataclass(frozen=True)
class Trending:
    """Purchases of each item as of the run, a buyer's of one day counting once; row i is item i.

    recent  float32[items]  in the last `window_days`
    before  float32[items]  in the `baseline_days` before them
    prior   α of the Gamma(α, α) prior of the ratio: the smaller, the more ratios differ from item to item
    least   purchases in the window below which nothing is a trend
    """

    recent: NDArray[np.float32]
    before: NDArray[np.float32]
    prior: float
    window_days: float
    baseline_days: float
    least: int = 5

    def expected(self, peers: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
        """float64[items]: what each should sell in the window, given what its peers together sold in it; peers bool[items], None: all."""
        sold, before = (self.recent, self.before) if peers is None else (self.recent[peers], self.before[peers])
        usual = np.maximum(self.before, FLOOR * max(float(before.mean()), 1.0) if len(before) else FLOOR)
        usually = float((usual if peers is None else usual[peers]).sum())
        return np.asarray(usual * (float(sold.sum()) / max(usually, FLOOR)), dtype=np.float64)

    def rise(self, peers: NDArray[np.bool_] | None = None) -> NDArray[np.float32]:
        """float32[items]: how many times the expectation an item sells, with 95 % certainty at least; 0 for what sells less than `least`."""
        return self._of_all if peers is None else self._rise(peers)

    @cached_property
    def _of_all(self) -> NDArray[np.float32]:
        """Asked for again and again; it depends on nothing but the model."""
        return self._rise(None)

    def _rise(self, peers: NDArray[np.bool_] | None) -> NDArray[np.float32]:
        sure = gamma_quantile(self.prior + self.recent, LOWER) / (self.prior + self.expected(peers))
        return np.where(self.recent >= self.least, sure, 0.0).astype(np.float32)

    def longer(self, items: int) -> Trending:
        """The same for a catalogue of so many items: nobody has bought the newcomers yet."""
        nothing = np.zeros(items - len(self.recent), dtype=np.float32)
        return replace(self, recent=np.append(self.recent, nothing), before=np.append(self.before, nothing))


def gamma_quantile(shape: NDArray[np.float32], z: float) -> NDArray[np.float64]:
    """The quantile of Gamma(shape, 1) whose standard normal one is z, within 1 % above shape 5 (Wilson & Hilferty, PNAS 17, 1931)."""
    ninth = 1.0 / (9.0 * shape.astype(np.float64))
    return np.asarray(shape * np.maximum(1.0 - ninth + z * np.sqrt(ninth), 0.0) ** 3, dtype=np.float64)
