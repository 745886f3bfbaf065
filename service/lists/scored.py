"""Scores of customers side by side: what is alike for all is found once, and each one's items are scored while her numbers are at hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.blend import rms
from models.bundle import Models
from models.factors import Factors
from models.folding import NOBODY, fold_all
from models.linear import Linear, Sum
from models.ranking import top
from service.lists.blending import LEAST, TINY, estimable, exact, longer, sharp
from service.lists.ground import Ground, ground
from service.lists.question import Rows, Scores
from service.lists.recommend import ROTATED
from service.lists.request import Request
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
    """The best items of one customer; `carried`: pairs of a target and a place in her history, for targets that neighbours gave most to."""

    rows: Rows
    scores: Scores
    shares: Scores
    carried: Sequence[Pairs]


@dataclass(frozen=True)
class Scorer:
    """What is the same for all customers of a block.

    counted  source -> its weight: of factors, popularity, and those that add up neighbours, `linear`
    ground   the items that may stand in the list
    said     float32[linear + 1, places]  what each of these says there of one customer; the last is the ground's: what popularity gives
    summed   float32[items]  where what neighbours say is added up, if it is to be gathered
    order    int64[sources]  where what a source gave stands, behind the linear ones popularity and factors
    quick    whether factors are estimated
    """

    models: Models
    factors: Factors
    counted: Mapping[str, float]
    linear: Mapping[str, Linear]
    ground: Ground
    said: Scores
    summed: Scores
    order: NDArray[np.int64]
    quick: bool

    @classmethod
    def of(cls, models: Models, factors: Factors, counted: Mapping[str, float], request: Request) -> Scorer:
        """For lists of what this request may show."""
        linear = {name: getattr(models, name) for name in counted if isinstance(getattr(models, name), Linear)}
        scale, quick = counted.get(POPULARITY, 0.0) / max(models.popularity.size, TINY), estimable(models, counted)
        shown = ground(request, models, scale=scale, estimated=quick)
        said = np.empty((len(linear) + 1, len(shown.popular)), dtype=np.float32)
        said[-1] = shown.popular
        order = np.array([[*linear, POPULARITY, FACTORS].index(name) for name in counted])
        summed = np.empty(0 if shown.rows is None else shown.items, dtype=np.float32)
        return cls(models, factors, counted, linear, shown, said, summed, order, quick)

    def best(self, tastes: Sequence[Taste], n: int) -> Best | None:
        """The n best items of each for whom a source of evidence says something, and so many may stand there that did not tire her.

        None where there is nobody.
        """
        folding = fold_all(self.factors, [(one.rows, one.weights) for one in tastes])
        sizes = np.maximum(self.factors.sizes(folding.vectors, items=self.ground.items), np.float32(TINY))
        scales: Scores = (self.counted[FACTORS] / sizes).astype(np.float32)
        vectors = folding.vectors * scales[:, None]
        each = zip(
            tastes,
            self._hers(tastes),
            vectors,
            self._of_factors(vectors),
            (LEAST[FACTORS] * scales).tolist(),
            self._sums(tastes),
            strict=True,
        )
        made = {place: one for place, hers in enumerate(each) if (one := self._best(*hers, n=n)) is not None}
        if not made:
            return None
        rows, scores, shares, carried = zip(*made.values(), strict=True)
        best = Best([*made], np.array(rows), np.array(scores), np.array(shares), _anchors(made, tastes, carried, n))
        targets = np.zeros((len(tastes), n), dtype=np.int32)
        targets[best.places] = best.rows
        by_factors = best.shares.argmax(axis=1) == [*self.counted].index(FACTORS)
        carriers = folding.carriers(targets)[best.places]
        return best._replace(anchors=np.where(by_factors, carriers, best.anchors))

    def _hers(self, tastes: Sequence[Taste]) -> Sequence[Rows]:
        """The places of what is each one's already, or was refused by her."""
        rows, purchases, weights = (
            np.concatenate(column)
            for column in zip(*((one.rows, one.purchases, one.weights) for one in tastes), strict=True)
        )
        hers = (purchases > 0) | (weights < 0)
        return self.ground.placed_all(rows, hers, [*accumulate(len(one.rows) for one in tastes)])

    def _sums(self, tastes: Sequence[Taste]) -> Iterable[tuple[Sum, ...]]:
        """What neighbours say of each."""
        rows = np.concatenate([one.rows for one in tastes])
        weights = np.concatenate([one.weights for one in tastes])
        ends = [*accumulate(len(one.rows) for one in tastes)]
        sums = [model.sums(rows, weights, ends) for model in self.linear.values()]
        return zip(*sums, strict=True) if sums else [()] * len(tastes)

    def _of_factors(self, vectors: Scores) -> Scores:
        """float32[customers, places]: what factors say, or an estimate of it."""
        leading = self.ground.leading
        if leading is not None:
            return np.asarray(vectors[:, : len(leading)] @ leading)
        return longer((self.factors.estimate if self.quick else self.factors.score)(vectors), self.ground.items)

    def _best(
        self, taste: Taste, hers: Rows, vector: Scores, factors: Scores, least: float, sums: Sequence[Sum], *, n: int
    ) -> One | None:
        """hers  see `_hers`    vector, factors  what factors say, scaled already; up to `least` it is no evidence."""
        counts = self._counts(sums)
        mixed = self._mixed(counts, factors, hers, taste.in_cart)
        tired = self._put_behind(mixed, taste)
        places, exactly, scores = self._chosen(mixed, factors, vector, n)
        if len(places) < n or scores[-1] <= tired:
            return None
        said = self.said.take(places, axis=1)
        spoken = said[:-1].max(initial=0) > 0 or factors.take(places).max() > least
        if not spoken and not self._evident(sums, vector, least):
            return None
        gave = np.concatenate([said * counts[:, None], exactly[None]])
        shares, rows = gave.take(self.order, axis=0), self.ground.rows_of(places)
        return One(rows, scores, shares, [*self._carried(sums, rows, shares)])

    def _counts(self, sums: Sequence[Sum]) -> Scores:
        """float32[linear + 1]: what one unit of each that is said counts in the scores; what neighbours say is added up for it."""
        counts = []
        for name, each, places in zip(self.linear, sums, self.said, strict=False):
            scores = places if self.ground.rows is None else self.summed
            each.into(scores)
            self.ground.gathered(scores, places)
            counts.append(self.counted[name] / max(rms(scores), TINY))
        return np.array([*counts, 1], dtype=np.float32)

    def _evident(self, sums: Sequence[Sum], vector: Scores, least: float) -> bool:
        """Whether a source says something of any item, even if it may not stand in the list."""
        factors = (self.factors.estimate if self.quick else self.factors.score)(vector)
        return any(each.scores.max(initial=0) > 0 for each in sums) or bool(factors.max(initial=0) > least)

    def _mixed(self, counts: Scores, factors: Scores, hers: Rows, in_cart: Rows) -> Scores:
        """All that is said, as one score; -inf also for what is hers already, lies in her cart, or was refused by her."""
        mixed = np.asarray(counts @ self.said)
        mixed += factors
        mixed[hers] = NEVER
        if len(in_cart):
            mixed[self.ground.placed(in_cart)] = NEVER
        return mixed

    def _put_behind(self, mixed: Scores, taste: Taste) -> float:
        """Bar what she was shown in vain; the score that the best of it would have, where it stands behind what else speaks to her."""
        if not len(taste.tired):
            return -np.inf
        tired = self.ground.placed(taste.tired)
        least = NEARLY * ROTATED * float(mixed[tired].max(initial=NEVER))
        mixed[tired] = NEVER
        return least

    def _chosen(self, scores: Scores, factors: Scores, vector: Scores, n: int) -> tuple[Rows, Scores, Scores]:
        """The best n places, what factors say of them exactly, and their scores with that."""
        if not self.quick:
            places = top(scores, None, n)
            return places, factors[places], scores[places]
        places, said, sharpened, wanted = sharp(scores, None, factors, 1.0, partial(self._exact, vector), n=n)
        return places[wanted], said[wanted], sharpened[wanted]

    def _exact(self, vector: Scores, places: Rows) -> Scores:
        return exact(self.factors, vector, self.ground.rows_of(places))

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
    rows = [tastes[place].rows for place in places]
    begins = [*accumulate(map(len, rows), initial=0)]
    pairs = [(nth * n, begins[nth], *each) for nth, several in enumerate(carried) for each in several]
    if not pairs:
        return np.full((len(rows), n), NOBODY, dtype=np.int32)
    target = np.concatenate([first + target for first, _, target, _, _ in pairs])
    history = np.concatenate([begin + history for _, begin, _, history, _ in pairs])
    said = np.concatenate([said for *_, said in pairs])
    most = np.zeros(len(rows) * n, dtype=np.float32)
    np.maximum.at(most, target, said)
    carrying = ((said == most.take(target)) & (said > 0)).nonzero()[0]
    rows.append(np.array([NOBODY], dtype=np.int32))
    every = np.concatenate(rows)
    anchors = np.full(len(most), len(every) - 1)
    np.minimum.at(anchors, target.take(carrying), history.take(carrying))  # of equal ones the first
    return every.take(anchors).reshape(-1, n)
