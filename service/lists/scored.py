"""Scores of customers side by side: one matrix product says of all of them what factors say; what else is said of each finds her best items."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from models.blend import rms
from models.bundle import Models
from models.factors import Factors
from models.folding import NOBODY, Folding, fold_all
from models.linear import Linear, Sum
from models.ranking import barred, top
from service.lists.blending import LEAST, TINY, estimable, exact, longer, sharp
from service.lists.question import Mask, Rows, Scores
from service.lists.taste import Taste

NEVER = np.float32(-np.inf)


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

    counted  source -> its weight: of factors, popularity, and those that add up neighbours, `linear`
    said     float32[sources, items]  what each source says of one customer, the linear ones first, then factors; the last is everybody's: what
             popularity gives to the scores; -inf for what may not stand in the list
    scale    of popularity     quick  whether factors are estimated
    """

    models: Models
    factors: Factors
    counted: Mapping[str, float]
    linear: Mapping[str, Linear]
    said: Scores
    scale: float
    quick: bool

    @classmethod
    def of(cls, models: Models, factors: Factors, counted: Mapping[str, float], allowed: Mask) -> Scorer:
        """For lists in which these items may stand."""
        scale = counted.get("popularity", 0.0) / max(models.popularity.size, TINY)
        linear = {name: getattr(models, name) for name in counted if isinstance(getattr(models, name), Linear)}
        said = np.empty((len(linear) + 2, len(allowed)), dtype=np.float32)
        np.multiply(models.popularity.score, np.float32(scale), out=said[-1])
        said[-1] += barred(allowed)
        return cls(models, factors, counted, linear, said, scale, estimable(models, counted))

    def best(self, tastes: Sequence[Taste], n: int) -> tuple[Folding, Iterator[Best | None]]:
        """The customers folded in, and the n best items of each; None where no source of evidence says anything, or fewer may stand there."""
        folding = fold_all(self.factors, [(one.rows, one.weights) for one in tastes])
        said = (self.factors.estimate if self.quick else self.factors.score)(folding.vectors)
        found = zip(tastes, folding.vectors, longer(said, len(self.models.catalogue)), strict=True)
        return folding, (self._best(*hers, n) for hers in found)

    def _best(self, taste: Taste, vector: Scores, factors: Scores, n: int) -> Best | None:
        sums = {name: model.sum(taste.rows, taste.weights) for name, model in self.linear.items()}
        for each, scores in zip(sums.values(), self.said, strict=False):
            each.into(scores)
        self.said[-2] = factors
        said = dict(zip((*sums, "factors"), self.said, strict=False))
        if not any(scores.max(initial=0) > LEAST.get(name, 0) for name, scores in said.items()):
            return None
        scales = {name: self.counted[name] / max(self._size(each, name, vector), TINY) for name, each in said.items()}
        scores = self._mixed(scales, taste)
        rows, exactly, sharpened = self._chosen(scores, scales["factors"], vector, n)
        if len(rows) < n:
            return None
        gave = {name: np.float32(scales[name]) * each[rows] for name, each in said.items()}
        gave |= {
            "factors": np.float32(scales["factors"]) * exactly,
            "popularity": np.float32(self.scale) * self.models.popularity.score[rows],
        }
        shares = np.array([gave[name] for name in self.counted])
        return Best(taste, rows, sharpened, shares, self._anchors(sums, taste, rows, shares))

    def _size(self, scores: Scores, name: str, vector: Scores) -> float:
        """The root mean square over all items."""
        return self.factors.rms(vector, items=len(scores)) if name == "factors" else rms(scores)

    def _mixed(self, scales: Mapping[str, float], taste: Taste) -> Scores:
        """Σ scale · scores; -inf also for what is hers already, lies in her cart, or was refused by her."""
        mixed = np.array([*scales.values(), 1], dtype=np.float32) @ self.said
        mixed[taste.rows[(taste.purchases > 0) | (taste.weights < 0)]] = NEVER
        mixed[taste.in_cart] = NEVER
        return np.asarray(mixed)

    def _chosen(self, scores: Scores, scale: float, vector: Scores, n: int) -> tuple[Rows, Scores, Scores]:
        """The best n rows, what factors say of them exactly, and their scores with that."""
        factors = self.said[-2]
        if not self.quick:
            rows = top(scores, None, n)
            return rows, factors[rows], scores[rows]
        rows, said, sharpened, wanted = sharp(scores, None, factors, scale, partial(exact, self.factors, vector), n=n)
        return rows[wanted], said[wanted], sharpened[wanted]

    def _anchors(self, sums: Mapping[str, Sum], taste: Taste, rows: Rows, shares: Scores) -> Rows:
        anchors, strongest = np.full(len(rows), NOBODY, dtype=np.int32), shares.argmax(axis=0)
        for place, name in enumerate(self.counted):
            wanted = (strongest == place).nonzero()[0]
            if name in sums and len(wanted):
                carried = sums[name].carried(rows[wanted])
                most = carried.argmax(axis=1)
                gave = carried[np.arange(len(wanted)), most] > 0
                anchors[wanted] = np.where(gave, taste.rows[most], NOBODY)
        return anchors
