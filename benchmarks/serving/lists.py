"""Lists under load: what goes with an item, what is for a customer, and a mailing's thousands in one call."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import orjson

from benchmarks.profiles.stores import opened
from benchmarks.serving import drive
from benchmarks.serving.beside import at_half_load, compared
from benchmarks.serving.rows import Bound, Row
from benchmarks.serving.server import Server, valet
from benchmarks.serving.task import Task
from benchmarks.serving.world import World, customer_id, item_id, profiles, world
from models.bundle import CURRENT, load
from service.events import fold
from service.store.open import open_store

CUSTOMERS = 2_000
QUESTIONS = 1_000
FASTER_BARE = 3_200  # requests a second of the bare view on the machine that the issue names
FILTERS = {"category": ["Room 1", "Room 2", "Room 3", "Room 4", "Room 5"], "price_max": 4_000}


def complementary(task: Task) -> Iterator[Row]:
    """What goes with an item, product fields in the answer; items asked about as often as shops' are (a few most often)."""
    for items in task.sizes:
        with served(task, items) as (shop, ours):
            rows = np.minimum(np.random.default_rng(2).zipf(1.3, QUESTIONS), shop.items) - 1
            asked = [
                drive.get(f"/recommend?item_id={item_id(row)}&placement=product_page&n=10") for row in rows.tolist()
            ]
            values = compared(ours, asked, task.folder, seconds=task.seconds, workers=task.workers)
        yield Row(
            "complementary",
            task.place(items),
            values,
            task.gated({"of bare": Bound(least=0.70), "CPU µs above bare": Bound(most=120)}),
        )


def for_you(task: Task) -> Iterator[Row]:
    """What is for a customer of 50 events, with filters on, and how it answers at half of what it can do."""
    for items in task.sizes:
        with served(task, items) as (_, ours):
            asked = [
                drive.post("/recommend", {"customer_id": customer_id(n), "intent": "for_you", **FILTERS})
                for n in range(min(QUESTIONS, CUSTOMERS))
            ]
            values = compared(ours, asked, task.folder, seconds=task.seconds, workers=task.workers)
            half = values["a second"] / 2
            values |= at_half_load(ours, asked, task.folder, seconds=task.seconds, rate=half, workers=task.workers)
        asked_of = {"of bare": Bound(least=0.25), "p99 ms at half load": Bound(most=10)}
        if values["bare a second"] >= FASTER_BARE:
            asked_of["a second"] = Bound(least=1_000)
        yield Row("for_you", task.place(items), values, task.gated(asked_of if items <= 40_000 else {}))


def batch(task: Task) -> Iterator[Row]:
    """A mailing: NDJSON, one customer a line."""
    lines = b"\n".join(orjson.dumps({"customer_id": customer_id(n), "intent": "for_you"}) for n in range(CUSTOMERS))
    for items in task.sizes:
        with served(task, items) as (_, ours):
            ours.ask(drive.post("/recommend/batch", lines, "application/x-ndjson"))
            before, began = ours.cpu_s(), time.perf_counter()
            status, answer = ours.ask(drive.post("/recommend/batch", lines, "application/x-ndjson"))
            wall_s, cpu_s = time.perf_counter() - began, ours.cpu_s() - before
            last = orjson.loads(answer.rstrip().rpartition(b"\n")[2])
        assert (status, last) == (200, {"done": True, "count": CUSTOMERS}), last
        values = {"customers a second and core": CUSTOMERS / cpu_s, "customers a second": CUSTOMERS / wall_s}
        bound = {"customers a second and core": Bound(least=1_500)} if items == 40_000 else {}
        yield Row("batch", task.place(items), values, task.gated(bound))


@contextmanager
def served(task: Task, items: int) -> Iterator[tuple[World, Server]]:
    """A shop of so many items that is served, with CUSTOMERS customers in an empty store of the task's kind."""
    shop = world(task.worlds, items, factors=task.factors)
    with task.scratch() as folder, opened(task.store, folder) as patient:
        url = patient.partition("?")[0]  # the deadlines that a shop has
        kept = open_store(url)
        assert kept is not None
        kept.publish(profiles(load(shop.models_dir / CURRENT, verify=False).models, CUSTOMERS), sequence=0, fold=fold)
        kept.close()
        with valet(folder, shop.models_dir, url, workers=task.workers) as ours:
            yield shop, ours
