"""What a run learns from: the history, what the store knows besides, and the shop's catalogue."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from models.catalogue import Catalogue
from models.errors import InputError
from service.store import Store
from training import learn, people, rights
from training.archive import Archive
from training.catalogue import build_catalogue, read_table
from training.demo import write_demo
from training.fit.affinities import Goods
from training.history import History
from training.read import Reading, read
from training.settings import Options, with_demo
from training.steps import Steps

DEMO = Path("var/demo")


@dataclass(frozen=True)
class Material:
    """What the run learns from.

    returned  what the history leaves out (see training.read)    as_of  the run's now, None where the history has no times
    archive   of a store that keeps few events
    """

    reading: Reading
    history: History
    returned: History
    told: people.Told
    archive: Archive | None
    catalogue: Catalogue
    as_of: int | None
    terms: learn.Terms


def gather(options: Options, store: Store | None, now: int, steps: Steps) -> Material:
    """All of it, without what was erased and what is newer than `--as-of`. Raises InputError where no purchase is left."""
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
    if not reading.history.has_times:
        steps.tell(
            "warning: no column says when: nothing is learnt of what is bought again and what sells of late. "
            "If one does, name it with --columns time=HEADER"
        )
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
    return Material(reading, history, returned, told, archive, catalogue, as_of, terms)


def _kept_and_refused(reading: Reading) -> str:
    refused = "; ".join(f"{refusal.reason} {refusal.count:,}" for refusal in reading.refusals)
    counts = reading.counts
    people_and_items = f"{counts['customers']:,} customers, {counts['items']:,} items"
    return f"{counts['rows']:,} rows: {counts['kept']:,} kept, {counts['refused']:,} refused ({refused or 'none'}); {people_and_items}"


def with_demo_shop(options: Options, store: Store | None, now: int) -> Options:
    """Write the demo shop, post its events as the site would have, and learn from its files."""
    demo = write_demo(DEMO, seed=options.seed)
    options = with_demo(options, [demo.purchases, demo.behaviour], demo.items, demo.customers, demo.settings)
    if store is not None:
        people.record_events(store, demo.events, currency=options.settings.shop.currency, now=now)
    return replace(options, as_of=options.as_of or demo.now)
