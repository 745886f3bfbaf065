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
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from models import bundle
from models.bundle import Models
from models.catalogue import Catalogue
from models.errors import BundleError, InputError
from service import retention
from service.store import Store
from service.store.open import open_store
from training import intents, learn, people, publish, report, rights, type_map
from training.audiences import audiences
from training.catalogue import build_catalogue, read_table
from training.census import Census, census
from training.command import UNEXPECTED, ended, stop_at_once
from training.decision_report import decided
from training.demo import write_demo
from training.evaluate import OURS, POPULARITY, Table, Task, evaluate, ndcg_of
from training.fit.affinities import Goods
from training.gate import Verdict, judge
from training.groups import Groups, groups
from training.history import History
from training.manifest import Live, build_manifest
from training.profile_rows import rows_of
from training.profiles import profiles
from training.read import Reading, read
from training.settings import Options, resolve, with_demo
from training.split import Cut, cut
from training.steps import Steps
from training.tasks import tasks_of

PUBLISHED = 0
DEMO = Path("var/demo")
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
            options = _with_demo_shop(options, store, now)
            # The demo shop ends on a fixed day, whatever this machine's clock says
            now = max(now, options.as_of or now)
        with steps("read"):
            source = _read(options, store, now, steps)
        with steps("split"):
            held_out = _hold_out(options, source, now)
        people_known = read_table(options.customers) if options.customers else []
        behaviour_learning = beside.submit(_behaviour, options, source, people_known)  # waits for no choice
        with steps("choose"):
            chosen = learn.choose(held_out.parts.train, source.terms, say=steps.say)
        with steps("fit"):
            trained = _trained(options, source, held_out, chosen)
        final = beside.submit(learn.learn, source.history, chosen, source.terms)  # is written whatever the gate says
        with steps("evaluate"):
            tables = _evaluate(options, held_out, trained)
        with steps("gate"):
            live = _live(options, source, held_out, chosen, tables)
            verdict = _judge(tables, live, options.seed)
        with steps("fit on everything"):
            models = final.result()
            models = replace(learn.with_lifetimes(models, source.history, source.terms), catalogue=source.catalogue)
        with steps("purchase intent and clusters"):
            intent, found = behaviour_learning.result()
            models = replace(models, intent=intent.intent, clusters=found.clusters)
        manifest = build_manifest(
            options, source.reading, source.history, as_of=source.as_of, chosen=chosen, held_out=held_out.parts.how,
            tables=tables, verdict=verdict, live=live, created_at=now, seconds=steps.seconds, told=source.told,
        )  # fmt: skip
        manifest |= {"intent": intent.manifest, "clusters": found.manifest}
        manifest["segments"] = _segments(options, source, models, people_known)
        with steps("value decisions"):
            manifest["decisions"], models = decided(models, store, source.history, now=now)
        with steps("publish"):
            if models.complements is not None:
                said = options.settings.complements
                manifest["complements"] = type_map.described(models.complements, models.catalogue, said)
            page = report.render(manifest, source.history, _census(source, models))
            version = publish.write(
                options.models_dir, models, manifest, created_at=now, files={"report.html": page}
            ).name
            switched = options.publish and (verdict is None or verdict.passed or options.force)
            if switched:
                bundle.switch(options.models_dir, version)
            publish.prune(options.models_dir, options.settings.training.keep_bundles)
        if store is not None and options.publish:
            with steps("profiles"):
                people.publish_profiles(store, source.history, source.returned, source.told, now=source.terms.now)
                people.publish_attributes(store, people_known)
                if store.capped:
                    retention.cap(store, upto=source.told.sequence, most=options.settings.events_keep_most)
    for line in _closing(options, version, tables, verdict, switched=switched):
        steps.tell(line)
    return PUBLISHED if switched or not options.publish else options.gate_exit


# --- read -------------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Source:
    """What the run learns from.

    returned  what the history leaves out (see training.read)    as_of  the run's now, None where the history has no times
    """

    reading: Reading
    history: History
    returned: History
    told: people.Told
    catalogue: Catalogue
    as_of: int | None
    terms: learn.Terms


def _read(options: Options, store: Store | None, now: int, steps: Steps) -> Source:
    archive = people.drained(store, options.events, keep_days=options.settings.events_keep_days)
    told = people.told(store, archive)
    catalogue_rows = read_table(options.items) if options.items else []
    reading = read(
        options.history,
        columns=options.columns,
        settings=options.settings.history,
        shop=options.settings.shop,
        now=now,
        events=people.bought_and_seen(store, told.sequence, archive),
        extra_items=[*(row["item_id"] for row in catalogue_rows), *told.put],
        threads=options.threads,
        progress=steps.say,
    )
    for file in reading.files:
        steps.tell(str(file))
    steps.tell(_kept_and_refused(reading))
    gone = rights.erased(store)
    history, returned = rights.without(reading.history, gone), rights.without(reading.returned, gone)
    if options.as_of is not None and history.has_times:
        history, returned = history.where(history.at <= options.as_of), returned.where(returned.at <= options.as_of)
    if not len(history.purchases):
        raise InputError("no purchase is left to learn from; check --as-of and the event column")
    as_of = (options.as_of or history.newest) if history.has_times else None
    catalogue = build_catalogue(
        history.items, reading.products, catalogue_rows, changes=told.items, currency=history.currency
    )
    terms = learn.Terms(
        options.settings,
        now if as_of is None else as_of,
        options.seed,
        options.threads,
        category=catalogue.category.code,
        goods=Goods.of([catalogue.fields(row) for row in range(len(catalogue))]),
        also=told.also,
    )
    return Source(reading, history, returned, told, catalogue, as_of, terms)


