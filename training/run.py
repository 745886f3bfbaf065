"""`python -m training.run`: from the till's export to a served bundle. `run` reads as the recipe; no step calls another.

read → refuse → split → choose → fit → evaluate → gate → fit on everything → publish
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from threadpoolctl import threadpool_limits

from models import bundle
from models.bundle import Models
from service import retention
from service.store import Store
from service.store.open import open_store
from training import intents, learn, people, publish, report, type_map
from training.audiences import audiences
from training.catalogue import read_table
from training.census import Census, census
from training.command import UNEXPECTED, ended, stop_at_once
from training.decision_report import decided
from training.evaluate import OURS, POPULARITY, Table
from training.gate import Verdict
from training.groups import Groups, groups
from training.manifest import build_manifest
from training.material import Material, gather, with_demo_shop
from training.profile_rows import rows_of
from training.profiles import profiles
from training.settings import Options, resolve
from training.steps import Steps
from training.trial import evaluated, hold_out, judged, live_beside, trained_on

PUBLISHED = 0
NICE = 10
INTERRUPTED = "interrupted; the live bundle is untouched"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, and give the exit code; what went wrong is one line on standard error."""

    def work() -> int:
        options = resolve(sys.argv[1:] if arguments is None else arguments)
        if arguments is None:  # a process of its own
            stop_at_once(INTERRUPTED)
            _step_back()
        return run(options, now=int(time.time()))

    return ended(work, interrupted=INTERRUPTED, otherwise=UNEXPECTED)


def _step_back() -> None:
    """Let whatever else this machine does, serving above all, go first."""
    os.nice(max(NICE - os.nice(0), 0))


def run(options: Options, *, now: int) -> int:
    """The whole job; the exit code says how it ended. `now` is the machine's clock, seconds since 1970 UTC."""
    steps = Steps()
    # A second BLAS thread gains nothing on the small systems that most of a run solves, and spins beside the solver's own threads.
    with (
        threadpool_limits(1, "blas"),
        publish.lock(options.models_dir),
        _opened(options.store) as store,
        ThreadPoolExecutor(1) as beside,
    ):
        if options.demo:
            options = with_demo_shop(options, store, now)
            # The demo shop ends on a fixed day, whatever this machine's clock says
            now = max(now, options.as_of or now)
        with steps("read"):
            material = gather(options, store, now, steps)
        history, terms = material.history, material.terms
        with steps("split"):
            held_out = hold_out(options, material, now)
        people_known = read_table(options.customers) if options.customers else []
        behaviour_learning = beside.submit(_behaviour, options, material, people_known)  # waits for no choice
        with steps("choose"):
            chosen = learn.choose(held_out.parts.train, terms, say=steps.say)
        with steps("fit"):
            trained = trained_on(options, material, held_out, chosen)
        final = beside.submit(learn.learn, history, chosen, terms)  # is written whatever the gate says
        with steps("evaluate"):
            tables = evaluated(options, held_out, trained)
        with steps("gate"):
            live = live_beside(options, material, held_out, chosen, tables)
            verdict = judged(tables, live, options.seed)
        with steps("fit on everything"):
            models = final.result()
            models = replace(learn.with_lifetimes(models, history, terms), catalogue=material.catalogue)
        with steps("purchase intent and clusters"):
            intent, found = behaviour_learning.result()
            models = replace(models, intent=intent.intent, clusters=found.clusters)
        manifest = build_manifest(
            options, material.reading, history, as_of=material.as_of, chosen=chosen, held_out=held_out.parts.how,
            tables=tables, verdict=verdict, live=live, created_at=now, seconds=steps.seconds, told=material.told,
        )  # fmt: skip
        segments = _segments(options, material, models, people_known)
        manifest |= {"intent": intent.manifest, "clusters": found.manifest, "segments": segments}
        with steps("value decisions"):
            manifest["decisions"], models = decided(models, store, history, now=now)
        with steps("publish"):
            manifest |= _complements(options, models)
            page = report.render(manifest, history, _census(material, models))
            version = publish.write(
                options.models_dir, models, manifest, created_at=now, files={"report.html": page}
            ).name
            switched = options.publish and (verdict is None or verdict.passed or options.force)
            if switched:
                bundle.switch(options.models_dir, version)
            publish.prune(options.models_dir, options.settings.training.keep_bundles)
        if store is not None and options.publish:
            with steps("profiles"):
                people.publish_profiles(store, history, material.returned, material.told, now=terms.now)
                people.publish_attributes(store, people_known)
                if material.archive is not None:
                    upto = material.archive.upto(store)
                    retention.cap(store, upto=upto, most=options.settings.events_keep_most)
    for line in _closing(options, version, tables, verdict, switched=switched, told=store is not None):
        steps.tell(line)
    return PUBLISHED if switched or not options.publish else options.gate_exit


