"""Factors: a taste vector for each item, learnt by alternating least squares; the customer's is solved when asked for.

Hu, Koren & Volinsky 2008 with the weight of what was not bought and the frequency-scaled regularisation of Rendle et
al. 2022 (arXiv 2110.14037, section 3):

    Σ_bought w (x·y − 1)²  +  α0 Σ_all (x·y)²  +  λ (Σw + α0 |items|)^ν ‖x‖².
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

TINY = 1e-12
LEADING = 8  # dimensions that say most: sharpened, their lists of ten of 41 k places of a public history held .998 of the exact ones
LARGE = 20_000  # items, from which on a first pass over the leading dimensions saves time


def leading(item_factors: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """float32[LEADING, items] for a large catalogue; None where there is no need."""
    items, factors = item_factors.shape
    return np.ascontiguousarray(item_factors[:, :LEADING].T) if items >= LARGE and factors > 2 * LEADING else None


@dataclass(frozen=True)
class Factors:
    """Item vectors in the eigenbasis of their Gram matrix: (Gram + λI)⁻¹ is a vector, whatever a customer's λ.

    item_factors    float32[items, factors]  V, rotated: VᵀV = diag(gram), the largest first
    gram            float32[factors]         the eigenvalues of VᵀV
    regularization  λ
    unobserved      α0, the weight of an item that was not bought, beside 1 for one that was
    exponent        ν: 0 regularises all customers alike, 1 by the weight of their history
    leading         float32[LEADING, items]  the first dimensions of V, each in one piece, of a large catalogue; None: there is no need

    A history may hold newcomers, rows from len(self) on, that have no vector yet: they say nothing, and nothing is said of them.
    """

    item_factors: NDArray[np.float32]
    gram: NDArray[np.float32]
    regularization: float
    unobserved: float
    exponent: float
    leading: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.item_factors)

    def fold_in(self, rows: NDArray[np.int32], weights: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32[factors]: the vector of a customer with this history; zeros where no weight is above 0.

        Items of weight 0 or below are left out. Equals one exact user step of ALS with the item vectors held
        (Hu, Koren & Volinsky, eq. 4); short histories by Woodbury's identity, long ones directly.
        """
        return self.folded(rows, weights).vector

    def folded(self, rows: NDArray[np.int32], weights: NDArray[np.float32]) -> Folded:
        """As `fold_in`, with what the vector is solved from, so that its scores can be explained."""
        liked = (weights > 0) & (rows < len(self))
        root = np.sqrt(self.gram + np.float32(self.penalty(float(weights[liked].sum()))))
        return Folded(self.item_factors[rows[liked]] / root, weights[liked] / np.float32(self.unobserved), root, liked)

    def penalty(self, weight: float) -> float:
        """λ (Σw + α0 |items|)^ν / α0: the regularisation of a history of weight Σw, in units of α0."""
        return float(self.regularization * (weight + self.unobserved * len(self)) ** self.exponent / self.unobserved)

    def score(self, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32[items]: how well each item suits a customer's vector, about 1 for what was bought; a row each of many vectors."""
        return np.asarray(vector @ self.item_factors.T, dtype=np.float32)

    def estimate(self, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32[items]: as `score`, by the leading dimensions alone where there are such: good enough to tell who could be among the best."""
        if self.leading is None:
            return self.score(vector)
        return np.asarray(vector[..., : len(self.leading)] @ self.leading, dtype=np.float32)

    def rms(self, vector: NDArray[np.float32], *, items: int) -> float:
        """The root mean square of `score(vector)` over so many items, newcomers count 0; it is not computed, as VᵀV is known."""
        return float(self.sizes(vector, items=items))

    def sizes(self, vectors: NDArray[np.float32], *, items: int) -> NDArray[np.float32]:
        """float32[customers]: `rms` of each of many vectors."""
        return np.asarray(np.sqrt(vectors * vectors @ self.gram / np.float32(max(items, 1))))

    def similar(self, row: int) -> NDArray[np.float32]:
        """float32[items]: the cosine of each item's vector with this item's; zeros for an item nobody bought."""
        norms = np.maximum(np.sqrt(np.einsum("if,if->i", self.item_factors, self.item_factors)), TINY)
        return np.asarray(self.item_factors @ (self.item_factors[row] / norms[row]) / norms, dtype=np.float32)

    def contributions(self, rows: NDArray[np.int32], weights: NDArray[np.float32], target: int) -> NDArray[np.float32]:
        """float32[history]: `carried` of one target."""
        return np.asarray(self.carried(rows, weights, np.array([target], dtype=np.int32))[0])

    def carried(
        self, rows: NDArray[np.int32], weights: NDArray[np.float32], targets: NDArray[np.int32]
    ) -> NDArray[np.float32]:
        """float32[targets, history]: what each history item added to the scores of `targets` (Hu, Koren & Volinsky, section 5).

        They sum to `score(fold_in(...))[targets]`; items of weight 0 or below added nothing.
        """
        return self.gave(self.folded(rows, weights), targets)

    def gave(self, hers: Folded, targets: NDArray[np.int32]) -> NDArray[np.float32]:
        """As `carried`, of a history that was folded in already."""
        carried = np.zeros((len(targets), len(hers.liked)), dtype=np.float32)
        learnt = targets < len(self)
        if len(hers.bought) and learnt.any():
            carried[learnt.nonzero()[0][:, None], hers.liked] = hers.gave(self.item_factors[targets[learnt]])
        return carried


@dataclass(frozen=True)
class Folded:
    """A customer folded in, and what her vector is solved from. With D = Gram + λI and C the confidences, both diagonal,

        (D + BᵀCB)⁻¹Bᵀ = D⁻¹Bᵀ (BD⁻¹Bᵀ + C⁻¹)⁻¹ C⁻¹     (Woodbury),

    a system of the history's size; a customer's vector is that times 1 + c.

    bought      float32[liked, factors]  BD^-½
    confidence  float32[liked]           c
    root        float32[factors]         D^½
    liked       bool[history]            the items of the history that say something
    """

    bought: NDArray[np.float32]
    confidence: NDArray[np.float32]
    root: NDArray[np.float32]
    liked: NDArray[np.bool_]

    @cached_property
    def vector(self) -> NDArray[np.float32]:
        """float32[factors]: a short history is solved by the system of its size, a long one directly."""
        if len(self.bought) == 0:
            return np.zeros(len(self.root), dtype=np.float32)
        if len(self.bought) < len(self.root):
            said = np.linalg.solve(self._small, (1 + self.confidence) / self.confidence) @ self.bought
        else:
            left = (self.bought.T * self.confidence) @ self.bought
            left.flat[:: len(self.root) + 1] += 1
            said = np.linalg.solve(left, (1 + self.confidence) @ self.bought)
        return np.asarray(said / self.root, dtype=np.float32)

    def gave(self, targets: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32[targets, liked]: what each item added to the scores of these item vectors."""
        said = np.linalg.solve(self._small, self.bought @ (targets / self.root).T)
        return np.asarray(said.T * ((1 + self.confidence) / self.confidence), dtype=np.float32)

    @cached_property
    def _small(self) -> NDArray[np.float32]:
        """BD⁻¹Bᵀ + C⁻¹."""
        small = np.asarray(self.bought @ self.bought.T, dtype=np.float32)
        small.flat[:: len(small) + 1] += 1 / self.confidence
        return small
