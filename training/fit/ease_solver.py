"""The process that solves EASE: `python -m training.fit.ease_solver FOLDER REGULARIZATION K`. Only training/fit/ease.py starts it.

It stands apart because a library of linear algebra that crashes takes its process along (OpenBLAS did, in float64 Cholesky of 16,500
items on two threads), and because the dense matrix of all pairs of items should leave the memory when it is done.

FOLDER/held.npz            csr float32[baskets, items], each basket scaled by the root of its weight
FOLDER/{indptr,indices,scores}.npy   the answer, as models.linear keeps it
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack
from scipy.sparse import csr_matrix, load_npz

from models.linear import Linear

BLOCK = 1024  # items of the Gram matrix made at once


def main(arguments: list[str]) -> int:
    """Solve what lies in the folder."""
    folder = Path(arguments[0])
    found = solve(load_npz(folder / "held.npz"), regularization=float(arguments[1]), k=int(arguments[2]))
    for name in ("indptr", "indices", "scores"):
        np.save(folder / f"{name}.npy", getattr(found, name), allow_pickle=False)
    return 0


def solve(held: csr_matrix, *, regularization: float, k: int) -> Linear:
    """B = I − P · diag(1 / diag P), P = (XᵀX + λI)⁻¹ (Steck 2019, eq. 8), in float32; of each row the k largest, whatever their sign.

    Raises np.linalg.LinAlgError where λ is too small for float32 to tell the matrix from a singular one.
    """
    precision = _inverse(_gram(held, regularization))
    items = len(precision)
    diagonal = precision.diagonal().copy()
    k = min(k, items - 1)
    indices = np.empty((items, k), dtype=np.int32)
    scores = np.empty((items, k), dtype=np.float32)
    for item in range(items):
        row = -np.concatenate([precision[item, :item], precision[item:, item]]) / diagonal
        row[item] = 0
        best = np.sort(np.argpartition(-np.abs(row), k - 1)[:k]) if k else np.zeros(0, dtype=np.intp)
        best = best[np.argsort(-np.abs(row[best]), kind="stable")]
        indices[item], scores[item] = best, row[best]
    return _without_zeros(indices, scores)


def _gram(held: csr_matrix, regularization: float) -> NDArray[np.float32]:
    """float32[items, items], by columns: XᵀX + λI, made in blocks, for the sparse product would take three times as much."""
    items = held.shape[1]
    gram = np.empty((items, items), dtype=np.float32, order="F")
    across = held.T.tocsr()
    for start in range(0, items, BLOCK):
        block = slice(start, min(start + BLOCK, items))
        gram[:, block] = (across @ held[:, block]).toarray()
    gram.flat[:: items + 1] += np.float32(regularization)
    return gram


def _inverse(gram: NDArray[np.float32]) -> NDArray[np.float32]:
    """The lower triangle of the inverse, written over the matrix; what is above it means nothing."""
    root, failed = lapack.spotrf(gram, lower=1, clean=0, overwrite_a=1)
    inverse, failed_too = (root, failed) if failed else lapack.spotri(root, lower=1, overwrite_c=1)
    if failed or failed_too:
        raise np.linalg.LinAlgError("the matrix is not positive definite; raise the regularization")
    return np.asarray(inverse)


def _without_zeros(indices: NDArray[np.int32], scores: NDArray[np.float32]) -> Linear:
    kept = scores != 0
    indptr = np.concatenate([[0], np.cumsum(kept.sum(axis=1))]).astype(np.int64)
    return Linear(indptr, indices[kept], scores[kept])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
