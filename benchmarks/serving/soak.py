"""A soak: lists, lists for customers and events for many minutes, and what the worker holds of memory meanwhile."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence

import numpy as np

from benchmarks.serving import drive
from benchmarks.serving.lists import CUSTOMERS, served
from benchmarks.serving.rows import Bound, Row
from benchmarks.serving.server import Server, pss_mb
from benchmarks.serving.task import Task
from benchmarks.serving.world import customer_id, item_id

QUESTIONS = 2_000
TURN_S = 10.0
WARM = 0.2  # the part of the time in which what is kept fills up
MOST_MB = 10.0  # rounding of allocators; a leak of 50 bytes a request is as much after 200,000


def soak(task: Task) -> Iterator[Row]:
    """How much memory a worker holds at the end beyond what it held once it was warm; every request is answered."""
    if task.workers > 1:
        return  # each is alike
    items = min(task.sizes)
    with served(task, items) as (_, ours):
        values = grown(ours, questions(items, CUSTOMERS), minutes=task.minutes)
    asked_of = {"MB grown": Bound(most=MOST_MB), "failed": Bound(most=0)}
    yield Row("soak", f"{items:,} items · {task.store} · {task.minutes:g} min", values, asked_of)


def grown(
    ours: Server, asked: Sequence[bytes], *, minutes: float = math.inf, requests: float = math.inf
) -> dict[str, float]:
    """What its workers hold more at the end than once they were warm, after so many minutes or requests, whichever comes first."""
    count, failed, done, began = 0, 0, 0.0, time.monotonic()
    held: list[tuple[float, float]] = []
    while done < 1:
        driven = drive.saturate(ours.port, asked, seconds=min(TURN_S, 6 * minutes))
        count, failed = count + driven.count, failed + driven.failed
        done = max((time.monotonic() - began) / 60 / minutes, count / requests)
        held.append((done, sum(map(pss_mb, ours.workers))))
    warm, last = next(mb for after, mb in held if after >= WARM), held[-1][1]
    return {"MB grown": last - warm, "MB": last, "requests": float(count), "failed": float(failed)}


def questions(items: int, customers: int) -> list[bytes]:
    """Lists by item, lists by customer and events, in turn."""
    rng = np.random.default_rng(4)
    rows, people = rng.integers(items, size=QUESTIONS).tolist(), rng.integers(customers, size=QUESTIONS).tolist()
    kinds = (
        lambda row, who: drive.get(f"/recommend?item_id={item_id(row)}&placement=product_page"),
        lambda row, who: drive.get(f"/recommend?customer_id={customer_id(who)}&intent=for_you"),
        lambda row, who: drive.post(
            "/events", {"event": "view_item", "customer_id": customer_id(who), "item_id": item_id(row)}
        ),
    )
    return [kinds[nth % 3](row, who) for nth, (row, who) in enumerate(zip(rows, people, strict=True))]
