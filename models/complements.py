"""Complements: what goes with what, as one probability of three levels that back off into one another.

    P(j | i)      = (c_ij + μ · P_attr(j | i)) / (n_i + μ)                  the item pair: bought together
    P_attr(j | i) = P(j) · exp(ℓ_type(t_i, t_j) + Σ_f ℓ_f(f_i, f_j)) / Z_i  the attribute pair
    ℓ_type(s, t)  = log P(t | s) / P(t)                                     the type pair

P(j | i) is the chance that what else lies in a basket with i, drawn at random, is j. c_ij = Σ 1 / size over the baskets that hold both, n_i its
sum over all j, P(j) the share of j in all baskets. The ℓ_f of colours, brands, price bands, genders and words of titles are smoothed log-lifts
given the type of j, each times how far it may be believed. So a pair seen once moves the score little (μ), a pattern seen a thousand times
much, and an item that nobody has bought yet is scored by what it is (a Dirichlet prior: MacKay & Peto 1995; log-linear pooling: Genest &
Zidek 1986). Learnt by training/fit/complements.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.affinity import Affinity
from models.attributes import CODED, TYPE, Attributes, Fields, Lexicon, attributes
from models.neighbours import Neighbours
from models.vocabulary import MISSING

Scores = NDArray[np.float32]
Rows = NDArray[np.int32]
TINY = 1e-30


@dataclass(frozen=True)
class Complements:
    """See the module.

    known      the attributes of all items      share  float32[items]  P(j), above 0
    pairs      c_ij as scores, and how many baskets held both as support
    baskets    float32[items]  n_i              mass   μ, in baskets
    words      affinity of words of titles      stranger  ℓ of a word that both titles have and the lexicon lacks
    completes  bool[types + 1, types + 1]       whether the second type may complete the first; the last is an unknown one
    """

    lexicon: Lexicon
    known: Attributes
    share: NDArray[np.float32]
    pairs: Neighbours
    baskets: NDArray[np.float32]
    type: Affinity
    colour: Affinity
    brand: Affinity
    price: Affinity
    gender: Affinity
    words: Affinity
    completes: NDArray[np.bool_]
    stranger: float
    mass: float

    def __len__(self) -> int:
        return len(self.share)

    def score(self, rows: Rows, weights: Scores) -> Scores:
        """float32[items]: the sum of P(j | i) over the items of a cart, each times its weight.

        0 for what no item of it calls for more than chance would, and for what may not complete the type of one of them.
        """
        total = np.zeros(len(self), dtype=np.float32)
        for row, weight in zip(rows.tolist(), weights.tolist(), strict=True):
            total += np.float32(weight) * self.called_for(row)
        total[~self.fitting(rows)] = 0
        return total

    def carried(self, rows: Rows, weights: Scores, targets: Rows) -> Scores:
        """float32[targets, history]: what each item of a cart gave to the scores of these."""
        each = [np.float32(weight) * self.called_for(row)[targets] for row, weight in zip(rows, weights, strict=True)]
        return np.stack(each, axis=1) if each else np.zeros((len(targets), 0), dtype=np.float32)

    def called_for(self, row: int) -> Scores:
        """float32[items]: P(j | i), 0 where it is not above P(j)."""
        likely = self.of(row)
        likely[likely <= self.share] = 0
        return likely

    def of(self, row: int) -> Scores:
        """float32[items]: P(j | i)."""
        likely = self.by_attributes(row)
        likely *= np.float32(self.mass)
        held = slice(int(self.pairs.indptr[row]), int(self.pairs.indptr[row + 1]))
        likely[self.pairs.indices[held]] += self.pairs.scores[held]
        likely /= self.baskets[row] + np.float32(self.mass)
        return likely

    def by_attributes(self, row: int) -> Scores:
        """float32[items]: P_attr(j | i)."""
        likely = np.exp(self.affinity(row))
        likely *= self.share
        likely /= max(likely.sum(), TINY)
        return likely

    def affinity(self, row: int) -> Scores:
        """float32[items]: Σ ℓ of all attributes, in nats."""
        total = np.zeros(len(self), dtype=np.float32)
        for name, codes in zip(CODED, self.known.codes, strict=True):
            if codes[row] != MISSING:
                total += self.coded(name).beside(int(codes[row])).take(codes, mode="wrap")
        words = self.known.words[:, row]
        beside = np.zeros(len(self.words.same), dtype=np.float32)
        for word in words[words != MISSING].tolist():
            beside += self.words.beside(word)
        for codes in self.known.words:
            total += beside.take(codes, mode="wrap")
        for word in self.known.strange[:, row].tolist():
            if word:
                total += np.float32(self.stranger) * (self.known.strange == word).any(axis=0)
        return total

    def coded(self, name: str) -> Affinity:
        """The affinity of one of CODED."""
        affinity: Affinity = getattr(self, name)
        return affinity

    def fitting(self, rows: Rows) -> NDArray[np.bool_]:
        """bool[items]: whose type may complete the types of all these items."""
        types = self.known.codes[TYPE]
        fits = np.ones(len(self), dtype=np.bool_)
        for kind in set(types[rows].tolist()):
            fits &= self.completes[kind].take(types, mode="wrap")
        return fits

    def bought(self, row: int, target: int) -> bool:
        """Whether P(target | row) rests on baskets that held both more than on what the two are."""
        held = slice(int(self.pairs.indptr[row]), int(self.pairs.indptr[row + 1]))
        counted = self.pairs.scores[held][self.pairs.indices[held] == target].sum()
        return bool(counted > self.mass * self.by_attributes(row)[target])

    def alike(self, row: int, target: int) -> Mapping[str, tuple[str, str]]:
        """Attribute -> (value of `row`, value of `target`), of those named in texts that speak for the pair, the strongest first."""
        found: dict[str, tuple[float, tuple[str, str]]] = {}
        for number, (name, vocabulary) in enumerate(zip(CODED, self.lexicon.named, strict=True)):
            first, second = (int(self.known.codes[number, place]) for place in (row, target))
            if vocabulary is not None and (nats := self.coded(name).between(first, second)) > 0:
                found[name] = nats, (vocabulary.text(first), vocabulary.text(second))
        ordered = sorted(found, key=lambda name: -found[name][0])
        return {name: found[name][1] for name in ordered}

    def longer(self, newcomers: Sequence[Fields]) -> Complements:
        """The same with items that training never saw behind its own: nobody has bought them, and what they are speaks for them.

        Each counts as bought as often as the least bought item.
        """
        items = len(self) + len(newcomers)
        rare = np.full(len(newcomers), self.share.min(initial=1), dtype=np.float32)
        return replace(
            self,
            known=self.known.followed_by(attributes(self.lexicon, newcomers)),
            share=np.append(self.share, rare),
            pairs=self.pairs.longer(items),
            baskets=np.append(self.baskets, np.zeros(len(newcomers), dtype=np.float32)),
        )
