"""One request in process, without a server: what the models themselves take, and that the quick way finds what the exact one finds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from benchmarks.serving.rows import Bound, Row
from benchmarks.serving.task import Task
from benchmarks.serving.world import NOW, profiles, world
from models.bundle import CURRENT, load
from models.profile import load as load_profile
from service.lists.recommend import recommend
from service.lists.request import Request
from service.lists.taste import taste
from service.memory import keep_freed

CUSTOMERS = 200
N = 10


def in_process(task: Task) -> Iterator[Row]:
    """for_you of CUSTOMERS customers, one by one; recall is the share of the exact list's items that are in ours."""
    if task.workers > 1 or task.store != "sqlite":
        return  # no server, no store
    keep_freed()  # as a server does
    for items in task.sizes:
        models = load(world(task.worlds, items, factors=task.factors).models_dir / CURRENT, verify=False).models
        exact = replace(models, factors=models.factors and replace(models.factors, leading=None))
        request, tastes = Request(intent="for_you"), []
        for _, profile in profiles(models, CUSTOMERS, distinct=CUSTOMERS):
            tastes.append(taste(load_profile(profile), models, now=NOW))
        took, found = [], []
        for hers in tastes:
            began = time.thread_time()
            answer = recommend(request, models=models, taste=hers, now=NOW)
            took.append(time.thread_time() - began)
            true = recommend(request, models=exact, taste=hers, now=NOW)
            found.append(len({pick.row for pick in answer.picks} & {pick.row for pick in true.picks}) / N)
        values = {f"p{percentile} ms": float(np.percentile(took, percentile)) * 1e3 for percentile in (50, 90, 99)}
        values["recall@10"] = float(np.mean(found))
        asked = {"p50 ms": Bound(most=4), "recall@10": Bound(least=0.98)}
        yield Row("in_process", f"{items:,} items · for_you", values, asked)
