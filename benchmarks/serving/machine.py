"""What a machine must have: the memory of one more worker, what is held of it many requests later, and the time until the first answer."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.profiles.stores import opened
from benchmarks.serving import drive
from benchmarks.serving.rows import Bound, Row
from benchmarks.serving.server import Server, pss_mb, valet
from benchmarks.serving.soak import MOST_MB, grown, questions
from benchmarks.serving.task import Task
from benchmarks.serving.world import customer_id, item_id, profiles, world
from models.bundle import CURRENT, MANIFEST, load
from service.events import fold
from service.store.open import open_store

SWAP_S = 5.0  # two polls and more
POLL_S = 0.05
REQUESTS = 500
MOST_ASKED = 1_000


def memory(task: Task) -> Iterator[Row]:
    """What the whole service has less when one of its two workers stops, once another bundle was swapped in and both answered some requests;
    and what the one that is left holds more after `task.requests` of all kinds. The store of so many customers is made once, and copied.
    """
    if task.workers > 1:
        return  # two are started, one is stopped
    items = max(task.sizes)
    with task.scratch() as folder, opened(task.store, folder) as url:
        models_dir = folder / "models"
        original = (world(task.worlds, items, factors=task.factors).models_dir / CURRENT).resolve()
        _filled(task, url, original, folder)
        _version(original, models_dir, "first")
        with valet(folder, models_dir, url, workers=2) as ours:
            _asked(ours, min(task.customers, MOST_ASKED))
            _version(original, models_dir, "second")
            time.sleep(SWAP_S)
            _asked(ours, min(task.customers, MOST_ASKED))
            both = _whole_mb(ours)
            ours.process.send_signal(signal.SIGTTOU)  # gunicorn goes on with one worker less
            while len(ours.workers) > 1:
                time.sleep(POLL_S)
            one = _whole_mb(ours)
            held = grown(ours, questions(items, task.customers), requests=task.requests)
    values = {"MB a second worker adds": both - one, "MB of one": one, "customers": float(task.customers), **held}
    asked_of = {"MB a second worker adds": Bound(most=40), "MB grown": Bound(most=MOST_MB), "failed": Bound(most=0)}
    yield Row("memory", f"{items:,} items · {task.store}", values, asked_of)


def _filled(task: Task, url: str, original: Path, folder: Path) -> None:
    """The store with all its customers; a file is kept beside the shops, for it takes minutes."""
    ready = task.worlds / f"customers-{task.customers}-{original.parent.name}.db"
    if task.store == "sqlite" and ready.exists():
        shutil.copyfile(ready, folder / "valet.db")
        return
    kept = open_store(url)
    assert kept is not None
    kept.publish(profiles(load(original, verify=False).models, task.customers), sequence=0, fold=fold)
    kept.scrub()
    kept.close()
    if task.store == "sqlite":
        shutil.copyfile(folder / "valet.db", ready.with_suffix(".part"))
        ready.with_suffix(".part").rename(ready)


def _whole_mb(ours: Server) -> float:
    return sum(map(pss_mb, (ours.process.pid, *ours.workers)))


def start(task: Task) -> Iterator[Row]:
    """From the command to /readyz: with the checksums, which are counted once a machine and version, and without."""
    if task.workers > 1:
        return
    items = max(task.sizes)
    with task.scratch() as folder, opened(task.store, folder) as url:
        _version(
            (world(task.worlds, items, factors=task.factors).models_dir / CURRENT).resolve(), folder / "models", "first"
        )
        ready_s = []
        for _ in range(3):
            with valet(folder, folder / "models", url) as ours:
                ready_s.append(ours.ready_s)
    values = {"s": min(ready_s[1:]), "s with checksums": ready_s[0]}
    yield Row("start", f"{items:,} items · {task.store}", values, {"s": Bound(most=2)})


def _version(original: Path, models_dir: Path, version: str) -> None:
    """The same bundle as another version, its arrays linked, and `current` naming it."""
    (models_dir / version).mkdir(parents=True)
    for file in original.iterdir():
        if file.name == MANIFEST:
            shutil.copyfile(file, models_dir / version / file.name)  # written anew: checksums are counted again
        else:
            os.link(file, models_dir / version / file.name)
    fresh = models_dir / ".current-fresh"
    fresh.symlink_to(version)
    fresh.replace(models_dir / CURRENT)


def _asked(ours: Server, customers: int) -> None:
    """Lists for some customers and of some items, on all workers."""
    asked = [
        drive.get(f"/recommend?customer_id={customer_id(nth % customers)}&intent=for_you") for nth in range(REQUESTS)
    ]
    asked += [drive.get(f"/recommend?item_id={item_id(nth)}") for nth in range(REQUESTS)]
    drive.paced(ours.port, asked, seconds=3.0, rate=None)
