"""Evaluation: every model on what was held out, all items ranked, beside popularity and what each customer bought most.

`python -m training.evaluate --bundle DIR --test PATH --history PATH` measures a bundle on interactions that no split of ours made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from models.bundle import Models
from models.vocabulary import MISSING, Vocabulary
from training import metrics, scoring
from training.metrics import Ranked, Values
from training.queries import Queries
from training.scoring import Histories, Scores, Sources

OURS = "valet"
POPULARITY, PERSONAL = "popularity", "bought most"
METRICS = ("ndcg", "recall", "hr", "mrr", "coverage", "novelty")
ALONE = {
    "alike": "neighbours: same people",
    "together": "neighbours: same basket",
    "factors": "ALS factors",
    "repeat": "buy again",
}


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
    rows = tuple(_row(name, lists, popularity, seed) for name, lists in ranked.items())
    return Table(task, rows, {name: metrics.ndcg(lists) for name, lists in ranked.items()})


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
    known = {name: getattr(models, name) for name in ALONE}
    alone = {title: _source(name) for name, title in ALONE.items() if known[name] is not None}
    ours: Scorer = lambda scored, _: scoring.mix(models.blend, task.intent, scored)  # noqa: E731
    return {OURS: ours, **alone, POPULARITY: _source("popularity"), PERSONAL: _bought_most}


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
    sources = Sources(models.together, models.alike, models.factors, models.popularity, models.repeat)
    histories = task.queries.histories.weighed(models.blend, now=now)
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


def _row(name: str, ranked: Ranked, popularity: NDArray[np.float64], seed: int) -> Row:
    found = metrics.summary(ranked, popularity)
    intervals = {
        measure: metrics.interval(metrics.PER_CUSTOMER[measure](ranked), seed=seed)
        if measure in metrics.PER_CUSTOMER and len(ranked.rows)
        else None
        for measure in METRICS
    }
    return Row(name, name == OURS, {measure: found[measure] for measure in METRICS}, intervals)
