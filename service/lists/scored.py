"""Scores of customers side by side: what is alike for all is found once, and each one's items are scored while her numbers are at hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.blend import rms
from models.bundle import Models
from models.factors import Factors
from models.folding import NOBODY, fold_all
from models.linear import Linear, Sum
from models.ranking import barred, top
from service.lists.blending import LEAST, TINY, estimable, exact, longer, sharp
from service.lists.question import Mask, Rows, Scores
from service.lists.recommend import ROTATED
from service.lists.taste import Taste

NEVER = np.float32(-np.inf)
NEARLY = 10  # times what an estimate says, exact scores hardly are
FACTORS, POPULARITY = "factors", "popularity"
Pairs = tuple[NDArray[np.int64], NDArray[np.int64], Scores]


class Best(NamedTuple):
    """The best items of customers, best first.

    places  whose they are, among those asked for    shares   float32[customers, sources, n]: what each source gave to the scores
    rows    int32[customers, n]                      anchors  int32[customers, n]: the row of her history that gave most to the strongest source,
    scores  float32[customers, n]                             NOBODY where none did
    """

    places: Sequence[int]
    rows: Rows
    scores: Scores
    shares: Scores
    anchors: Rows


class One(NamedTuple):
    """The best items of one customer; `carried`: pairs of a target and an item of her history, for targets that neighbours gave most to."""

    rows: Rows
    scores: Scores
    shares: Scores
    carried: Sequence[Pairs]


@dataclass(frozen=True)
class Scorer:
    """What is the same for all customers of a block.

    counted  source -> its weight: of factors, popularity, and those that add up neighbours, `linear`
    said     float32[linear + 1, items]  what each of these says of one customer; the last is everybody's: what popularity gives to the scores;
             -inf for what may not stand in the list
    order    int64[sources]  where what a source gave stands, behind the linear ones popularity and factors
    quick    whether factors are estimated
    """

    models: Models
    factors: Factors
    counted: Mapping[str, float]
    linear: Mapping[str, Linear]
    said: Scores
    order: NDArray[np.int64]
    quick: bool

    @classmethod
    def of(cls, models: Models, factors: Factors, counted: Mapping[str, float], allowed: Mask) -> Scorer:
        """For lists in which these items may stand."""
        linear = {name: getattr(models, name) for name in counted if isinstance(getattr(models, name), Linear)}
        said = np.empty((len(linear) + 1, len(allowed)), dtype=np.float32)
        scale = counted.get(POPULARITY, 0.0) / max(models.popularity.size, TINY)
        np.multiply(models.popularity.score, np.float32(scale), out=said[-1])
        said[-1] += barred(allowed)
        order = np.array([[*linear, POPULARITY, FACTORS].index(name) for name in counted])
        return cls(models, factors, counted, linear, said, order, estimable(models, counted))

    def best(self, tastes: Sequence[Taste], n: int) -> Best | None:
        """The n best items of each for whom a source of evidence says something, and so many may stand there that did not tire her.

        None where there is nobody.
        """
        folding = fold_all(self.factors, [(one.rows, one.weights) for one in tastes])
        items = len(self.models.catalogue)
        sizes = np.maximum(self.factors.sizes(folding.vectors, items=items), np.float32(TINY))
        scales: Scores = (self.counted[FACTORS] / sizes).astype(np.float32)
        vectors = folding.vectors * scales[:, None]
        said = (self.factors.estimate if self.quick else self.factors.score)(vectors)
        each = zip(tastes, vectors, said, (LEAST[FACTORS] * scales).tolist(), self._sums(tastes), strict=True)
        made = {place: one for place, hers in enumerate(each) if (one := self._best(*hers, n)) is not None}
        if not made:
            return None
        rows, scores, shares, carried = zip(*made.values(), strict=True)
        best = Best([*made], np.array(rows), np.array(scores), np.array(shares), _anchors(made, tastes, carried, n))
        targets = np.zeros((len(tastes), n), dtype=np.int32)
        targets[best.places] = best.rows
        by_factors = best.shares.argmax(axis=1) == [*self.counted].index(FACTORS)
        carriers = folding.carriers(targets)[best.places]
        return best._replace(anchors=np.where(by_factors, carriers, best.anchors))

    def _sums(self, tastes: Sequence[Taste]) -> Iterable[tuple[Sum, ...]]:
        """What neighbours say of each."""
        rows = np.concatenate([one.rows for one in tastes])
        weights = np.concatenate([one.weights for one in tastes])
        ends = np.cumsum([len(one.rows) for one in tastes]).tolist()
        sums = [model.sums(rows, weights, ends) for model in self.linear.values()]
        return zip(*sums, strict=True) if sums else [()] * len(tastes)

    def _best(
        self, taste: Taste, vector: Scores, factors: Scores, least: float, sums: Sequence[Sum], n: int
    ) -> One | None:
        """vector, factors  what factors say, scaled already; up to `least` it is no evidence."""
        said = self.said[:-1]
        for each, scores in zip(sums, said, strict=True):
            each.into(scores)
        factors = longer(factors, self.said.shape[1])
        if not any(scores.max(initial=0) > 0 for scores in said) and not factors.max(initial=0) > least:
            return None
        counts = self._counts()
        mixed = self._mixed(counts, factors, taste)
        tired = self._put_behind(mixed, taste)
        rows, exactly, scores = self._chosen(mixed, factors, vector, n)
        if len(rows) < n or scores[-1] <= tired:
            return None
        gave = np.concatenate([self.said.take(rows, axis=1) * counts[:, None], exactly[None]])
        shares = gave.take(self.order, axis=0)
        return One(rows, scores, shares, [*self._carried(sums, rows, shares)])

    def _counts(self) -> Scores:
        """float32[linear + 1]: what one unit of each that is said counts in the scores."""
        sizes = zip(self.linear, self.said, strict=False)
        counts = [self.counted[name] / max(rms(scores), TINY) for name, scores in sizes]
        return np.array([*counts, 1], dtype=np.float32)

    def _mixed(self, counts: Scores, factors: Scores, taste: Taste) -> Scores:
        """All that is said, as one score; -inf also for what is hers already, lies in her cart, or was refused by her."""
        mixed = np.asarray(counts @ self.said)
        mixed += factors
        mixed[taste.rows[(taste.purchases > 0) | (taste.weights < 0)]] = NEVER
        if len(taste.in_cart):
            mixed[taste.in_cart] = NEVER
        return mixed

    def _put_behind(self, mixed: Scores, taste: Taste) -> float:
        """Bar what she was shown in vain; the score that the best of it would have, where it stands behind what else speaks to her."""
        if not len(taste.tired):
            return -np.inf
        least = NEARLY * ROTATED * float(mixed[taste.tired].max())
        mixed[taste.tired] = NEVER
        return least

    def _chosen(self, scores: Scores, factors: Scores, vector: Scores, n: int) -> tuple[Rows, Scores, Scores]:
        """The best n rows, what factors say of them exactly, and their scores with that."""
        if not self.quick:
            rows = top(scores, None, n)
            return rows, factors[rows], scores[rows]
        rows, said, sharpened, wanted = sharp(scores, None, factors, 1.0, partial(exact, self.factors, vector), n=n)
        return rows[wanted], said[wanted], sharpened[wanted]

    def _carried(self, sums: Sequence[Sum], rows: Rows, shares: Scores) -> Iterable[Pairs]:
        """What her items said of the rows to which neighbours gave most."""
        strongest = self.order[shares.argmax(axis=0)]
        for number, each in enumerate(sums):
            wanted = (strongest == number).nonzero()[0]
            if len(wanted):
                target, history, said = each.pairs(rows[wanted])
                yield wanted[target], history, said


def _anchors(places: Iterable[int], tastes: Sequence[Taste], carried: Sequence[Sequence[Pairs]], n: int) -> Rows:
    """int32[customers, n]: of the history of each at these places the row that carried most of each target; NOBODY where none did."""
    tastes = [tastes[place] for place in places]
    longest = max(len(one.rows) for one in tastes)
    gave = np.zeros((len(tastes), n, longest), dtype=np.float32)
    rows = np.full((len(tastes), longest), NOBODY, dtype=np.int32)
    for nth, (one, pairs) in enumerate(zip(tastes, carried, strict=True)):
        rows[nth, : len(one.rows)] = one.rows
        for target, history, said in pairs:
            np.add.at(gave[nth], (target, history), said)
    anchors = rows[np.arange(len(tastes))[:, None], gave.argmax(axis=2)]
    return np.where(gave.max(axis=2) > 0, anchors, NOBODY)
