"""Evaluation: every model on what was held out, all items ranked, beside popularity and what each customer bought most.

`python -m training.evaluate --bundle DIR --test PATH --history PATH` measures a bundle on interactions that no split of ours made; the
bundle knows no customer, so what they bought before comes with --history.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from models import bundle
from models.bundle import Models
from models.errors import InputError
from models.vocabulary import MISSING, Vocabulary
from training import metrics, scoring
from training.command import ended
from training.history import History, aligned
from training.metrics import Ranked, Values
from training.queries import Queries, completions, next_purchases, strangers
from training.read import read
from training.scoring import Histories, Scores, Sources
from training.settings import DEFAULT_CONFIG, columns, read_settings, whole

OURS = "valet"
POPULARITY, BOUGHT_MOST = "popularity", "bought_most"
METRICS = ("ndcg", "recall", "hr", "mrr", "coverage", "novelty")
ALONE = ("alike", "together", "factors", "repeat", "ease", "sessions", "complements")
# What a reader of a table should know of a model's name.
TITLES = {
    OURS: "Valet, the blend",
    "alike": "neighbours: same people",
    "together": "neighbours: same basket",
    "factors": "ALS factors",
    "repeat": "buy again",
    "ease": "EASE",
    "sessions": "nearest visits",
    "complements": "complements",
    POPULARITY: "popularity",
    BOUGHT_MOST: "what she bought most",
}
INTENTS = ("for_you", "buy_again", "complementary", "popular")


@dataclass(frozen=True)
class Task:
    """One question to the models. `intent` names the blend that answers it; `left_out`: cases with nothing to be found.

    items  what the rows of `queries` mean
    """

    title: str
    question: str
    unit: str
    intent: str
    queries: Queries
    items: Vocabulary
    left_out: int
    k: int = 20


@dataclass(frozen=True)
class Row:
    """One model on one task; `intervals` are 95 % bootstrap intervals of the means over cases, None where the measure has no cases."""

    model: str
    ours: bool
    metrics: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float] | None]


@dataclass(frozen=True)
class Table:
    """All models on one task. `ndcg`: the values by model and case, for paired comparisons; not part of the manifest."""

    task: Task
    rows: tuple[Row, ...]
    ndcg: Mapping[str, Values]

    @property
    def manifest(self) -> dict[str, Any]:
        """As JSON."""
        task = self.task
        told = {"title": task.title, "question": task.question, "unit": task.unit, "intent": task.intent, "k": task.k}
        counts = {"cases": len(task.queries), "left_out": task.left_out, "metrics": list(METRICS)}
        return {**told, **counts, "rows": [asdict(row) for row in self.rows]}


Scorer = Callable[[dict[str, Scores], Histories], Scores]


def evaluate(models: Models, task: Task, *, now: int | None, seed: int = 0) -> Table:
    """All models on one task; what a bundle does not know it cannot find, and that counts."""
    task = replace(task, queries=translated(task.queries, task.items, models.catalogue.items))
    scorers = _scorers(models, task)
    ranked = _ranked(models, task, scorers, now)
    popularity = models.popularity.score.astype(np.float64)
    return Table(
        task, tuple(_rows(ranked, popularity, seed)), {name: metrics.ndcg(lists) for name, lists in ranked.items()}
    )


def measure(models: Models, task: Task, name: str, *, now: int | None) -> dict[str, float]:
    """The metrics of one model of a bundle on one task. Raises InputError for a model that the bundle does not have."""
    task = replace(task, queries=translated(task.queries, task.items, models.catalogue.items))
    scorers = _scorers(models, task)
    if name not in scorers:
        raise InputError(f"--model {name}: this bundle has {', '.join(scorers)}")
    ranked = _ranked(models, task, {name: scorers[name]}, now)[name]
    return metrics.summary(ranked, models.popularity.score.astype(np.float64))


def ndcg_of(models: Models, task: Task, *, now: int | None) -> Values:
    """float64[cases]: NDCG@k of these models' blend alone, for the gate."""
    task = replace(task, queries=translated(task.queries, task.items, models.catalogue.items))
    return metrics.ndcg(_ranked(models, task, {OURS: _scorers(models, task)[OURS]}, now)[OURS])


