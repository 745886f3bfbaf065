"""Learning complements (models.complements): item pairs, affinities of attributes, and how much of either a basket is worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from models.attributes import CODED
from models.complements import Complements
from training import metrics, scoring
from training.fit import neighbours as fit_neighbours
from training.fit.affinities import Counts, Goods, WordLifts, coded, completes
from training.fit.belief import DEFAULT, believed
from training.fit.climb import clearly_better
from training.matrices import Matrix
from training.queries import Queries

MASSES = (300.0, 100.0, 30.0, 10.0, 3.0, 1.0)  # μ that are tried, in baskets
TRIED = 10.0  # baskets after which half is known of what an item is bought with
K_MEASURED = 20


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
        tried=(counts.begun / (counts.begun + TRIED)).astype(np.float32),
        words=words,
        completes=completes(counts),
        stranger=stranger,
        mass=parameters.mass,
        **{name: coded(counts, name, parameters.theta[name]) for name in CODED},
    )


def search(
    matrix: Matrix, goods: Goods, queries: Queries, start: Parameters = Parameters()
) -> tuple[Parameters, Complements]:
    """The parameters, and what they teach: θ, and the largest μ beside which no smaller one foretells `queries` clearly better.

    The largest, because what many items have in common outlasts what two of them happened to do. `matrix` must not hold these baskets.
    """
    found = replace(start, theta=believed(matrix, goods, start.half_life_days))
    learnt = fit(matrix, goods, found)
    if len(queries) == 0 or not matrix.held.nnz:
        return found, learnt
    values = {mass: _ndcg(replace(learnt, mass=mass), queries) for mass in MASSES}
    best = MASSES[0]
    for mass in MASSES[1:]:
        if clearly_better(values[mass], values[best]):
            best = mass
    return replace(found, mass=best), replace(learnt, mass=best)


def _share(begun: NDArray[np.float64]) -> NDArray[np.float32]:
    """P(j), with as much again as was bought spread evenly: what nobody bought yet counts half of what the average item does."""
    smoothed = begun + (float(begun[begun > 0].mean()) if begun.any() else 1.0)
    return (smoothed / max(float(smoothed.sum()), 1e-9)).astype(np.float32)


def _confidence(parameters: Parameters) -> fit_neighbours.Parameters:
    """c_ij: plain counts, each basket of size s worth 1 / s."""
    return fit_neighbours.Parameters(1.0, 0.0, 0.0, half_life_days=parameters.half_life_days, k=parameters.k)


def _ndcg(learnt: Complements, queries: Queries) -> metrics.Values:
    """float64[queries]: NDCG@20 of P(j | i) alone."""
    sources = scoring.Sources(complements=learnt)
    values = []
    for block in scoring.blocks(queries.histories):
        scored = scoring.score(sources, queries.histories.of(block.start, block.stop), now=None)
        values.append(metrics.ndcg(queries.rank(scored["complements"], block, K_MEASURED)))
    return np.concatenate(values)
