"""Events under load: one a call, and a hundred a call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.serving import drive
from benchmarks.serving.beside import compared
from benchmarks.serving.lists import CUSTOMERS, served
from benchmarks.serving.rows import Bound, Row
from benchmarks.serving.task import Task
from benchmarks.serving.world import customer_id, item_id

QUESTIONS = 1_000
BATCH = 100


def events(task: Task) -> Iterator[Row]:
    """A page's views, single and in batches; without ids, so that none is a repeat."""
    items = min(task.sizes)
    rng = np.random.default_rng(3)
    single = [drive.post("/events", _event(rng, items)) for _ in range(QUESTIONS)]
    many = [drive.post("/events", [_event(rng, items) for _ in range(BATCH)]) for _ in range(QUESTIONS // 10)]
    with served(task, items) as (_, ours):
        values = compared(ours, single, task.folder, seconds=task.seconds, workers=task.workers)
        yield Row("events", task.place(items), values, task.gated({"of bare": Bound(least=0.40)}))
        before = ours.cpu_s()
        driven = drive.saturate(ours.port, many, seconds=task.seconds * 2)
        cpu_s = ours.cpu_s() - before
    values = {
        "a second": BATCH * driven.rate,
        "a second and core": BATCH * driven.count / cpu_s,
        "failed": driven.failed,
    }
    asked = task.gated({"a second": Bound(least=10_000), "failed": Bound(most=0)})
    yield Row(f"events by {BATCH}", task.place(items), values, asked)


def _event(rng: np.random.Generator, items: int) -> dict[str, Any]:
    who, what = int(rng.integers(CUSTOMERS)), int(rng.integers(items))
    return {"event": "view_item", "customer_id": customer_id(who), "item_id": item_id(what)}
