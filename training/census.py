"""How the customers stand today: how many in each tier, and on each field of the recency × frequency grid. For the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.profile import Event
from models.settings import DAY_S
from models.tiers import Tiers, segment
from training.days import purchase_days
from training.history import History
from training.lives import lives

MOST = 50_000  # customers who are looked at; of more, every n-th
NO_TIER = "no tier"


@dataclass(frozen=True)
class Census:
    """Counts of customers who bought. tiers: lowest first; grid: int64[5, 5], [recency - 1, frequency - 1]; segments: by (r, f)."""

    tiers: Mapping[str, int]
    grid: NDArray[np.int64]
    segments: Mapping[tuple[int, int], str]
    looked_at: int
    of: int


def census(
    history: History,
    tiers: Tiers,
    *,
    now: int,
    returned: History | None = None,
    also: Mapping[str, Sequence[Event]] | None = None,
) -> Census:
    """Where everybody stands as of `now`. `returned`, `also`: see training.profiles."""
    days, today = purchase_days(history, now=now), now // DAY_S
    orders = days.per_customer(days.orders)
    every = max(-(-len(days.start) // MOST), 1)
    found: Counter[str] = Counter()
    grid = np.zeros((5, 5), dtype=np.int64)
    for place, profile in lives(history, days, tiers, now=now, every=every, returned=returned, also=also):
        found[tiers.standing(profile, today=today).name or NO_TIER] += 1
        r, f, _ = tiers.rfm(today - int(days.day[days.end[place] - 1]), int(orders[place]), 0)
        grid[r - 1, f - 1] += 1
    names = [NO_TIER, *tiers.names] if found[NO_TIER] else list(tiers.names)
    cells = {(r, f): segment(r, f) for r in range(1, 6) for f in range(1, 6)}
    return Census({name: found[name] for name in names}, grid, cells, int(grid.sum()), len(days.start))
