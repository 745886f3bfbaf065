"""Learning EASE: what completes a whole cart, every item weighed with all the others of it (Steck, WWW 2019).

Adding up counts says the same thing twice where two items of a cart always come together; EASE solves for all of them at once. The
solution is exact and dense, so it is for catalogues that fit (MOST_ITEMS), in a process of its own (ease_solver) where they are not small
(HERE_ITEMS), and of each history item the K largest are kept: per target would lose far more.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, save_npz
from threadpoolctl import threadpool_limits

from models.errors import SolverError
from models.linear import Linear
from training import metrics, scoring
from training.fit.climb import climb
from training.fit.ease_solver import solve
from training.matrices import Matrix
from training.queries import Queries

MOST_ITEMS = 25_000  # that were ever bought in a basket: 2.5 GB, and about a minute and a half on two cores
HERE_ITEMS = 1_000  # so few are solved for in this process: nothing crashes there, and to start another takes longer
SEARCH_ITEMS = 2_000  # the best-sold ones, on which parameters are searched: the time rises with the cube
THREADED_ITEMS = 8_000  # below, a second BLAS thread gains seconds on an idle machine and loses more on a busy one
K_MEASURED = 20
EVALUATIONS = 5
SOLVER = "training.fit.ease_solver"
GRIDS: Mapping[str, Sequence[Any]] = {
    "regularization": (1.0, 3.0, 10.0, 30.0, 100.0),
    "size_exponent": (0.0, 0.5, 1.0),
    "k": (50, 100, 200, 400),
}  # in the order in which they matter


@dataclass(frozen=True)
class Parameters:
    """regularization is λ; a basket of s items counts s^-size_exponent; of each history item k others are kept."""

    regularization: float = 10.0
    size_exponent: float = 0.5
    k: int = 200


def fit(matrix: Matrix, parameters: Parameters = Parameters(), *, threads: int = 1) -> Linear | None:
    """EASE of baskets; None where there is nothing to learn, or more items than can be solved for.

    Raises SolverError where it cannot be solved, or the process that solves it dies.
    """
    held = matrix.held[np.diff(matrix.held.indptr) > 1]
    sold = np.flatnonzero(np.diff(held.tocsc().indptr))
    if not 1 < len(sold) <= MOST_ITEMS:
        return None
    weight = np.diff(held.indptr) ** -parameters.size_exponent
    scaled = held.astype(np.float32)
    scaled.data = np.repeat(np.sqrt(weight), np.diff(held.indptr)).astype(np.float32)
    return _spread(_solved(scaled[:, sold], parameters, threads), sold, held.shape[1])


def search(matrix: Matrix, queries: Queries, start: Parameters = Parameters(), *, threads: int = 1) -> Parameters:
    """The parameters whose NDCG@20 on validation queries is best, from `start`; `start` where nothing can be measured."""
    matrix = _best_sold(matrix)

    def measure(parameters: Parameters) -> metrics.Values:
        found = fit(matrix, parameters, threads=threads)
        return np.full(len(queries), np.nan) if found is None else ndcg(found, queries)

    return climb(start, GRIDS, measure, evaluations=EVALUATIONS) if len(queries) else start


def ndcg(model: Linear, queries: Queries) -> metrics.Values:
    """float64[queries]: NDCG@20 of the model alone."""
    parts = []
    for block in scoring.blocks(queries.histories):
        scores = scoring.add_up(model, queries.histories.of(block.start, block.stop))
        parts.append(metrics.ndcg(queries.rank(scores, block, K_MEASURED)))
    return np.concatenate(parts)


def _best_sold(matrix: Matrix) -> Matrix:
    """The same baskets with their best-sold items alone."""
    sold = np.asarray(matrix.held.sum(axis=0)).ravel()
    if (sold > 0).sum() <= SEARCH_ITEMS:
        return matrix
    kept = np.zeros(len(sold), dtype=np.float32)
    kept[np.argsort(-sold, kind="stable")[:SEARCH_ITEMS]] = 1
    held = matrix.held.copy()
    held.data = kept[held.indices]
    held.eliminate_zeros()
    return replace(matrix, held=held)


def _solved(scaled: csr_matrix, parameters: Parameters, threads: int) -> Linear:
    """The answer, from here or from a process of its own."""
    few = scaled.shape[1] <= HERE_ITEMS
    return _here(scaled, parameters) if few else _apart(scaled, parameters, threads)


def _here(scaled: csr_matrix, parameters: Parameters) -> Linear:
    """The answer of this process, on one thread as the solver's."""
    try:
        with threadpool_limits(1, "blas"):
            return solve(scaled, regularization=parameters.regularization, k=parameters.k)
    except np.linalg.LinAlgError as error:
        raise SolverError(f"EASE: {error}") from error


def _apart(scaled: csr_matrix, parameters: Parameters, threads: int) -> Linear:
    """The answer of the solver's process."""
    with TemporaryDirectory(prefix="valet-ease-") as name:
        folder = Path(name)
        save_npz(folder / "held.npz", scaled, compressed=False)
        command = [sys.executable, "-m", SOLVER, name, str(parameters.regularization), str(parameters.k)]
        bounded = _environment(threads if scaled.shape[1] > THREADED_ITEMS else 1)
        done = subprocess.run(command, env=bounded, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise SolverError(_why(done, scaled.shape[1]))
        return Linear(*(np.load(folder / f"{part}.npy") for part in ("indptr", "indices", "scores")))


def _environment(threads: int) -> dict[str, str]:
    """The solver's: so many BLAS threads, and the modules where this process finds them."""
    bounded = {name: str(max(threads, 1)) for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    return {**os.environ, **bounded, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def _why(done: subprocess.CompletedProcess[str], items: int) -> str:
    """What became of the solver: the signal that killed it, else the last line it wrote."""
    if done.returncode < 0:
        room = 2 * 4 * items**2 >> 20
        return f"EASE: the solver was killed by signal {-done.returncode}; {items:,} items need about {room:,} MB of free memory"
    said = done.stderr.strip().splitlines()
    return f"EASE: the solver ended with {done.returncode}: {said[-1] if said else 'it said nothing'}"


def _spread(found: Linear, sold: NDArray[np.intp], items: int) -> Linear:
    """The same over the whole catalogue; what was never in a basket has an empty row."""
    sizes = np.zeros(items, dtype=np.int64)
    sizes[sold] = np.diff(found.indptr)
    return Linear(np.concatenate([[0], np.cumsum(sizes)]), sold[found.indices].astype(np.int32), found.scores)
