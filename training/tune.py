"""Tuning and learning the models of items: search on a validation cut, then fit as often as needed.

tuned  = tune(train, validation, …)      once, never seeing the test
learnt = learn(history, tuned, …)        on the training part to evaluate, on everything to publish
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from models.blend import Blend
from models.popularity import Popularity
from models.repeat import Repeat
from training import matrices
from training.fit import blend as fit_blend
from training.fit import factors as fit_factors
from training.fit import neighbours as fit_neighbours
from training.history import History
from training.queries import Queries, completions, next_purchases
from training.scoring import Sources

QUERIES = 2000  # of each kind, drawn by seed
FEW_QUERIES = 500  # to choose the half-life of taste
HALF_LIVES_DAYS = (None, 180.0, 60.0, 20.0)


@dataclass(frozen=True)
class Tuned:
    """The parameters of every model of items, and the blend: all that is chosen on validation data."""

    together: fit_neighbours.Parameters
    alike: fit_neighbours.Parameters
    factors: fit_factors.Parameters
    blend: Blend


def untuned(*, k: int = 200, factors: int | None = None, iterations: int | None = None, seed: int = 0) -> Tuned:
    """The defaults: where a search begins, and where it ends when there is nothing to measure."""
    neighbours = fit_neighbours.Parameters(k=k)
    als = fit_factors.Parameters(factors=factors, seed=seed)
    als = als if iterations is None else replace(als, iterations=iterations)
    return Tuned(
        together=replace(neighbours, target_exponent=0.1),
        alike=neighbours,
        factors=als,
        blend=Blend({intent: dict(weights) for intent, weights in fit_blend.DEFAULT.items()}),
    )


def tune(
    train: History,
    validation: History,
    *,
    start: Tuned,
    popularity: Popularity | None,
    repeat: Repeat | None,
    now: int | None,
    threads: int = 1,
    seed: int = 0,
) -> Tuned:
    """Parameters and blend, learnt by foretelling `validation` from `train`; `start` where there is nothing to foretell.

    popularity, repeat  as learnt from `train`     now  the end of `train`, None without times
    """
    new_items = next_purchases(train, validation, repeats=False, limit=QUERIES, seed=seed)
    all_items = next_purchases(train, validation, repeats=True, limit=QUERIES, seed=seed)
    baskets = completions(train, validation, limit=QUERIES, seed=seed)
    by_basket, by_customer = matrices.baskets(train, now=now), matrices.customers(train, now=now)
    tuned = replace(
        start,
        together=fit_neighbours.search(by_basket, baskets, start.together, threads=threads),
        alike=fit_neighbours.search(by_customer, new_items, start.alike, threads=threads),
        factors=fit_factors.search(by_customer.held, new_items, start.factors, threads=threads),
    )
    sources = replace(learn(train, tuned, now=now, threads=threads), popularity=popularity, repeat=repeat)
    return replace(tuned, blend=_blend(sources, start.blend, new_items, all_items, baskets, now=now))


def learn(history: History, tuned: Tuned, *, now: int | None, threads: int = 1) -> Sources:
    """The neighbours and factors of a history; None for what it cannot teach (no basket, no known customer)."""
    by_basket, by_customer = matrices.baskets(history, now=now), matrices.customers(history, now=now)
    together = alike = factors = None
    if by_basket.held.nnz:
        together = fit_neighbours.fit(by_basket, tuned.together, threads=threads)
    if by_customer.held.nnz:
        alike = fit_neighbours.fit(by_customer, tuned.alike, threads=threads)
        factors = fit_factors.fit(by_customer.held, tuned.factors, threads=threads)
    return Sources(together=together, alike=alike, factors=factors)


def _blend(
    sources: Sources, start: Blend, new_items: Queries, all_items: Queries, baskets: Queries, *, now: int | None
) -> Blend:
    personal = {"for_you": new_items}
    half_life_days = start.half_life_days
    if now is not None and len(all_items):  # without times the cut is by item, and no repeat can be seen
        personal["for_you_owned"] = all_items
        few = {intent: queries.first(FEW_QUERIES) for intent, queries in personal.items()}
        half_life_days = max(HALF_LIVES_DAYS, key=lambda days: _value(sources, few, days, now))
    blend = Blend({intent: dict(of) for intent, of in start.weights.items()}, half_life_days)
    for intent, queries in {**personal, "complementary": baskets}.items():
        found = fit_blend.candidates(sources, queries.weighed(blend, now=now), now=now)
        blend.weights[intent] = fit_blend.search(found) or blend.weights[intent]
    return blend


def _value(sources: Sources, personal: dict[str, Queries], half_life_days: float | None, now: int) -> float:
    """NDCG@20 of the best blends of all personal intents, when taste has this half-life."""
    value, blend = 0.0, Blend({}, half_life_days)
    for queries in personal.values():
        found = fit_blend.candidates(sources, queries.weighed(blend, now=now), now=now)
        value += found.ndcg(fit_blend.search(found))
    return value
