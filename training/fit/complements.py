"""Learning complements (models.complements): item pairs, affinities of attributes, and how much of either a basket is worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from models.attributes import CODED
from models.complements import Complements
from training.fit import neighbours as fit_neighbours
from training.fit.affinities import Counts, Goods, WordLifts, coded, completes
from training.fit.belief import DEFAULT, believed
from training.matrices import Matrix
from training.queries import Queries

MASSES = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0)  # μ that are tried, in baskets


@dataclass(frozen=True)
class Parameters:
    """μ in baskets, θ by attribute; of the item pairs how many are kept, and after how long a basket says half (None: never)."""

    mass: float = 10.0
    theta: Mapping[str, float] = field(default_factory=lambda: dict(DEFAULT))
    k: int = 200
    half_life_days: float | None = None


def fit(matrix: Matrix, goods: Goods, parameters: Parameters = Parameters(), *, threads: int = 1) -> Complements:
    """The complements of all items, from baskets × items. Where no basket holds two, what is popular is all that it can say."""
    counts = Counts.of(matrix, goods, parameters.half_life_days)
    words, stranger = WordLifts.of(counts).weighed(parameters.theta)
    return Complements(
        lexicon=goods.lexicon,
        known=goods.known,
        share=_share(counts.begun),
        pairs=fit_neighbours.fit(matrix, _confidence(parameters), threads=threads),
        baskets=counts.begun.astype(np.float32),
        words=words,
        completes=completes(counts),
        stranger=stranger,
        mass=parameters.mass,
        **{name: coded(counts, name, parameters.theta[name]) for name in CODED},
    )


def search(matrix: Matrix, goods: Goods, queries: Queries, start: Parameters = Parameters()) -> Parameters:
    """θ, and the μ under which what lies beside the items of `queries`, one of each, is likeliest; `matrix` must not hold those baskets."""
    found = replace(start, theta=believed(matrix, goods, start.half_life_days))
    if len(queries) == 0 or not matrix.held.nnz:
        return found
    learnt = fit(matrix, goods, found)
    return replace(found, mass=max(MASSES, key=lambda mass: _log_likelihood(replace(learnt, mass=mass), queries)))


def _share(begun: NDArray[np.float64]) -> NDArray[np.float32]:
    """P(j), each item a little more than it was: what nobody bought counts as much as the lowest quarter of what was."""
    sold = begun[begun > 0]
    smoothed = begun + (float(np.quantile(sold, 0.25)) if len(sold) else 1.0)
    return (smoothed / max(float(smoothed.sum()), 1e-9)).astype(np.float32)


def _confidence(parameters: Parameters) -> fit_neighbours.Parameters:
    """c_ij: plain counts, each basket of size s worth 1 / s."""
    return fit_neighbours.Parameters(1.0, 0.0, 0.0, half_life_days=parameters.half_life_days, k=parameters.k)


def _log_likelihood(learnt: Complements, queries: Queries) -> float:
    """Σ over the queries of the mean log P(j | i) of what they should find."""
    total = 0.0
    bounds = queries.relevant.indptr
    for place, row in enumerate(queries.histories.rows.tolist()):
        if bounds[place + 1] > bounds[place]:
            wanted = queries.relevant.indices[bounds[place] : bounds[place + 1]]
            total += float(np.log(learnt.of(row)[wanted]).mean())
    return total
