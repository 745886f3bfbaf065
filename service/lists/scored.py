"""Scores of customers side by side: one matrix product says of all of them what factors say; what else is said of each finds her best items."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from models.blend import blended, rms
from models.bundle import Models
from models.factors import Factors
from models.folding import NOBODY, Folding, fold_all
from models.linear import Linear, Sum
from models.ranking import top
from service.lists.blending import LEAST, TINY, estimable, exact, longer, sharp
from service.lists.question import Mask, Rows, Scores
from service.lists.taste import Taste

NEVER = np.float32(-np.inf)
MOST_EXACT = (
    1 << 24
)  # numbers in the items' vectors: up to so many, a product of all costs less than estimates, sharpened


class Best(NamedTuple):
    """The best items of one customer, best first; arrays have an entry an item.

    rows, scores  int32, float32    shares  float32[sources, n]: what each source gave to the scores
    anchors       int32: the row of her history that gave most to the strongest source; NOBODY where none did, or factors are the strongest
    """

    taste: Taste
    rows: Rows
    scores: Scores
    shares: Scores
    anchors: Rows


@dataclass(frozen=True)
class Scorer:
    """What is the same for all customers of a block.

    counted   source -> its weight: of factors, popularity, and those that add up neighbours
    everybodys  float32[items]  what popularity gives to the scores; -inf for what may not stand in the list
    scale       of popularity     quick  whether factors are estimated
    """

    models: Models
    factors: Factors
    counted: Mapping[str, float]
    everybodys: Scores
    scale: float
    quick: bool

    @classmethod
    def of(cls, models: Models, factors: Factors, counted: Mapping[str, float], allowed: Mask) -> Scorer:
        """For lists in which these items may stand."""
        popularity = models.popularity
        scale = counted.get("popularity", 0.0) / max(popularity.size, TINY)
        everybodys = np.where(allowed, np.float32(scale) * popularity.score, NEVER)
        quick = factors.item_factors.size > MOST_EXACT and estimable(models, counted)
        return cls(models, factors, counted, everybodys, scale, quick)

    def best(self, tastes: Sequence[Taste], n: int) -> tuple[Folding, Iterator[Best | None]]:
        """The customers folded in, and the n best items of each; None where no source of evidence says anything, or fewer may stand there."""
        folding = fold_all(self.factors, [(one.rows, one.weights) for one in tastes])
        said = (self.factors.estimate if self.quick else self.factors.score)(folding.vectors)
        found = zip(tastes, folding.vectors, longer(said, len(self.models.catalogue)), strict=True)
        return folding, (self._best(*hers, n) for hers in found)

    def _best(self, taste: Taste, vector: Scores, factors: Scores, n: int) -> Best | None:
        sums = {name: self._sum(name, taste) for name in self.counted if isinstance(getattr(self.models, name), Linear)}
        said = {"factors": factors, **{name: each.scores for name, each in sums.items()}}
        if not any(each.max(initial=0) > LEAST.get(name, 0) for name, each in said.items()):
            return None
        scales = {name: self.counted[name] / max(self._size(each, name, vector), TINY) for name, each in said.items()}
        scores = self._mixed(said, scales, taste)
        rows, exactly, sharpened = self._chosen(scores, factors, scales["factors"], vector, n)
        if len(rows) < n:
            return None
        gave = {name: np.float32(scales[name]) * each[rows] for name, each in said.items()}
        gave |= {
            "factors": np.float32(scales["factors"]) * exactly,
            "popularity": np.float32(self.scale) * self.models.popularity.score[rows],
        }
        shares = np.stack([gave[name] for name in self.counted])
        return Best(taste, rows, sharpened, shares, self._anchors(sums, taste, rows, shares))

    def _sum(self, name: str, taste: Taste) -> Sum:
        model: Linear = getattr(self.models, name)
        return model.sum(taste.rows, taste.weights)

    def _size(self, scores: Scores, name: str, vector: Scores) -> float:
        """The root mean square over all items."""
        return self.factors.rms(vector, items=len(scores)) if name == "factors" else rms(scores)

    def _mixed(self, said: Mapping[str, Scores], scales: Mapping[str, float], taste: Taste) -> Scores:
        """Σ scale · scores; -inf also for what is hers already, lies in her cart, or was refused by her."""
        mixed = blended(said, scales)
        mixed += self.everybodys
        mixed[taste.rows[(taste.purchases > 0) | (taste.weights < 0)]] = NEVER
        mixed[taste.in_cart] = NEVER
        return mixed

    def _chosen(
        self, scores: Scores, factors: Scores, scale: float, vector: Scores, n: int
    ) -> tuple[Rows, Scores, Scores]:
        """The best n rows, what factors say of them exactly, and their scores with that."""
        if not self.quick:
            rows = top(scores, None, n)
            return rows, factors[rows], scores[rows]
        rows, said, sharpened, wanted = sharp(scores, None, factors, scale, partial(exact, self.factors, vector), n=n)
        return rows[wanted], said[wanted], sharpened[wanted]

    def _anchors(self, sums: Mapping[str, Sum], taste: Taste, rows: Rows, shares: Scores) -> Rows:
        anchors, strongest = np.full(len(rows), NOBODY, dtype=np.int32), shares.argmax(axis=0)
        for place, name in enumerate(self.counted):
            wanted = np.flatnonzero(strongest == place)
            if name in sums and len(wanted):
                carried = sums[name].carried(rows[wanted])
                most = carried.argmax(axis=1)
                gave = carried[np.arange(len(wanted)), most] > 0
                anchors[wanted] = np.where(gave, taste.rows[most], NOBODY)
        return anchors
