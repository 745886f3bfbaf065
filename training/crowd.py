"""The crowd: everybody that a mailing or an audience may hold, with what is known of each, and many customers' scores at once.

Who comes from the store, where profile and consent lie, or from history files, which know purchases alone.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from models import bundle
from models.bundle import CURRENT, Bundle, Models
from models.errors import InputError
from models.profile import load
from models.settings import Interest, Settings
from service.lists import taste
from service.lists.taste import Taste
from service.overlay import laid_over
from service.people.customers import SESSION, Known
from service.people.facts import MARKETING, consent, do_not_contact
from service.people.facts import load as load_facts
from service.store import Store
from training.profiles import profiles
from training.read import read
from training.scoring import Histories, Scores, Sources, score
from training.settings import parse_time, read_settings, whole

NOBODY = "the store knows no customer: train with it, or post events; or --store names another one"
CHUNK = 400  # customers a round trip to the store, and a task of a process
Person = tuple[str, bytes | None, bytes | None]  # customer_id, and the documents of her profile and facts
Done = TypeVar("Done")
SOFT = (
    "SOFT OPT-IN let in {count:,} who never said yes or no. They may be written to only about your own similar products, "
    "by e-mail or text message, if they could refuse when they bought and can in every message (Directive 2002/58/EC, Art. 13 (2))"
)


@dataclass(frozen=True)
class Crowd:
    """Customers by chunks, in the order of their ids. `now`: what the lists are of, seconds since 1970 UTC."""

    ids: Sequence[str]
    now: int
    store: Store | None = None
    documents: Mapping[str, bytes] | None = None

    def chunks(self, *, after: str | None = None) -> Iterator[list[Person]]:
        """Some hundred people at a time, of those whose id comes after this one."""
        ids = [customer_id for customer_id in self.ids if after is None or customer_id > after]
        for start in range(0, len(ids), CHUNK):
            yield self._read(ids[start : start + CHUNK])

    def _read(self, ids: Sequence[str]) -> list[Person]:
        if self.documents is not None:
            return [(customer_id, self.documents[customer_id], None) for customer_id in ids]
        assert self.store is not None  # noqa: S101  (one of both is there)
        found = self.store.customers(ids)
        return [
            (customer_id, kept.profile, kept.facts)
            for customer_id, kept in zip(ids, found, strict=True)
            if kept is not None
        ]


def of_store(store: Store, *, now: int) -> Crowd:
    """Everybody that the store knows; visits without a name are nobody that can be written to."""
    return Crowd([name for name in store.customer_ids() if not name.startswith(SESSION)], now, store=store)


def of_history(paths: Sequence[str], settings: Settings, *, as_of: int | None) -> Crowd:
    """Everybody in some files, as of their newest event."""
    reading = read(
        paths, columns=settings.history.columns, settings=settings.history, shop=settings.shop, now=int(time.time())
    )
    history, returned = reading.history, reading.returned
    if as_of is not None and history.has_times:
        history, returned = history.where(history.at <= as_of), returned.where(returned.at <= as_of)
    now = as_of or (history.newest if history.has_times else None) or int(time.time())
    documents = dict(profiles(history, now=now, returned=returned))
    return Crowd(sorted(documents), now, documents=documents)


@dataclass
class Permission:
    """Who may be written to on a channel: who said yes to marketing there. It counts whom it leaves out, and lets in without a yes.

    soft     also who said nothing and has bought, as Art. 13 (2) of Directive 2002/58/EC allows
    refused  left out: said no, or the address is dead      silent  left out: never asked, or never answered      unasked  let in by `soft`
    """

    channel: str
    soft: bool = False
    refused: int = 0
    silent: int = 0
    unasked: int = 0

    def among(self, people: Sequence[Person]) -> list[Person]:
        """Those of these people who may be written to."""
        return [one for one in people if self._allows(one)]

    def _allows(self, person: Person) -> bool:
        facts = load_facts(person[2])
        said = consent(facts, MARKETING, self.channel)
        if said == "no" or do_not_contact(facts, self.channel):
            self.refused += 1
        elif said == "yes":
            return True
        elif self.soft and load(person[1]).bought_on:
            self.unasked += 1
            return True
        else:
            self.silent += 1
        return False

    def __str__(self) -> str:
        cure = "" if self.soft or not self.silent else "; --soft-opt-in asks customers among them, read what it does"
        said = (
            f"left out: {self.silent:,} who never said yes to marketing on {self.channel}, "
            f"{self.refused:,} who said no or cannot be reached{cure}"
        )
        return f"{said}. {SOFT.format(count=self.unasked)}" if self.soft else said


def tastes(people: Sequence[Person], models: Models, *, now: int, interest: Interest) -> list[Taste]:
    """Everybody's taste, as the service reads it."""
    told = [(Known(load(profile), load_facts(facts)).telling, now) for _, profile, facts in people]
    return taste.tastes(told, models, interest=interest)


