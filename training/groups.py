"""Clusters in a run: the groups of customers who behave alike, with how many there are of each and what they are like."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from models.behaviour import Behaviour
from models.clusters import Clusters, orders
from models.profile import money
from models.settings import DAY_S
from training.behaviours import Past
from training.fit import clusters as learner
from training.profile_rows import Rows

MOST = 20_000  # customers who are looked at; of more, every so many-th, and sizes are estimates


@dataclass(frozen=True)
class Groups:
    """The learnt clusters (None where there are none), and each as JSON for the report: size, share, medians."""

    clusters: Clusters | None = None
    manifest: list[dict[str, Any]] = field(default_factory=list)


def groups(rows: Rows, *, now: int, seed: int) -> Groups:
    """The groups as of `now`, of rows with times."""
    every, today = max(-(-len(rows.customers) // MOST), 1), now // DAY_S
    told = Past(rows, every=every).upto(today)[1]
    clusters = learner.learn(told, today=today, seed=seed)
    return Groups(clusters, [] if clusters is None else list(_profiled(clusters, told, every, today)))


def _profiled(clusters: Clusters, told: Behaviour, every: int, today: int) -> Iterator[dict[str, Any]]:
    group, count, away = clusters.of(told, today=today), orders(told), today - told.bought.last
    for number, name in enumerate(clusters.names):
        own = group == number
        yield {
            "name": name,
            "customers": int(own.sum()) * every,
            "share": float(own.sum() / max((group >= 0).sum(), 1)),
            "orders": float(np.median(count[own])),
            "spent": money(round(float(np.median(told.value[own])))),
            "days_since_order": float(np.median(away[own])),
        }