def _behaviour(
    options: Options, material: Material, people_known: Sequence[Mapping[str, Any]]
) -> tuple[intents.Learnt, Groups]:
    """Purchase intent and clusters, of what happened as the service would have been told it."""
    if not material.history.has_times:
        return intents.Learnt(why=intents.NO_TIMES), Groups()
    rows = rows_of(material.history, now=material.terms.now, returned=material.returned)
    kinds = intents.kinds_of(rows, material.catalogue, people_known)
    learnt = intents.learn(rows, kinds, now=material.terms.now, measured=options.evaluate)
    return learnt, groups(rows, now=material.terms.now, seed=options.seed)


def _census(material: Material, models: Models) -> Census:
    returned, also = material.returned, material.told.also
    return census(material.history, models.tiers, now=material.terms.now, returned=returned, also=also)


def _complements(options: Options, models: Models) -> dict[str, Any]:
    """The map of types that the report shows, where one was learnt."""
    if models.complements is None:
        return {}
    said = options.settings.complements
    return {"complements": type_map.described(models.complements, models.catalogue, said)}


def _segments(
    options: Options, material: Material, models: Models, people_known: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The shop's named segments with their sizes; nothing is reckoned where it has none."""
    if not options.settings.segments:
        return []
    everybody = profiles(material.history, now=material.terms.now, returned=material.returned, also=material.told.also)
    said = {str(row["customer_id"]): {name: row[name] for name in row if name != "customer_id"} for row in people_known}
    customers = len(material.history.customers)
    return audiences(everybody, said, options.settings, models, now=material.terms.now, customers=customers)


def _closing(
    options: Options, version: str, tables: Sequence[Table], verdict: Verdict | None, *, switched: bool, told: bool
) -> Iterator[str]:
    """What a person wants to know at the end."""
    for table in tables:
        best = {row.model: row.metrics for row in table.rows}
        measured = ", ".join(f"{name}@{table.task.k} {best[OURS][name]:.4f}" for name in ("recall", "ndcg", "hr"))
        asked = f"{len(table.task.queries):,} {table.task.unit}"
        yield f"{table.task.title}: {measured} ({asked}); popularity ndcg {best[POPULARITY]['ndcg']:.4f}"
    for warning in verdict.warnings if verdict else ():
        yield f"warning: {warning}"
    for reason in verdict.reasons if verdict else ():
        yield f"the gate: {reason}"
    place = options.models_dir / version
    if switched:
        yield f"published {place} (report: {place / 'report.html'})"
        if not told:
            yield "no store was named: the service knows the items, and no customer. Name it with --store sqlite:///valet.db"
    elif not options.publish:
        yield f"written, not published: {place}"
    else:
        yield f"kept the old bundle; the new one lies in {place}. Serve it all the same with --force."


@contextmanager
def _opened(url: str | None) -> Iterator[Store | None]:
    store = None if url is None else open_store(url)
    try:
        yield store
    finally:
        if store is not None:
            store.close()


if __name__ == "__main__":
    sys.exit(main())