def translated(queries: Queries, items: Vocabulary, into: Vocabulary) -> Queries:
    """The queries with their items numbered by another vocabulary.

    History items that it does not know are dropped; relevant ones become rows that no model has, so that they count as not found.
    """
    texts = items.texts(range(len(items)))
    rows = into.rows(texts)
    if len(into) == len(items) and np.array_equal(rows, np.arange(len(items))):
        return queries
    unknown = rows == MISSING
    column = rows.astype(np.int64)
    column[unknown] = len(into) + np.arange(int(unknown.sum()))
    relevant = queries.relevant.tocoo()
    shape = (relevant.shape[0], len(into) + int(unknown.sum()))
    moved = csr_matrix((relevant.data, (relevant.row, column[relevant.col])), shape=shape)
    return replace(queries, histories=_renumbered(queries.histories, rows, len(into)), relevant=moved)


def _renumbered(histories: Histories, rows: NDArray[np.int32], items: int) -> Histories:
    """The histories with rows by another vocabulary, sorted within each; unknown ones are left out."""
    owner = np.repeat(np.arange(len(histories)), np.diff(histories.indptr))
    row = rows[histories.rows]
    order = np.lexsort((row, owner))
    order = order[row[order] != MISSING]
    return Histories(
        items,
        np.searchsorted(owner[order], np.arange(len(histories) + 1)).astype(np.int64),
        row[order],
        histories.weights[order],
        histories.purchases[order],
        histories.first_at[order],
        histories.last_at[order],
    )


def _scorers(models: Models, task: Task) -> dict[str, Scorer]:
    """Our blend first, then each source alone, then the baselines."""
    sources = Sources.of(models, task.intent)
    alone = {name: _source(name) for name in ALONE if getattr(sources, name) is not None}
    ours: Scorer = lambda scored, part: scoring.served(models.blend, task.intent, sources, part, scored)  # noqa: E731
    return {OURS: ours, **alone, POPULARITY: _source("popularity"), BOUGHT_MOST: _bought_most}


def _source(name: str) -> Scorer:
    def scores(scored: dict[str, Scores], histories: Histories) -> Scores:
        found = scored.get(name)
        return np.zeros((len(histories), histories.items), dtype=np.float32) if found is None else found

    return scores


def _bought_most(_: dict[str, Scores], histories: Histories) -> Scores:
    """How often the customer bought each item; what she never bought is not shown."""
    bought = np.full((len(histories), histories.items), -np.inf, dtype=np.float32)
    owner = np.repeat(np.arange(len(histories)), np.diff(histories.indptr))
    bought[owner, histories.rows] = histories.purchases
    return bought


def _ranked(models: Models, task: Task, scorers: Mapping[str, Scorer], now: int | None) -> dict[str, Ranked]:
    """The lists of every model, block by block, so that memory is bounded by a block."""
    sources = Sources.of(models, task.intent)
    histories = task.queries.weighed(models.blend, now=now).histories
    blocks: dict[str, list[Ranked]] = {name: [] for name in scorers}
    for block in scoring.blocks(histories):
        part = histories.of(block.start, block.stop)
        scored = scoring.score(sources, part, now=now)
        for name, scorer in scorers.items():
            blocks[name].append(task.queries.rank(scorer(scored, part), block, task.k))
    return {name: _joined(parts, task.k) for name, parts in blocks.items()}


def _joined(parts: list[Ranked], k: int) -> Ranked:
    if not parts:
        return Ranked(np.zeros((0, k), np.int32), np.zeros((0, k), np.bool_), np.zeros(0, np.int64))
    return Ranked(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("rows", "hits", "relevant")))