def scored(found: Sequence[Taste], sources: Sources, models: Models, now: int) -> dict[str, Scores]:
    """float32[customers, items] of each source; 0 for items that it does not know yet."""
    items = len(models.catalogue)
    scores = score(sources, histories(found, items), now=now)
    return {name: np.pad(block, ((0, 0), (0, items - block.shape[1]))) for name, block in scores.items()}


def histories(found: Sequence[Taste], items: int) -> Histories:
    """The tastes as one table of histories."""

    def joined(name: str, kind: type[Any]) -> Any:
        return np.concatenate([np.zeros(0, dtype=kind), *(getattr(one, name) for one in found)]).astype(kind)

    indptr = np.concatenate([[0], np.cumsum([len(one.rows) for one in found])]).astype(np.int64)
    return Histories(
        items,
        indptr,
        joined("rows", np.int32),
        joined("weights", np.float32),
        joined("purchases", np.int32),
        joined("first_at", np.int64),
        joined("last_at", np.int64),
    )


# --- the command line -------------------------------------------------------------------------------------------------------------------


def add_options(command: argparse.ArgumentParser) -> None:
    """The options that picks and segments share; each is also a variable VALET_…, and the flag wins."""
    add = command.add_argument
    add("--out", required=True, type=Path, metavar="FILE", help="a file that ends in .parquet, .csv or .jsonl")
    add("--history", nargs="+", metavar="PATH", help="purchase history instead of the store")
    add("--bundle", type=Path, metavar="DIR", help="default: current in --models-dir")
    add("--models-dir", metavar="DIR", help="default: ./models/trained")
    add("--store", metavar="URL", help="default: sqlite:///valet.db")
    add("--config", metavar="PATH", help="valet.toml (default: ./valet.toml where it exists)")
    add("--as-of", metavar="TIME", help="default: now, or the newest event of --history")
    add(
        "--soft-opt-in",
        action="store_true",
        help="also customers who bought and never said yes or no to marketing on the channel: for your own similar products, where they "
        "could refuse when they bought and can in every message (Directive 2002/58/EC, Art. 13 (2)); default: only who said yes",
    )
    add(
        "--threads", type=whole(1), default=os.cpu_count() or 1, metavar="N", help="processes (default: all processors)"
    )


@dataclass(frozen=True)
class Common:
    """The shared options, resolved."""

    bundle: Path
    store: str | None
    settings: Settings
    as_of: int | None
    config: Path | None = None


def resolve(given: argparse.Namespace, environment: Mapping[str, str] = os.environ) -> Common:
    """Flags, then environment, then defaults. Raises InputError."""
    config = given.config or environment.get("VALET_CONFIG") or ("valet.toml" if Path("valet.toml").exists() else None)
    settings = read_settings(Path(config) if config else None)
    models_dir = Path(given.models_dir or environment.get("VALET_MODELS_DIR") or "models/trained")
    store = given.store or environment.get("VALET_STORE") or "sqlite:///valet.db"
    as_of = given.as_of or environment.get("VALET_AS_OF")
    return Common(
        given.bundle or models_dir / CURRENT,
        None if given.history or store == "none" else store,
        settings,
        None if as_of is None else parse_time(as_of, settings.shop.time_zone),
        Path(config) if config else None,
    )


def load_bundle(path: Path, store: Store | None, settings: Settings) -> Bundle:
    """The bundle, with the shop's changes of items since training where there is a store: who is sold out is in no mailing."""
    learnt = bundle.load(path)
    return learnt if store is None else laid_over(learnt, store, currency=settings.shop.currency)


def gather(given: argparse.Namespace, common: Common, store: Store | None) -> Crowd:
    """The crowd of a command line. Raises InputError where nobody can be found."""
    if given.history:
        return of_history(given.history, common.settings, as_of=common.as_of)
    if store is None:
        raise InputError("no customers: give --store URL, or --history PATH…")
    crowd = of_store(store, now=common.as_of or int(time.time()))
    if not crowd.ids:
        raise InputError(NOBODY)
    return crowd


def in_order(pending: Iterator[Future[Done]], ahead: int) -> Iterator[Done]:
    """The results of tasks in their order, at most `ahead` of them waiting: memory stays bounded however slow the reader is."""
    waiting: list[Future[Done]] = []
    for task in pending:
        waiting.append(task)
        if len(waiting) > ahead:
            yield waiting.pop(0).result()
    for task in waiting:
        yield task.result()
