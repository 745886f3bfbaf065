"""Learning all models: which parameters (`choose`, on a validation cut of what may be learnt from), and the models themselves (`learn`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.blend import Blend
from models.bundle import Models
from models.catalogue import catalogue_of
from models.profile import Event
from models.settings import Settings
from training.fit import complements, ease, factors, lifetime, neighbours, popularity, repeat, sessions, tiers, trending
from training.fit.affinities import Goods
from training.history import History
from training.split import cut
from training.tune import Tuned, tune, untuned
from training.tune import learn as learn_items
from training.type_map import edited


@dataclass(frozen=True)
class Terms:
    """Under which terms to learn.

    now       seconds since 1970, the time of recency and decay; without times it changes nothing
    category  int32[items], -1 for none; None where no catalogue is known
    goods     what is known of them in the order of their rows; None: nothing
    also      events by customer that no history holds (training.people.Told); None: none
    """

    settings: Settings
    now: int
    seed: int = 0
    threads: int = 1
    category: NDArray[np.int32] | None = None
    goods: Goods | None = None
    also: Mapping[str, Sequence[Event]] | None = None


@dataclass(frozen=True)
class Chosen:
    """The parameters of every model. `items`: of those that score items, and their blend."""

    popularity: popularity.Parameters
    repeat: repeat.Parameters
    items: Tuned
    trending: trending.Parameters

    @property
    def manifest(self) -> dict[str, Any]:
        """As JSON."""
        alone = {name: asdict(getattr(self, name)) for name in ("popularity", "repeat", "trending")}
        return {**alone, **asdict(self.items)}

    @classmethod
    def of(cls, manifest: Mapping[str, Any]) -> Chosen:
        """The parameters that a manifest records."""
        items = Tuned(
            together=neighbours.Parameters(**manifest["together"]),
            alike=neighbours.Parameters(**manifest["alike"]),
            factors=factors.Parameters(**manifest["factors"]),
            blend=Blend(**manifest["blend"]),
            ease=ease.Parameters(**manifest["ease"]) if manifest.get("ease") else None,
            sessions=sessions.Parameters(**manifest["sessions"]) if manifest.get("sessions") else None,
            contest=manifest.get("contest", {}),
            complements=complements.Parameters(**manifest["complements"]) if manifest.get("complements") else None,
        )
        return cls(
            popularity.Parameters(**manifest["popularity"]),
            repeat.Parameters(**manifest["repeat"]),
            items,
            trending.Parameters(**manifest.get("trending", {})),
        )


def choose(train: History, terms: Terms, *, say: Callable[[str], None] = lambda step: None) -> Chosen:
    """The parameters that foretell the end of `train` best from what came before it. What cannot be measured keeps its default."""
    said = terms.settings.training
    parts = cut(train, seed=terms.seed)
    then = terms.now if parts.at is None else parts.at
    with ThreadPoolExecutor(max(terms.threads, 1)) as pool:
        found = pool.map(
            lambda search: search(parts.train, parts.test, now=then),
            (popularity.search, repeat.search, trending.search),
        )
    popular, repeated, rising = found
    items = tune(
        parts.train,
        parts.test,
        start=untuned(
            k=said.neighbours,
            minimum_support=said.minimum_support,
            factors=said.factors,
            iterations=said.iterations,
            seed=terms.seed,
        ),
        popularity=popularity.fit(parts.train, popular, now=then),
        repeat=repeat.fit(parts.train, repeated),
        now=parts.at,
        category=terms.category,
        goods=terms.goods,
        threads=terms.threads,
        seed=terms.seed,
        say=say,
    )
    return Chosen(popular, repeated, items, rising)


def learn(history: History, chosen: Chosen, terms: Terms) -> Models:
    """All that lists of items need, of a history; models it cannot teach are None.

    The catalogue holds ids alone and lifetimes are None: what no list is measured by comes with publishing.
    """
    nothing: list[dict[str, Any]] = [{}] * len(history.items)
    now = terms.now if history.has_times else None
    items = learn_items(history, chosen.items, now=now, goods=terms.goods, threads=terms.threads)
    return Models(
        catalogue=catalogue_of(history.items, nothing, [b"{}"] * len(history.items)),
        popularity=popularity.fit(history, chosen.popularity, now=terms.now),
        blend=chosen.items.blend,
        tiers=tiers.fit(history, terms.settings.tiers, now=terms.now, also=terms.also),
        together=items.together,
        alike=items.alike,
        factors=items.factors,
        repeat=repeat.fit(history, chosen.repeat),
        trending=trending.fit(history, chosen.trending, now=terms.now),
        ease=items.ease,
        sessions=items.sessions,
        complements=items.complements and edited(items.complements, terms.settings.complements),
    )


def with_lifetimes(models: Models, history: History, terms: Terms) -> Models:
    """The same models, and how long and how much customers buy; None where the history cannot teach that."""
    return replace(models, lifetime=lifetime.fit(history, now=terms.now))
