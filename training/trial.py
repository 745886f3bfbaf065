"""The trial of what was learnt: the part of the history that is held out, what models say of it, and what the live bundle says."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from models import bundle
from models.bundle import Models
from models.errors import BundleError
from training import learn, publish
from training.evaluate import OURS, POPULARITY, Table, Task, evaluate, ndcg_of
from training.gate import Verdict, judge
from training.manifest import Live
from training.material import Material
from training.read import read
from training.settings import Options
from training.split import Cut, cut
from training.tasks import tasks_of


@dataclass(frozen=True)
class HeldOut:
    """The parts of the history, and what the held-out part asks of the models; the rows of tasks are items of `parts.test`."""

    parts: Cut
    tasks: tuple[Task, ...]


def hold_out(options: Options, material: Material, now: int) -> HeldOut:
    """The last days of the history, or the file `--test`, and what is asked of them; nothing is asked with `--no-evaluate`."""
    if options.test is None:
        parts = cut(material.history, days=options.settings.training.test_days, seed=options.seed)
    else:
        test = read(
            [options.test],
            columns=options.columns,
            settings=options.settings.history,
            shop=options.settings.shop,
            now=now,
        )
        parts = Cut(material.history, test.history, material.as_of, f"the file {Path(options.test).name}")
    return HeldOut(parts, tasks_of(parts, options.seed) if options.evaluate else ())


def trained_on(options: Options, material: Material, held_out: HeldOut, chosen: learn.Chosen) -> Models | None:
    """What is learnt of the training part alone; None where nothing is evaluated."""
    if not options.evaluate:
        return None
    at = held_out.parts.at
    return learn.learn(
        held_out.parts.train, chosen, replace(material.terms, now=material.terms.now if at is None else at)
    )


def evaluated(options: Options, held_out: HeldOut, trained: Models | None) -> tuple[Table, ...]:
    """What the models, and the baselines beside them, reach on each task."""
    if trained is None:
        return ()

    def table(task: Task) -> Table:
        return evaluate(trained, task, now=held_out.parts.at, seed=options.seed)

    with ThreadPoolExecutor(options.threads) as pool:
        return tuple(pool.map(table, held_out.tasks))


def live_beside(
    options: Options, material: Material, held_out: HeldOut, chosen: learn.Chosen, tables: Sequence[Table]
) -> Live | None:
    """The bundle that is served, on the gate's task.

    Its arrays are measured as they are where they cannot have seen the test: it is a file that no run learns from, or lies after the bundle's
    own time. Else its parameters are fitted on the same training part, so that the comparison is of like with like.
    """
    directory = publish.live(options.models_dir)
    if directory is None or not tables:
        return None
    try:
        served = bundle.load(directory)
    except BundleError as error:
        sys.stderr.write(f"the live bundle cannot be compared: {error}\n")
        return None
    parts, task = held_out.parts, held_out.tasks[0]
    seen_until = served.manifest.get("as_of_s")
    if options.test is not None or (parts.at is not None and seen_until is not None and seen_until <= parts.at):
        return Live(served.version, "as served", ndcg_of(served.models, task, now=parts.at))
    recorded = learn.Chosen.of(served.manifest["parameters"])
    if recorded == chosen:
        return Live(served.version, "the same parameters", tables[0].ndcg[OURS])
    terms = replace(material.terms, now=material.terms.now if parts.at is None else parts.at)
    again = learn.learn(parts.train, recorded, terms)
    return Live(served.version, "its parameters, fitted on the same training part", ndcg_of(again, task, now=parts.at))


def judged(tables: Sequence[Table], live: Live | None, seed: int) -> Verdict | None:
    """The gate looks at the first task that has cases; None where nothing was measured."""
    if not tables:
        return None
    ndcg = tables[0].ndcg
    return judge(ndcg[OURS], ndcg[POPULARITY], None if live is None else live.ndcg, seed=seed)
