"""Models that must prove themselves: EASE for whole carts and sessions for visits stand beside the neighbours only where they are better.

For the intents `cart`, `session` and `similar` (learnt from what was clicked on side by side, within a category) several blends meet on
validation queries, each learnt on one half of them and measured on the other: the weights as they stand (of the intent it stands for, or
the default), weights of its own, and weights of its own with EASE, with sessions, with both. The plainer one stays unless the next is
better by more than the standard error. What no blend counts is not learnt again, and is not in the bundle.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.blend import COMPLETING, STANDS_FOR, Blend
from models.errors import SolverError
from models.linear import Linear
from models.vocabulary import MISSING
from training import matrices, metrics
from training.fit import blend as fit_blend
from training.fit import ease as fit_ease
from training.fit import sessions as fit_sessions
from training.fit.blend import Candidates
from training.fit.climb import clearly_better
from training.history import History
from training.queries import Queries, looked_alike, next_clicks, unfinished
from training.scoring import Sources
from training.visits import visits

QUERIES, LEAST_QUERIES = 600, 30  # asked at most; with fewer nothing is proven
FADES = (1.0, 0.8, 0.6)
STANDING = "as it stands"
LEFT_OUT = {  # what a blend of the contest does without, the plainest first
    "own weights": ("ease", "sessions"),
    "with ease": ("sessions",),
    "with sessions": ("ease",),
    "with ease and sessions": (),
}


@dataclass(frozen=True)
class Contest:
    """The blend after the contest, and the parameters of the models that it counts; None: not used.

    measured  intent -> how many queries, NDCG@20 of each blend, and which was taken, or why nothing was measured; as JSON
    """

    blend: Blend
    ease: fit_ease.Parameters | None = None
    sessions: fit_sessions.Parameters | None = None
    measured: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def questions(
    train: History, validation: History, *, category: NDArray[np.int32] | None, seed: int = 0
) -> dict[str, Queries]:
    """What each intent is asked; `category` int32[items], -1 for none, or None where no catalogue is known."""
    categories = np.full(len(train.items), MISSING, dtype=np.int32) if category is None else category
    return {
        "cart": unfinished(train, validation, limit=QUERIES, seed=seed),
        "session": next_clicks(train, validation, limit=QUERIES, seed=seed),
        "similar": looked_alike(train, validation, categories, limit=QUERIES, seed=seed),
    }


@dataclass(frozen=True)
class Rival:
    """EASE before the contest: its parameters and what they teach, None where it cannot be learnt; `died`: why, where its solver did."""

    parameters: fit_ease.Parameters
    learnt: Linear | None = None
    died: str | None = None


def rival(by_basket: matrices.Matrix, asked: Mapping[str, Queries], start: fit_ease.Parameters) -> Rival:
    """EASE at its best on the carts of `asked`; not learnt where nothing can be proven."""
    if not _provable(asked):
        return Rival(start)
    try:
        found = fit_ease.search(by_basket, asked["cart"], start)
        return Rival(found, fit_ease.fit(by_basket, found))
    except SolverError as error:
        return Rival(start, died=str(error))


def contend(train: History, asked: Mapping[str, Queries], *, sources: Sources, blend: Blend, ease: Rival) -> Contest:
    """Who won. sources: as learnt of `train`; blend: of the other intents."""
    if not _provable(asked):
        return Contest(blend, measured={intent: _unmeasured(queries) for intent, queries in asked.items()})
    beside = fit_sessions.Parameters()
    sources = replace(sources, repeat=None, ease=ease.learnt, sessions=fit_sessions.fit(visits(train), beside))
    blend = replace(blend, fade=_fade(sources, asked["session"]))
    measured: dict[str, Mapping[str, Any]] = {"ease": {"error": ease.died}} if ease.died else {}
    for intent, queries in asked.items():
        weights, measured[intent] = _judged(sources, blend, intent, queries)
        if weights:
            blend = replace(blend, weights={**blend.weights, intent: weights})
    counted = {name for intent in asked for name in blend.of(intent)}
    return Contest(
        blend, ease.parameters if "ease" in counted else None, beside if "sessions" in counted else None, measured
    )


def _provable(asked: Mapping[str, Queries]) -> bool:
    return any(len(queries) >= LEAST_QUERIES for queries in asked.values())


def _fade(sources: Sources, clicks: Queries) -> float:
    """How much less an earlier item of a visit says, by the NDCG@20 of the best blends; 1 where no clicks were seen."""
    if len(clicks) < LEAST_QUERIES:
        return FADES[0]
    sources = replace(sources, complements=None)
    found = [fit_blend.candidates(sources, clicks.weighed(Blend({}, fade=fade), now=None), now=None) for fade in FADES]
    values = [candidates.ndcg(fit_blend.search(candidates)) for candidates in found]
    return FADES[values.index(max(values))]


def _judged(
    sources: Sources, blend: Blend, intent: str, queries: Queries
) -> tuple[dict[str, float] | None, Mapping[str, Any]]:
    """The weights that the intent shall have, None where it keeps those it stands for, and what was measured."""
    if len(queries) < LEAST_QUERIES:
        return None, _unmeasured(queries)
    if intent not in COMPLETING:
        sources = replace(sources, complements=None)
    found = fit_blend.candidates(sources, queries.weighed(blend, now=None), now=None)
    rivals = {name: found.without(left_out) for name, left_out in LEFT_OUT.items()}
    values = {STANDING: found.values(blend.of(STANDS_FOR.get(intent, intent)))}
    taken = STANDING
    for name, rival in rivals.items():
        values[name] = _crossed(rival)
        if clearly_better(values[name], values[taken]):
            taken = name
    told = {"queries": len(queries), "ndcg": {name: round(metrics.mean(each), 4) for name, each in values.items()}}
    return None if taken == STANDING else fit_blend.search(rivals[taken]), {**told, "taken": taken}


def _crossed(candidates: Candidates) -> metrics.Values:
    """float64[queries]: NDCG@20 of each half of the queries under the weights that the other half teaches."""
    values = np.empty(len(candidates.rows))
    for half in (0, 1):
        values[half::2] = candidates.part(half, 2).values(fit_blend.search(candidates.part(1 - half, 2)))
    return values


def _unmeasured(queries: Queries) -> Mapping[str, Any]:
    return {"queries": len(queries), "taken": STANDING, "why": f"fewer than {LEAST_QUERIES} to measure by"}