def _kept_and_refused(reading: Reading) -> str:
    refused = "; ".join(f"{refusal.reason} {refusal.count:,}" for refusal in reading.refusals)
    counts = reading.counts
    people_and_items = f"{counts['customers']:,} customers, {counts['items']:,} items"
    return f"{counts['rows']:,} rows: {counts['kept']:,} kept, {counts['refused']:,} refused ({refused or 'none'}); {people_and_items}"


def _with_demo_shop(options: Options, store: Store | None, now: int) -> Options:
    """Write the demo shop, post its events as the site would have, and learn from its files."""
    demo = write_demo(DEMO, seed=options.seed)
    options = with_demo(options, [demo.purchases, demo.behaviour], demo.items, demo.customers, demo.settings)
    if store is not None:
        people.record_events(store, demo.events, currency=options.settings.shop.currency, now=now)
    return replace(options, as_of=options.as_of or demo.now)


# --- split, evaluate, gate --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class HeldOut:
    """The parts of the history, and what the held-out part asks of the models; the rows of tasks are items of `parts.test`."""

    parts: Cut
    tasks: tuple[Task, ...]


def _hold_out(options: Options, source: Source, now: int) -> HeldOut:
    if options.test is None:
        parts = cut(source.history, days=options.settings.training.test_days, seed=options.seed)
    else:
        test = read(
            [options.test],
            columns=options.columns,
            settings=options.settings.history,
            shop=options.settings.shop,
            now=now,
        )
        parts = Cut(source.history, test.history, source.as_of, f"the file {Path(options.test).name}")
    return HeldOut(parts, tasks_of(parts, options.seed) if options.evaluate else ())


def _trained(options: Options, source: Source, held_out: HeldOut, chosen: learn.Chosen) -> Models | None:
    """What is learnt of the training part alone; None where nothing is evaluated."""
    if not options.evaluate:
        return None
    at = held_out.parts.at
    return learn.learn(held_out.parts.train, chosen, replace(source.terms, now=source.terms.now if at is None else at))


def _evaluate(options: Options, held_out: HeldOut, trained: Models | None) -> tuple[Table, ...]:
    if trained is None:
        return ()

    def table(task: Task) -> Table:
        return evaluate(trained, task, now=held_out.parts.at, seed=options.seed)

    with ThreadPoolExecutor(options.threads) as pool:
        return tuple(pool.map(table, held_out.tasks))


def _live(
    options: Options, source: Source, held_out: HeldOut, chosen: learn.Chosen, tables: Sequence[Table]
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
    terms = replace(source.terms, now=source.terms.now if parts.at is None else parts.at)
    again = learn.learn(parts.train, recorded, terms)
    return Live(served.version, "its parameters, fitted on the same training part", ndcg_of(again, task, now=parts.at))


def _behaviour(
    options: Options, source: Source, people_known: Sequence[Mapping[str, Any]]
) -> tuple[intents.Learnt, Groups]:
    """Purchase intent and clusters, of what happened as the service would have been told it."""
    if not source.history.has_times:
        return intents.Learnt(why=intents.NO_TIMES), Groups()
    rows = rows_of(source.history, now=source.terms.now, returned=source.returned)
    kinds = intents.kinds_of(rows, source.catalogue, people_known)
    learnt = intents.learn(rows, kinds, now=source.terms.now, measured=options.evaluate)
    return learnt, groups(rows, now=source.terms.now, seed=options.seed)


def _census(source: Source, models: Models) -> Census:
    returned, also = source.returned, source.told.also
    return census(source.history, models.tiers, now=source.terms.now, returned=returned, also=also)


def _segments(
    options: Options, source: Source, models: Models, people_known: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The shop's named segments with their sizes; nothing is reckoned where it has none."""
    if not options.settings.segments:
        return []
    everybody = profiles(source.history, now=source.terms.now, returned=source.returned, also=source.told.also)
    said = {str(row["customer_id"]): {name: row[name] for name in row if name != "customer_id"} for row in people_known}
    customers = len(source.history.customers)
    return audiences(everybody, said, options.settings, models, now=source.terms.now, customers=customers)


def _judge(tables: Sequence[Table], live: Live | None, seed: int) -> Verdict | None:
    """The gate looks at the first task that has cases; None where nothing was measured."""
    if not tables:
        return None
    ndcg = tables[0].ndcg
    return judge(ndcg[OURS], ndcg[POPULARITY], None if live is None else live.ndcg, seed=seed)


# --- publish ----------------------------------------------------------------------------------------------------------------------------


def _closing(
    options: Options, version: str, tables: Sequence[Table], verdict: Verdict | None, *, switched: bool
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
