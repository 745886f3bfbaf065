"""Scoring many customers at once, block by block, with the numbers that the service computes for one."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from models.blend import BOUGHT, COMPLETING, Blend
from models.bundle import Models
from models.complements import Complements
from models.factors import Factors
from models.linear import Linear
from models.neighbours import Neighbours
from models.popularity import Popularity
from models.ranking import top
from models.repeat import Repeat
from models.sessions import Sessions, fading
from training.history import NO_TIME, History
from training.metrics import NOTHING

BLOCK_SCORES = 8_000_000  # scores of one source held at once: 32 MB

COSTLY = ("ease", "sessions", "complements")

Scores = NDArray[np.float32]  # float32[histories, items]


@dataclass(frozen=True)
class Histories:
    """What some customers (or carts) hold; history i is the columns from indptr[i] to indptr[i + 1], sorted by item.

    indptr     int64[histories + 1]     rows     int32[held]  items
    weights    float32[held]            purchases  int32[held]  on how many orders or days
    first_at   int64[held]              last_at  int64[held]  seconds since 1970, NO_TIME where the history has no times
    """

    items: int
    indptr: NDArray[np.int64]
    rows: NDArray[np.int32]
    weights: NDArray[np.float32]
    purchases: NDArray[np.int32]
    first_at: NDArray[np.int64]
    last_at: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.indptr) - 1

    @property
    def matrix(self) -> csr_matrix:
        """csr float32[histories, items] of the weights."""
        return csr_matrix((self.weights, self.rows, self.indptr), shape=(len(self), self.items))

    def of(self, start: int, stop: int) -> Histories:
        """The histories from `start` to `stop`."""
        held = slice(int(self.indptr[start]), int(self.indptr[stop]))
        return Histories(
            self.items,
            self.indptr[start : stop + 1] - self.indptr[start],
            self.rows[held],
            self.weights[held],
            self.purchases[held],
            self.first_at[held],
            self.last_at[held],
        )

    def weighed(self, blend: Blend, *, now: int | None) -> Histories:
        """The same histories with the weights that the blend gives them as of `now`; unchanged without times."""
        if now is None or len(self.last_at) == 0 or int(self.last_at[0]) == NO_TIME:
            return self
        return replace(self, weights=blend.recency(self.last_at, now=now))

    def faded(self, fade: float) -> Histories:
        """The same visits, each item weighing less for every one that came up after it."""
        bounds = itertools.pairwise(self.indptr.tolist())
        parts = [fading(self.last_at[start:stop], fade) for start, stop in bounds]
        return replace(self, weights=np.concatenate(parts) if parts else self.weights)


@dataclass(frozen=True)
class Sources:
    """The models that score items; None: the data could not teach it."""

    together: Neighbours | None = None
    alike: Neighbours | None = None
    factors: Factors | None = None
    popularity: Popularity | None = None
    repeat: Repeat | None = None
    ease: Linear | None = None
    sessions: Sessions | None = None
    complements: Complements | None = None

    @classmethod
    def of(cls, models: Models, intent: str) -> Sources:
        """The sources of a bundle; those that cost time only for an intent whose blend counts them."""
        counted = models.blend.of(intent)
        plain = cls(models.together, models.alike, models.factors, models.popularity, models.repeat)
        needed = {*counted, "complements"} if intent in COMPLETING else {*counted}
        costly = {name: getattr(models, name) for name in COSTLY if name in needed}
        return replace(plain, **costly)


def histories_of(history: History, customers: NDArray[np.int32]) -> Histories:
    """The purchases of some customers, each item once, all weights 1; `customers` int32[histories] without repeats."""
    place = np.full(len(history.customers) + 1, -1)
    place[customers] = np.arange(len(customers))
    bought = history.purchases
    bought = bought.where(place[bought.customer] >= 0)  # an unknown customer, -1, looks at the last place
    items = len(history.items)
    key = place[bought.customer] * np.int64(items) + bought.item
    keys, pair = np.unique(key, return_inverse=True)
    first_at = np.full(len(keys), np.iinfo(np.int64).max)
    last_at = np.full(len(keys), NO_TIME)
    np.minimum.at(first_at, pair, bought.at)
    np.maximum.at(last_at, pair, bought.at)
    return Histories(
        items,
        np.searchsorted(keys, np.arange(len(customers) + 1) * np.int64(items)),
        (keys % max(items, 1)).astype(np.int32),
        np.ones(len(keys), dtype=np.float32),
        _purchases(pair, bought),
        first_at,
        last_at,
    )


def carts(rows: NDArray[np.int32], items: int) -> Histories:
    """One history for each row, holding that item alone."""
    ones = np.ones(len(rows), dtype=np.int32)
    never = np.full(len(rows), NO_TIME)
    return Histories(items, np.arange(len(rows) + 1), rows, ones.astype(np.float32), ones, never, never)


def held_at(held: csr_matrix) -> Histories:
    """One history for each row of csr int64[histories, items], whose values say when an item came up; all weights 1."""
    held.sort_indices()
    ones = np.ones(held.nnz, dtype=np.int32)
    indptr, at = held.indptr.astype(np.int64), held.data.astype(np.int64)
    return Histories(held.shape[1], indptr, held.indices.astype(np.int32), ones.astype(np.float32), ones, at, at)


def blocks(histories: Histories) -> Iterator[slice]:
    """Slices of the histories whose scores fit in memory."""
    size = max(1, BLOCK_SCORES // max(histories.items, 1))
    for start in range(0, len(histories), size):
        yield slice(start, min(start + size, len(histories)))


def score(sources: Sources, histories: Histories, *, now: int | None) -> dict[str, Scores]:
    """The scores of a block of histories, by source; `repeat` only where the histories have times."""
    scored: dict[str, Scores] = {}
    for name, neighbours in (("together", sources.together), ("alike", sources.alike)):
        if neighbours is not None:
            scored[name] = add_up(neighbours, histories)
    if sources.factors is not None:
        scored["factors"] = fold_in(sources.factors, histories) @ sources.factors.item_factors.T
    if sources.popularity is not None:
        scored["popularity"] = np.broadcast_to(sources.popularity.score, (len(histories), histories.items))
    if sources.repeat is not None and now is not None:
        scored["repeat"] = buy_again(sources.repeat, histories, now=now)
    if sources.ease is not None:
        scored["ease"] = add_up(sources.ease, histories)
    if sources.sessions is not None:
        scored["sessions"] = of_each(sources.sessions, histories)
    if sources.complements is not None:
        scored["complements"] = called_for(sources.complements, histories)
    return scored


def add_up(linear: Linear, histories: Histories) -> Scores:
    """`Linear.add_up` of every history, as one sparse product."""
    shape = (len(linear), len(linear))
    pairs = csr_matrix((linear.scores, linear.indices, linear.indptr), shape=shape)
    return np.asarray((histories.matrix @ pairs).toarray(), dtype=np.float32)


def fold_in(factors: Factors, histories: Histories) -> NDArray[np.float32]:
    """float32[histories, factors]: `Factors.fold_in` of every history."""
    vectors = np.empty((len(histories), factors.item_factors.shape[1]), dtype=np.float32)
    for place in range(len(histories)):
        held = slice(int(histories.indptr[place]), int(histories.indptr[place + 1]))
        vectors[place] = factors.fold_in(histories.rows[held], histories.weights[held])
    return vectors


def of_each(model: Sessions, histories: Histories) -> Scores:
    """`Sessions.score` of every history."""
    scores = np.empty((len(histories), histories.items), dtype=np.float32)
    for place in range(len(histories)):
        held = slice(int(histories.indptr[place]), int(histories.indptr[place + 1]))
        scores[place] = model.score(histories.rows[held], histories.weights[held])
    return scores


def called_for(model: Complements, histories: Histories) -> Scores:
    """`Complements.score` of every history; what an item calls for is worked out once, however many hold it."""
    scores = np.zeros((len(histories), histories.items), dtype=np.float32)
    rows, place = np.unique(histories.rows, return_inverse=True)
    held = csr_matrix((histories.weights, place, histories.indptr), shape=(len(histories), len(rows))).tocsc()
    size = max(1, BLOCK_SCORES // max(histories.items, 1))
    for start in range(0, len(rows), size):
        some = slice(start, start + size)
        scores += held[:, some] @ np.stack([model.called_for(row) for row in rows[some].tolist()])
    for number, (start, stop) in enumerate(itertools.pairwise(histories.indptr.tolist())):
        scores[number] *= model.fitting(histories.rows[start:stop])
    return scores


def buy_again(repeat: Repeat, histories: Histories, *, now: int) -> Scores:
    """`Repeat.score` of every history, 0 for what is not owned."""
    worth = repeat.score(histories.rows, histories.purchases, histories.first_at, histories.last_at, now=now)
    return np.asarray(replace(histories, weights=worth).matrix.toarray(), dtype=np.float32)


def mix(blend: Blend, intent: str, scored: dict[str, Scores]) -> Scores:
    """`Blend.mix` of every history of a block."""
    rows = len(next(iter(scored.values())))
    return np.stack([blend.mix(intent, {name: scores[row] for name, scores in scored.items()}) for row in range(rows)])


def served(blend: Blend, intent: str, sources: Sources, histories: Histories, scored: dict[str, Scores]) -> Scores:
    """`mix`, as the service lists it: what goes with items of which baskets say nothing is told by complements alone, and types that may not
    complete those of the history are -inf."""
    mixed = mix(blend, intent, scored)
    if sources.complements is not None and intent in COMPLETING:
        said = [(scored[name] > 0).any(axis=1) for name in BOUGHT if name in scored]
        silent = ~np.logical_or.reduce(said) if said else np.ones(len(mixed), dtype=np.bool_)
        mixed[silent] = scored["complements"][silent]
        for place in range(len(histories)):
            held = slice(int(histories.indptr[place]), int(histories.indptr[place + 1]))
            mixed[place, ~sources.complements.fitting(histories.rows[held])] = -np.inf
    return mixed


def rank(scores: Scores, k: int, *, hidden: Histories | None = None) -> NDArray[np.int32]:
    """int32[histories, k]: the best rows of each, best first, -1 where fewer are left; `hidden` items are not shown."""
    ranked = np.full((len(scores), k), NOTHING, dtype=np.int32)
    for place in range(len(scores)):
        row = scores[place]
        if hidden is not None:
            row = row.copy()
            row[hidden.rows[hidden.indptr[place] : hidden.indptr[place + 1]]] = -np.inf
        best = top(row, None, k)
        ranked[place, : len(best)] = best
    return ranked


def _purchases(pair: NDArray[np.intp], bought: History) -> NDArray[np.int32]:
    """int32[pairs]: on how many orders an item was bought; where orders are unknown, rows."""
    order = np.where(bought.order >= 0, bought.order.astype(np.int64), -1 - np.arange(len(bought)))
    distinct = np.unique(np.stack([pair, order], axis=1), axis=0)
    return np.bincount(distinct[:, 0], minlength=int(pair.max(initial=-1)) + 1).astype(np.int32)
