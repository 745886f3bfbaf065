"""Factors: a taste vector for each item, learnt by alternating least squares; the customer's is solved when asked for.

Hu, Koren & Volinsky 2008 with the weight of what was not bought and the frequency-scaled regularisation of Rendle et
al. 2022 (arXiv 2110.14037, section 3):

    Σ_bought w (x·y − 1)²  +  α0 Σ_all (x·y)²  +  λ (Σw + α0 |items|)^ν ‖x‖².
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TINY = 1e-12
LEADING = 32  # dimensions that say most: of 41 k places of a public history all of the best ten of a blend were among its best 100 by them
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
        liked = self._telling(rows, weights)
        bought, confidence = self.item_factors[rows[liked]], weights[liked] / np.float32(self.unobserved)
        if len(bought) == 0:
            return np.zeros(self.item_factors.shape[1], dtype=np.float32)
        diagonal = self.gram + np.float32(self.penalty(float(weights[liked].sum())))
        if len(bought) < len(diagonal):
            scaled, small = _short(bought, confidence, diagonal)
            return np.asarray(np.linalg.solve(small, (1 + confidence) / confidence) @ scaled, dtype=np.float32)
        left = (bought.T * confidence) @ bought
        left.flat[:: len(diagonal) + 1] += diagonal
        return np.linalg.solve(left, (1 + confidence) @ bought).astype(np.float32)

    def _telling(self, rows: NDArray[np.int32], weights: NDArray[np.float32]) -> NDArray[np.bool_]:
        return (weights > 0) & (rows < len(self))

    def penalty(self, weight: float) -> float:
        """λ (Σw + α0 |items|)^ν / α0: the regularisation of a history of weight Σw, in units of α0."""
        return float(self.regularization * (weight + self.unobserved * len(self)) ** self.exponent / self.unobserved)

    def score(self, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32[items]: how well each item suits a customer's vector, about 1 for what was bought."""
        return np.asarray(self.item_factors @ vector, dtype=np.float32)

    def estimate(self, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32[items]: as `score`, by the leading dimensions alone where there are such: good enough to tell who could be among the best."""
        if self.leading is None:
            return self.score(vector)
        return np.asarray(vector[: len(self.leading)] @ self.leading, dtype=np.float32)

    def rms(self, vector: NDArray[np.float32], *, items: int) -> float:
        """The root mean square of `score(vector)` over so many items, newcomers count 0; it is not computed, as VᵀV is known."""
        return float(np.sqrt(np.dot(self.gram * vector, vector) / max(items, 1)))

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
        carried = np.zeros((len(targets), len(rows)), dtype=np.float32)
        liked, learnt = self._telling(rows, weights), targets < len(self)
        if not liked.any() or not learnt.any():
            return carried
        bought, confidence = self.item_factors[rows[liked]], weights[liked] / np.float32(self.unobserved)
        diagonal = self.gram + np.float32(self.penalty(float(weights[liked].sum())))
        scaled, small = _short(bought, confidence, diagonal)
        said = np.linalg.solve(small, scaled @ self.item_factors[targets[learnt]].T)
        carried[np.ix_(learnt, liked)] = said.T * ((1 + confidence) / confidence)
        return carried


def _short(
    bought: NDArray[np.float32], confidence: NDArray[np.float32], diagonal: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """BD⁻¹ and BD⁻¹Bᵀ + C⁻¹, a system of the history's size, with D, C diagonal.

    By Woodbury's identity (D + BᵀCB)⁻¹Bᵀ = D⁻¹Bᵀ (BD⁻¹Bᵀ + C⁻¹)⁻¹ C⁻¹, and a customer's vector is that times 1 + c.
    """
    scaled = np.asarray(bought / diagonal, dtype=np.float32)
    small = np.asarray(scaled @ bought.T, dtype=np.float32)
    small.flat[:: len(bought) + 1] += 1 / confidence
    return scaled, small
