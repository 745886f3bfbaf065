"""Tuning and learning the models of items: search on a validation cut, then fit as often as needed.

tuned  = tune(train, validation, …)      once, never seeing the test; what must prove itself first: training.contend
learnt = learn(history, tuned, …)        on the training part to evaluate, on everything to publish
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from models.blend import COMPLETING, Blend
from models.complements import Complements
from models.errors import SolverError
from models.linear import Linear
from models.popularity import Popularity
from models.repeat import Repeat
from training import matrices
from training.contend import contend, questions, rival
from training.fit import blend as fit_blend
from training.fit import complements as fit_complements
from training.fit import ease as fit_ease
from training.fit import factors as fit_factors
from training.fit import neighbours as fit_neighbours
from training.fit import sessions as fit_sessions
from training.fit.affinities import Goods
from training.history import History
from training.queries import Queries, completions, next_purchases
from training.scoring import Sources
from training.visits import visits

T = TypeVar("T")

NOTHING = Sources()  # is known
CUSTOMERS, CARTS = 8000, 1200  # the most that a search asks about, drawn by seed
FEW = 300  # queries to choose the half-life of taste
HALF_LIVES_DAYS = (None, 180.0, 45.0)


@dataclass(frozen=True)
class Tuned:
    """The parameters of every model of items, and the blend: all that is chosen on validation data.

    ease, sessions  None where they did not prove better, and are not learnt
    complements     None where nothing is known of the items, or no basket is
    contest         intent -> what its own blend was measured to gain, as JSON (training.contend)
    """

    together: fit_neighbours.Parameters
    alike: fit_neighbours.Parameters
    factors: fit_factors.Parameters
    blend: Blend
    ease: fit_ease.Parameters | None = None
    sessions: fit_sessions.Parameters | None = None
    contest: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    complements: fit_complements.Parameters | None = None


def untuned(
    *, k: int = 200, minimum_support: int = 1, factors: int | None = None, iterations: int | None = None, seed: int = 0
) -> Tuned:
    """The defaults: where a search begins, and where it ends when there is nothing to measure."""
    neighbours = fit_neighbours.Parameters(k=k, minimum_support=minimum_support)
    als = fit_factors.Parameters(factors=factors, seed=seed)
    als = als if iterations is None else replace(als, iterations=iterations)
    return Tuned(
        together=replace(neighbours, target_exponent=0.1),
        alike=neighbours,
        factors=als,
        blend=Blend({intent: dict(weights) for intent, weights in fit_blend.DEFAULT.items()}),
    )


def tune(  # noqa: PLR0913 (one call of one recipe; every option has a name)
    train: History,
    validation: History,
    *,
    start: Tuned,
    popularity: Popularity | None,
    repeat: Repeat | None,
    now: int | None,
    category: NDArray[np.int32] | None = None,
    goods: Goods | None = None,
    threads: int = 1,
    seed: int = 0,
    say: Callable[[str], None] = lambda step: None,
) -> Tuned:
    """Parameters and blend, learnt by foretelling `validation` from `train`; `start` where there is nothing to foretell.

    popularity, repeat  as learnt from `train`     now  the end of `train`, None without times
    category  of the items, -1 for none            goods  what is known of them
    """
    new_items = next_purchases(train, validation, repeats=False, limit=CUSTOMERS, seed=seed)
    all_items = next_purchases(train, validation, repeats=True, limit=CUSTOMERS, seed=seed)
    baskets = completions(train, validation, limit=CARTS, seed=seed)
    by_basket, by_customer = matrices.baskets(train, now=now), matrices.customers(train, now=now)
    questioned = questions(train, validation, category=category, seed=seed)
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(max(threads, 1)) as pool:  # searches that share nothing
        factors = pool.submit(fit_factors.search, by_customer.held, new_items, start.factors)
        beside = pool.submit(_complete, by_basket, baskets, goods, start.together)
        alike = pool.submit(fit_neighbours.search, by_customer, new_items, start.alike)
        ease = pool.submit(rival, by_basket, questioned, fit_ease.Parameters(k=start.together.k))
        _tell({"ALS": factors, "baskets and complements": beside, "neighbours": alike, "EASE": ease}, say)
        together, complements, found = beside.result()
        als, vectors = factors.result()
    tuned = replace(start, together=together, alike=alike.result(), factors=als, complements=complements)
    say("learning the models to blend")
    known = Sources(factors=vectors, popularity=popularity, repeat=repeat, complements=found)
    sources = learn(train, tuned, now=now, goods=goods, threads=threads, known=known)
    asked = {"for_you": new_items, "complementary": baskets}
    if now is not None:  # without times the cut is by item, and no repeat can be seen
        asked["for_you_owned"] = all_items
    say("weighing the sources of the blend")
    blend = _blend(sources, start.blend, asked, now=now, threads=threads)
    say("EASE and visits prove themselves")
    contest = contend(train, questioned, sources=sources, blend=blend, ease=ease.result())
    return replace(tuned, blend=contest.blend, ease=contest.ease, sessions=contest.sessions, contest=contest.measured)


def _tell(searches: Mapping[str, Future[Any]], say: Callable[[str], None]) -> None:
    """Say which searches still run, each time that one ends."""
    for _ in as_completed(searches.values()):
        running = [name for name, search in searches.items() if not search.done()]
        say(f"still searching: {', '.join(running) or 'nothing'}")


def learn(
    history: History,
    tuned: Tuned,
    *,
    now: int | None,
    goods: Goods | None = None,
    threads: int = 1,
    known: Sources = NOTHING,
) -> Sources:
    """The models of a history that score items; None for what it cannot teach (no basket, no known customer).

    known  what is learnt already, and not learnt again
    """
    by_basket, by_customer = matrices.baskets(history, now=now), matrices.customers(history, now=now)
    baskets, customers = bool(by_basket.held.nnz), bool(by_customer.held.nnz)
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(max(threads, 1)) as pool:

        def learnt(possible: bool, fit: Callable[..., T], *of: Any) -> Callable[[], T | None]:
            return pool.submit(fit, *of, threads=threads).result if possible else lambda: None

        anew = customers and known.factors is None
        factors = learnt(anew, fit_factors.fit, by_customer.held, tuned.factors)
        together = learnt(baskets, fit_neighbours.fit, by_basket, tuned.together)
        alike = learnt(customers, fit_neighbours.fit, by_customer, tuned.alike)
        ease = learnt(tuned.ease is not None, _ease, by_basket, tuned.ease)
        anew = baskets and goods is not None and tuned.complements is not None and known.complements is None
        complements = learnt(anew, fit_complements.fit, by_basket, goods, tuned.complements)
    return replace(
        known,
        together=together(),
        alike=alike(),
        factors=known.factors or factors(),
        ease=ease(),
        sessions=None if tuned.sessions is None else fit_sessions.fit(visits(history), tuned.sessions),
        complements=known.complements or complements(),
    )


def _complete(
    by_basket: matrices.Matrix, queries: Queries, goods: Goods | None, start: fit_neighbours.Parameters
) -> tuple[fit_neighbours.Parameters, fit_complements.Parameters | None, Complements | None]:
    """The parameters of the neighbours in baskets, and of complements, which share their half-life; and those complements."""
    together = fit_neighbours.search(by_basket, queries, start)
    if goods is None or not by_basket.held.nnz:
        return together, None, None
    begin = fit_complements.Parameters(k=start.k, half_life_days=together.half_life_days)
    return together, *fit_complements.search(by_basket, goods, queries, begin)


def _ease(by_basket: matrices.Matrix, parameters: fit_ease.Parameters, *, threads: int) -> Linear | None:
    """EASE, or None where its solver died: the other sources of the blend do without."""
    try:
        return fit_ease.fit(by_basket, parameters, threads=threads)
    except SolverError as error:
        sys.stderr.write(f"{error}; carts are completed without it\n")
        return None


def _blend(sources: Sources, start: Blend, asked: dict[str, Queries], *, now: int | None, threads: int) -> Blend:
    """The half-life of taste and the weights of every intent of `asked`; the others keep those of `start`."""
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(max(threads, 1)) as pool:
        half_life_days = start.half_life_days
        personal = [queries.first(FEW) for intent, queries in asked.items() if intent != "complementary"]
        if now is not None and any(len(queries) for queries in personal):
            value = partial(_value, sources, personal, now=now)
            values = list(pool.map(value, HALF_LIVES_DAYS))
            half_life_days = HALF_LIVES_DAYS[values.index(max(values))]
        blend = Blend({intent: dict(weights) for intent, weights in start.weights.items()}, half_life_days)
        found = pool.map(lambda intent: _weights(sources, blend, asked[intent], intent, now=now), asked)
        learnt = {intent: weights for intent, weights in zip(asked, found, strict=True) if weights}
    return replace(blend, weights={**blend.weights, **learnt})


def _weights(sources: Sources, blend: Blend, queries: Queries, intent: str, *, now: int | None) -> dict[str, float]:
    if intent not in COMPLETING:
        sources = replace(sources, complements=None)
    return fit_blend.search(fit_blend.candidates(sources, queries.weighed(blend, now=now), now=now))


def _value(sources: Sources, personal: Sequence[Queries], half_life_days: float | None, *, now: int) -> float:
    """NDCG@20 of the best blends, summed over the personal intents, when taste has this half-life."""
    value, blend = 0.0, Blend({}, half_life_days)
    sources = replace(sources, complements=None)
    for queries in personal:
        found = fit_blend.candidates(sources, queries.weighed(blend, now=now), now=now)
        value += found.ndcg(fit_blend.search(found))
    return value
