"""Months of customers whose features are drawn at random."""

import numpy as np

from models.intent import FEATURES
from training.fit.intent import Cut

WIDTH = len(FEATURES)


def months(seed=0, *, size=800, count=14, level=lambda day: -1.5):
    """Months of random features, of which the first two matter."""
    rng = np.random.default_rng(seed)
    for month in range(count):
        x = rng.normal(size=(size, WIDTH))
        today = 1_000 + 30 * month
        log_odds = level(today + 15) + x[:, 0] - 0.5 * x[:, 1]
        y = rng.random((size, 2)) < (1 / (1 + np.exp(-log_odds)))[:, None]
        yield Cut(today, x, y)
