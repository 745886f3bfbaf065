"""Learning the blend: for one intent, how much each source counts, by coordinate search of NDCG@20 on a validation cut."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.blend import rms
from models.ranking import top
from training import metrics, scoring
from training.metrics import NOTHING
from training.queries import Queries
from training.scoring import Scores, Sources

K_MEASURED = 20
CANDIDATES = 60  # the best of each source: what could come among the first 20 of a blend
STEPS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0)  # a source beside the best one
ROUNDS = 3
FOLDS, LEAST_BAGGED = 4, 200  # parts of the queries, where there are so many
LEAST_GAIN = 1e-3  # relative; a source that brings less is left as it is

# Where nothing could be measured: the weights that several public histories agree on.
DEFAULT = {
    "for_you": {"together": 0.3, "alike": 1.0, "factors": 1.5, "popularity": 0.05},
    "for_you_owned": {"alike": 0.3, "factors": 0.3, "popularity": 0.05, "repeat": 1.0},
    "complementary": {"together": 1.0, "alike": 0.4, "factors": 0.2, "popularity": 0.02, "complements": 0.3},
    "similar": {"alike": 1.0, "factors": 1.0, "popularity": 0.02},
}


@dataclass(frozen=True)
class Candidates:
    """For each query the items that any source ranks high, with every source's score over its root mean square.

    scores    float32[sources, queries, candidates]
    rows      int32[queries, candidates]  rising; -1 pads the end
    hits      bool[queries, candidates]   which are relevant
    relevant  int64[queries]              how many items are relevant, candidates or not
    """

    names: tuple[str, ...]
    scores: NDArray[np.float32]
    rows: NDArray[np.int32]
    hits: NDArray[np.bool_]
    relevant: NDArray[np.int64]

    def part(self, start: int, step: int) -> Candidates:
        """Every `step`-th query from `start` on."""
        every = slice(start, None, step)
        return Candidates(self.names, self.scores[:, every], self.rows[every], self.hits[every], self.relevant[every])

    def without(self, names: Collection[str]) -> Candidates:
        """The same candidates, scored by the other sources alone."""
        kept = [place for place, name in enumerate(self.names) if name not in names]
        return replace(self, names=tuple(self.names[place] for place in kept), scores=self.scores[kept])

    def ndcg(self, weights: Mapping[str, float]) -> float:
        """Mean NDCG@20 of the blend with these weights."""
        return metrics.mean(self.values(weights))

    def values(self, weights: Mapping[str, float]) -> metrics.Values:
        """float64[queries]: NDCG@20 of the blend with these weights."""
        mixed = np.zeros(self.rows.shape, dtype=np.float32)
        for name, scores in zip(self.names, self.scores, strict=True):
            if weight := weights.get(name, 0.0):
                mixed += np.float32(weight) * scores
        mixed[self.rows == NOTHING] = -np.inf
        best = _best(mixed, K_MEASURED)
        hits = np.take_along_axis(self.hits, best, axis=1)
        return metrics.ndcg(metrics.Ranked(best.astype(np.int32), hits, self.relevant))


def search(candidates: Candidates) -> dict[str, float]:
    """source -> weight, the largest 1: the mean of what several parts of the queries say, for the best point of one is chance.

    A source that never helps counts 0 and is left out. No queries or sources: nothing. (Bagging; Breiman 1996.)
    """
    parts = [candidates.part(start, FOLDS) for start in range(FOLDS)] if len(candidates.rows) >= LEAST_BAGGED else []
    found = [_climbed(part) for part in parts or [candidates]]
    mean = {name: sum(weights.get(name, 0.0) for weights in found) / len(found) for name in candidates.names}
    largest = max(mean.values(), default=0.0)
    return {name: round(weight / largest, 4) for name, weight in mean.items() if weight > 0}


def _climbed(candidates: Candidates) -> dict[str, float]:
    """The best single source first, then each other is weighed in turn, three rounds at most; the weights add up to 1."""
    if len(candidates.rows) == 0 or not candidates.names:
        return {}
    alone = {name: candidates.ndcg({name: 1.0}) for name in candidates.names}
    first = max(candidates.names, key=lambda name: alone[name])
    weights, best = {name: float(name == first) for name in candidates.names}, alone[first]
    for _ in range(ROUNDS):
        before = dict(weights)
        for name in candidates.names:
            if name != first:
                weights, best = _weigh(candidates, weights, name, best)
        if weights == before:
            break
    total = sum(weights.values())
    return {name: weight / total for name, weight in weights.items()}


def _weigh(candidates: Candidates, weights: dict[str, float], name: str, best: float) -> tuple[dict[str, float], float]:
    """The best step for one source, the others held: first every third step, then those beside the best."""
    tried = {weights[name]: best}

    def value(step: float) -> float:
        if step not in tried:
            tried[step] = candidates.ndcg({**weights, name: step})
        return tried[step]

    place = STEPS.index(max(STEPS[::3], key=value))
    step = max(STEPS[max(place - 2, 0) : place + 3], key=value)
    if value(step) <= best * (1 + LEAST_GAIN):
        return weights, best
    return {**weights, name: step}, value(step)


def candidates(sources: Sources, queries: Queries, *, now: int | None) -> Candidates:
    """Score the queries, and keep what could come among the first of any blend."""
    names: tuple[str, ...] = ()
    found: list[tuple[NDArray[np.int32], NDArray[np.float32]]] = []
    for block in scoring.blocks(queries.histories):
        histories = queries.histories.of(block.start, block.stop)
        scored = scoring.score(sources, histories, now=now)
        names = tuple(scored)
        for place in range(len(histories)):
            own = histories.rows[histories.indptr[place] : histories.indptr[place + 1]] if queries.hide else None
            found.append(_of_one([scored[name][place] for name in names], own))
    width = max((len(rows) for rows, _ in found), default=0)
    rows = np.full((len(found), width), NOTHING, dtype=np.int32)
    scores = np.zeros((len(names), len(found), width), dtype=np.float32)
    for place, (one, values) in enumerate(found):
        rows[place, : len(one)] = one
        scores[:, place, : len(one)] = values
    ranked = metrics.rank_hits(rows, queries.relevant)
    return Candidates(names, scores, rows, ranked.hits, ranked.relevant)


def _best(scores: Scores, k: int) -> NDArray[np.intp]:
    """The columns of the k best of each row, best first; few of many, so that sorting them all would be waste."""
    if scores.shape[1] <= k:
        return np.argsort(-scores, axis=1, kind="stable")
    best = np.argpartition(-scores, k, axis=1)[:, :k]
    order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1, kind="stable")
    return np.take_along_axis(best, order, axis=1)


def _of_one(scored: list[Scores], own: NDArray[np.int32] | None) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The candidates of one query, rising, and float32[sources, candidates]."""
    shown = None
    if own is not None:
        shown = np.ones(len(scored[0]), dtype=np.bool_)
        shown[own] = False
    rows = np.unique(np.concatenate([top(scores, shown, CANDIDATES) for scores in scored]))
    return rows, np.stack([scores[rows] / (rms(scores) or 1.0) for scores in scored]).astype(np.float32)
