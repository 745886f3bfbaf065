"""Complements: what goes with what, as one probability of three levels that back off into one another.

    P(j | i)      ∝ (c_ij + μ · P_attr(j | i)) / (n_i · x_j + μ)            the item pair: bought together
    P_attr(j | i) = P(j) · exp(ℓ_type(t_i, t_j) + Σ_f ℓ_f(f_i, f_j)) / Z_i  the attribute pair
    ℓ_type(s, t)  = log P(t | s) / P(t)                                     the type pair

P(j | i) is the chance that what else lies in a basket with i, drawn at random, is j. c_ij = Σ 1 / size over the baskets that hold both, n_i its
sum over all j, P(j) the share of j in all baskets, x_j = n_j / (n_j + 10) how far j has been tried: that nobody bought a newcomer beside i says
nothing of the two. The ℓ_f of colours, brands, price bands, genders and words of titles are smoothed log-lifts
given the type of j, each times how far it may be believed. So a pair seen once moves the score little (μ), a pattern seen a thousand times
much, and an item that nobody has bought yet is scored by what it is (a Dirichlet prior: MacKay & Peto 1995; log-linear pooling: Genest &
Zidek 1986). Learnt by training/fit/complements.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
LEAST_NAMED = 0.1  # nats: what makes an item less than a tenth likelier does not carry it, and is named as no reason


@dataclass(frozen=True)
class Complements:
    """See the module.

    known      the attributes of all items      share  float32[items]  P(j), above 0
    pairs      c_ij as scores, and how many baskets held both as support
    baskets    float32[items]  n_i              mass   μ, in baskets
    tried      float32[items]  x_j, 0 for what nobody bought yet
    words      affinity of words of titles      stranger  ℓ of a word that both titles have and the lexicon lacks
    completes  bool[types + 1, types + 1]       whether the second type may complete the first; the last is an unknown one
    """

    lexicon: Lexicon
    known: Attributes
    share: NDArray[np.float32]
    pairs: Neighbours
    baskets: NDArray[np.float32]
    tried: NDArray[np.float32]
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
            called_for = self.called_for(row)
            called_for *= np.float32(weight)
            total += called_for
        total *= self.fitting(rows)
        return total

    def carried(self, rows: Rows, weights: Scores, targets: Rows) -> Scores:
        """float32[targets, history]: what each item of a cart gave to the scores of these."""
        each = [np.float32(weight) * self.called_for(row)[targets] for row, weight in zip(rows, weights, strict=True)]
        return np.stack(each, axis=1) if each else np.zeros((len(targets), 0), dtype=np.float32)

    def called_for(self, row: int) -> Scores:
        """float32[items]: P(j | i), 0 where it is not above P(j)."""
        likely = self.of(row)
        likely *= likely > self.share
        return likely

    def of(self, row: int) -> Scores:
        """float32[items]: P(j | i)."""
        likely = self.by_attributes(row)
        if self.baskets[row] > 0:
            likely *= np.float32(self.mass)
            held = slice(int(self.pairs.indptr[row]), int(self.pairs.indptr[row + 1]))
            likely[self.pairs.indices[held]] += self.pairs.scores[held]
            could = self.tried * self.baskets[row]
            could += np.float32(self.mass)
            likely /= could
            likely /= max(likely.sum(), TINY)
        return likely

    def by_attributes(self, row: int) -> Scores:
        """float32[items]: P_attr(j | i)."""
        likely = self.affinity(row)
        np.exp(likely, out=likely)
        likely *= self.share
        likely /= max(likely.sum(), TINY)
        return likely

    def affinity(self, row: int) -> Scores:
        """float32[items]: Σ ℓ of all attributes, in nats. Large arrays are made once and filled again: that takes half of the time."""
        total, said = np.zeros((2, len(self)), dtype=np.float32)
        for beside, codes in self._said(row):
            beside.take(codes, out=said, mode="wrap")
            total += said
        for word in self.known.strange[:, row].tolist():
            if word:
                total += np.float32(self.stranger) * (self.known.strange == word).any(axis=0)
        return total

    def _said(self, row: int) -> Iterator[tuple[Scores, NDArray[np.int64]]]:
        """What the item's values say of each value of their kind, and which values all items have; kinds that say nothing are left out."""
        for name, codes in zip(CODED, self.known.codes, strict=True):
            beside = self.coded(name).beside(int(codes[row]))
            if beside.any():
                yield beside, codes
        words = self.known.words[:, row]
        beside = np.zeros(len(self.words.same), dtype=np.float32)
        for word in words[words != MISSING].tolist():
            beside += self.words.beside(word)
        if beside.any():
            yield from ((beside, codes) for codes in self.known.words)

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

    def bought(self, row: int, targets: Rows) -> set[int]:
        """The targets whose P(target | row) rests on baskets that held both more than on what the two are."""
        together = self.pairs.carried(np.array([row], dtype=np.int32), np.ones(1, dtype=np.float32), targets)[:, 0]
        return set(targets[together > self.mass * self.by_attributes(row)[targets]].tolist())

    def alike(self, row: int, target: int) -> Mapping[str, tuple[str, str]]:
        """Attribute -> (value of `row`, value of `target`), of those with names that clearly speak for the pair, the strongest first."""
        found: dict[str, tuple[float, tuple[str, str]]] = {}
        for number, (name, vocabulary) in enumerate(zip(CODED, self.lexicon.named, strict=True)):
            first, second = (int(self.known.codes[number, place]) for place in (row, target))
            if vocabulary is not None and (nats := self.coded(name).between(first, second)) >= LEAST_NAMED:
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
            baskets=np.append(self.baskets, np.zeros_like(rare)),
            tried=np.append(self.tried, np.zeros_like(rare)),
        )
