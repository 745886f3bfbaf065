"""Learnt: what a bundle holds, one field a model."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from models.blend import Blend
from models.catalogue import Catalogue
from models.clusters import Clusters
from models.complements import Complements
from models.factors import Factors
from models.intent import Intent
from models.lifetime import Lifetime
from models.linear import Linear
from models.neighbours import Neighbours
from models.popularity import Popularity
from models.repeat import Repeat
from models.response import Response
from models.sessions import Sessions
from models.tiers import Tiers
from models.trending import Trending


@dataclass(frozen=True)
class Models:
    """Everything that training learns. A model the data could not teach is None, and its users do without.

    together  what is bought in one basket       alike     what the same people buy
    ease      what completes a whole cart        sessions  what visits like this one held besides
    response  who takes up which action
    complements  what goes with what, by what was bought together and by what items are
    """

    catalogue: Catalogue
    popularity: Popularity
    blend: Blend
    tiers: Tiers
    together: Neighbours | None = None
    alike: Neighbours | None = None
    factors: Factors | None = None
    repeat: Repeat | None = None
    lifetime: Lifetime | None = None
    trending: Trending | None = None
    ease: Linear | None = None
    sessions: Sessions | None = None
    complements: Complements | None = None
    intent: Intent | None = None
    clusters: Clusters | None = None
    response: Response | None = None

    @functools.cached_property
    def kept_grounds(self) -> dict[Any, Any]:
        """What is said of some of the items to everybody, kept by those who ask for it again and again."""
        return {}

    def over(self, catalogue: Catalogue) -> Models:
        """The same models over a catalogue with changes and newcomers, of which they know nothing but what they are; no large array of pairs is
        copied."""
        items = len(catalogue)
        if items == len(self.catalogue):
            return dataclasses.replace(self, catalogue=catalogue)
        return dataclasses.replace(
            self,
            catalogue=catalogue,
            popularity=self.popularity.longer(items),
            trending=self.trending and self.trending.longer(items),
            together=self.together and self.together.longer(items),
            alike=self.alike and self.alike.longer(items),
            repeat=self.repeat and self.repeat.longer(items),
            ease=self.ease and self.ease.longer(items),
            sessions=self.sessions and self.sessions.longer(items),
            complements=self.complements
            and self.complements.longer([catalogue.fields(row) for row in range(len(self.catalogue), items)]),
        )


@dataclass(frozen=True)
class Bundle:
    """A loaded bundle: the models mapped read-only, the manifest, and its version ("" where nothing is learnt yet)."""

    version: str
    manifest: Mapping[str, Any]
    models: Models
