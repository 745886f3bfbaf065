"""Learning affinities: what lies in baskets together, counted by attribute instead of by item.

    C_ab = Σ over the ordered pairs (i, j) of a basket, i of value a and j of value b, of 1 / size (halved with age where a half-life is set)
    E_ab = the same sum, were b to depend on the type of j alone: Σ_t C_at · P(b | t); of types themselves, C_a · C_b / C
    ℓ_ab = log (C_ab + κ · r) / (E_ab + κ),   r = ΣC / ΣE over all pairs of equal values, or of all unequal ones

So a pair of values that was never seen is as good as any pair of the kind, and one that was seen often speaks for itself. The items of a basket
are multiplied by their values before baskets are, so that no matrix items × items is made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags

from models.affinity import Affinity
from models.attributes import CODED, Attributes, Fields, Lexicon, attributes
from models.vocabulary import MISSING
from training.fit import lexicon as fit_lexicon
from training.matrices import Matrix

# Values of an attribute, words of titles, that have a pair of their own with each other.
LISTED, LISTED_WORDS = 500, 1024
SMOOTHING = 2.0  # κ, in pairs of items
MOST_BASKETS = 300_000  # that are counted, drawn evenly
EVIDENCE = 2.0  # standard deviations above chance from which a type completes itself
# Of a word that both titles have: its own lift, how rare it is, and the square of that / 10.
RARITY = ("shared", "rare", "rarer")

Dense = NDArray[np.float64]


@dataclass(frozen=True)
class Goods:
    """What is known of the items, in the order of rows."""

    lexicon: Lexicon
    known: Attributes

    @classmethod
    def of(cls, items: Sequence[Fields]) -> Goods:
        """The lexicon and the attributes of a catalogue."""
        lexicon = fit_lexicon.fit(items)
        return cls(lexicon, attributes(lexicon, items))


@dataclass(frozen=True)
class Counts:
    """Weighted baskets beside attributes.

    held    csr [baskets, items]   of two items or more        weight  float64[baskets]  of each ordered pair of a basket
    begun   float64[items]         n_i, the pairs that begin with i
    within  float64[items]         the weight of the baskets that hold i
    kinds   csr [items, types + 1] one-hot; the last is of no known type
    """

    goods: Goods
    held: csr_matrix
    weight: Dense
    begun: Dense
    within: Dense
    kinds: csr_matrix

    @classmethod
    def of(cls, matrix: Matrix, goods: Goods, half_life_days: float | None) -> Counts:
        """The baskets of two or more, each pair of one of size s weighing 1 / s."""
        size = np.diff(matrix.held.indptr)
        chosen = np.flatnonzero(size > 1)
        chosen = chosen[:: -(-len(chosen) // MOST_BASKETS) or 1]
        weight = 1.0 / size[chosen]
        if half_life_days is not None:
            weight = weight * np.exp2(-matrix.age_days[chosen] / half_life_days)
        held = matrix.held[chosen].astype(np.float64)
        begun = np.asarray(held.T @ (weight * (size[chosen] - 1))).ravel()
        within = np.asarray(held.T @ weight).ravel()
        return cls(goods, held, weight, begun, within, one_hot(goods, "type"))

    def pairs(self, left: csr_matrix, right: csr_matrix) -> Dense:
        """C_ab of two matrices [items, values]."""
        together = (self.held @ left).T @ diags(self.weight) @ (self.held @ right)
        itself = left.T @ diags(self.within) @ right
        return np.maximum(np.asarray((together - itself).todense(), dtype=np.float64), 0)

    def expected(self, left: csr_matrix, right: csr_matrix) -> Dense:
        """E_ab of other attributes than the type."""
        of_type = np.asarray(self.kinds.T @ self.begun).ravel()
        have = np.asarray((self.kinds.T @ diags(self.begun) @ right).todense())
        return np.asarray(self.pairs(left, self.kinds) @ (have / np.maximum(of_type, 1e-9)[:, None]), dtype=np.float64)

    def expected_types(self) -> Dense:
        """E of types: [types + 1, types + 1]."""
        often = np.asarray(self.kinds.T @ self.begun).ravel()
        return np.outer(often, often) / max(float(self.begun.sum()), 1e-9)


def one_hot(goods: Goods, name: str) -> csr_matrix:
    """[items, values + 1] of an attribute; the last value is none."""
    codes, values = goods.known.codes[CODED.index(name)], goods.lexicon.values(name)
    column = np.where(codes == MISSING, values, codes)
    return csr_matrix((np.ones(len(codes)), column, np.arange(len(codes) + 1)), shape=(len(codes), values + 1))


def bag(goods: Goods) -> csr_matrix:
    """[items, words]: which words each title has."""
    words = goods.known.words
    place, item = np.nonzero(words != MISSING)
    shape = (words.shape[1], len(goods.lexicon.words))
    return csr_matrix((np.ones(len(item)), (item, words[place, item])), shape=shape)


def coded(counts: Counts, name: str, theta: float = 1.0) -> Affinity:
    """The affinity of one of CODED, times θ."""
    hot = one_hot(counts.goods, name)
    listed = _frequent(np.asarray(hot.T @ counts.begun).ravel()[:-1], LISTED)
    hot = hot[:, listed]
    seen = counts.pairs(hot, hot)
    chance = counts.expected_types()[np.ix_(listed, listed)] if name == "type" else counts.expected(hot, hot)
    equal = np.eye(len(listed), dtype=np.bool_)
    alike, unlike = (_ratio(seen[where], chance[where]) for where in (equal, ~equal))
    lifts = np.log((seen + SMOOTHING * np.where(equal, alike, unlike)) / (chance + SMOOTHING))
    same = np.full(counts.goods.lexicon.values(name), np.log(alike))
    same[listed] = np.diag(lifts)
    return _affinity(listed, theta * lifts, theta * float(np.log(unlike)), theta * same)


@dataclass(frozen=True)
class WordLifts:
    """Of words: the listed ones by pair, zeros on the diagonal; each shared word's own lift, and log (titles + 1) / (its titles + 1).

    stranger  the same of a word that no title has
    """

    listed: NDArray[np.int32]
    pairs: Dense
    shared: Dense
    rarity: Dense
    stranger: float

    @classmethod
    def of(cls, counts: Counts) -> WordLifts:
        """Of the words of all titles."""
        words = bag(counts.goods)
        listed = _frequent(np.asarray(words.T @ counts.begun).ravel(), LISTED_WORDS)
        hot = words[:, listed]
        lifts = np.log((counts.pairs(hot, hot) + SMOOTHING) / (counts.expected(hot, hot) + SMOOTHING))
        shared = np.zeros(words.shape[1])
        shared[listed] = np.diag(lifts)
        np.fill_diagonal(lifts, 0)
        titles = words.shape[0] + 1.0
        rarity = np.log(titles / (np.asarray(words.sum(axis=0)).ravel() + 1))
        return cls(listed, lifts, shared, rarity, float(np.log(titles / 2)))

    def weighed(self, theta: Mapping[str, float]) -> tuple[Affinity, float]:
        """The affinity of words, and of a word that both titles have and the lexicon lacks, by θ of "words" and RARITY."""
        same = _alike(theta, self.shared, self.rarity)
        stranger = _alike(theta, np.zeros(1), np.full(1, self.stranger))
        return _affinity(self.listed, theta["words"] * self.pairs, 0.0, same), float(stranger[0])


def completes(counts: Counts) -> NDArray[np.bool_]:
    """bool[types + 1, types + 1]: each type may complete every other; itself where a basket holds two clearly more often than by chance."""
    seen, chance = np.diag(counts.pairs(counts.kinds, counts.kinds)), np.diag(counts.expected_types())
    may = np.ones((len(seen), len(seen)), dtype=np.bool_)
    np.fill_diagonal(may, seen > chance + EVIDENCE * np.sqrt(chance + 1))
    may[-1, -1] = True  # two unknown types may well be two
    return may


def _alike(theta: Mapping[str, float], shared: Dense, rarity: Dense) -> Dense:
    own, first, second = (theta[name] for name in RARITY)
    return own * shared + first * rarity + second * rarity**2 / 10


def _affinity(listed: NDArray[np.int32], pairs: Dense, unlisted: float, same: Dense) -> Affinity:
    k = len(listed)
    place = np.full(len(same) + 1, k, dtype=np.int32)
    place[listed] = np.arange(k)
    table = np.full((k + 1, k + 1), unlisted, dtype=np.float32)
    table[:k, :k] = pairs
    return Affinity(listed, place, table, np.append(same, 0).astype(np.float32))


def _frequent(used: Dense, most: int) -> NDArray[np.int32]:
    """The values that are in most baskets, rising."""
    best = np.argsort(-used, kind="stable")[:most]
    return np.sort(best[used[best] > 0]).astype(np.int32)


def _ratio(seen: Dense, chance: Dense) -> float:
    return float((seen.sum() + SMOOTHING) / (chance.sum() + SMOOTHING))