def _rows(ranked: Mapping[str, Ranked], popularity: NDArray[np.float64], seed: int) -> Iterator[Row]:
    """The means, with intervals that are drawn for all models and measures at once."""
    measures = metrics.PER_CUSTOMER
    values = [measure(lists) for lists in ranked.values() for measure in measures.values()]
    bounds = iter(metrics.intervals(np.column_stack(values), seed=seed))
    for name, lists in ranked.items():
        found = metrics.summary(lists, popularity)
        within = {measure: next(bounds) for measure in measures}
        yield Row(
            name,
            name == OURS,
            {measure: found[measure] for measure in METRICS},
            {measure: within.get(measure) for measure in METRICS},
        )


# --- the command line -------------------------------------------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure a bundle on a file; exit 2 where bundle or files cannot be used."""
    given = _parser().parse_args(arguments)
    return ended(lambda: _measured(given), interrupted="interrupted; nothing was changed")


def _measured(given: argparse.Namespace) -> int:
    task, now = _task(given)
    models = bundle.load(given.bundle).models
    name = given.model or {"popular": POPULARITY, "buy_again": "repeat"}.get(given.intent, OURS)
    found = measure(models, task, name, now=now)
    told = {"k": given.k, "customers": len(task.queries), "model": name, "metrics": found}
    lines = [f"{task.title}: {len(task.queries):,} {task.unit}, {task.left_out:,} left out, model {name}"]
    lines += [f"{measure}@{given.k}  {value:.4f}" for measure, value in found.items()]
    sys.stdout.write(json.dumps(told) + "\n" if given.json else "\n".join(lines) + "\n")
    return 0


def _task(given: argparse.Namespace) -> tuple[Task, int | None]:
    """What the files ask of the bundle, and the time of the newest thing known."""
    config = given.config or os.environ.get("VALET_CONFIG") or (DEFAULT_CONFIG if DEFAULT_CONFIG.exists() else None)
    settings, now = read_settings(Path(config) if config else None), int(time.time())
    headers = {**settings.history.columns, **columns(given.columns)}

    def interactions(path: str) -> History:
        return read([path], columns=headers, settings=settings.history, shop=settings.shop, now=now).history

    test = interactions(given.test)
    if given.intent == "complementary":
        known, test = aligned(test if given.history is None else interactions(given.history), test)
        carts = completions(known, test)
        return Task("Complementary", "", "carts", given.intent, carts, known.items, 0, k=given.k), None
    if given.intent == "popular" and given.history is None:
        return Task("Popular", "", "customers", given.intent, strangers(test), test.items, 0, k=given.k), None
    if given.history is None:
        raise InputError(
            f"--intent {given.intent} needs --history: what the customers bought before; the bundle knows none of them"
        )
    known, test = aligned(interactions(given.history), test)
    cases = next_purchases(known, test, repeats=not given.exclude_seen)
    buyers = len(set(test.purchases.customer.tolist()) - {-1})
    intent = "for_you" if given.exclude_seen else "for_you_owned"
    return Task("For you", "", "customers", intent, cases, known.items, buyers - len(cases), k=given.k), known.newest


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="valet-evaluate", description="Measure a bundle on interactions that it was not trained on."
    )
    add = parser.add_argument
    add("--bundle", required=True, type=Path, metavar="DIR", help="a version's directory, or the link current")
    add("--test", required=True, metavar="PATH", help="what should be foretold")
    add("--history", metavar="PATH", help="what the customers bought before")
    add("--k", type=whole(1), default=20, help="the length of the lists (default 20)")
    add("--exclude-seen", action="store_true", help="lists without what the customer has, and without asking for it")
    add("--intent", choices=INTENTS, default="for_you")
    add("--model", metavar="NAME", help=f"one of {', '.join(TITLES)}; default: what answers the intent")
    add("--columns", action="append", metavar="FIELD=NAME,…", help="as for training.run")
    add("--config", metavar="PATH", help="valet.toml (default: ./valet.toml where it exists)")
    add("--json", action="store_true", help="print one line of JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())
