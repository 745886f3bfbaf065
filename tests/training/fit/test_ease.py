import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix, random

from models.errors import SolverError
from tests.training.histories import history
from training.fit import ease, ease_solver
from training.fit.ease import Parameters, fit, search
from training.matrices import Matrix
from training.queries import unfinished


def matrix(rows):
    held = csr_matrix(np.array(rows, np.float32))
    return Matrix(held, np.zeros(held.shape[0]))


def dense(model):
    table = np.zeros((len(model), len(model)))
    for row in range(len(model)):
        kept = slice(model.indptr[row], model.indptr[row + 1])
        table[row, model.indices[kept]] = model.scores[kept]
    return table


def steck(held, parameters):
    """B of Steck 2019 in float64 by the book: P = (XᵀWX + λI)⁻¹, B = I − P · diag(1 / diag P)."""
    rows = held[held.sum(axis=1) > 1]
    weight = rows.sum(axis=1) ** -parameters.size_exponent
    inverse = np.linalg.inv(rows.T @ (rows * weight[:, None]) + parameters.regularization * np.eye(held.shape[1]))
    return np.eye(held.shape[1]) - inverse / np.diag(inverse)[None, :]


def random_baskets(seed=0, shape=(200, 30)):
    held = random(*shape, density=0.15, format="csr", random_state=seed).toarray()
    return (held > 0).astype(float)


@pytest.mark.parametrize(
    "parameters", [Parameters(), Parameters(regularization=0.5, size_exponent=0), Parameters(1000.0, 1.0)]
)
def test_it_is_the_exact_solution_where_all_is_kept(parameters):
    baskets = random_baskets()
    np.testing.assert_allclose(dense(fit(matrix(baskets), parameters)), steck(baskets, parameters), atol=2e-6)


@given(st.integers(0, 10_000), st.integers(2, 12), st.floats(0.1, 100), st.integers(1, 12))
@settings(max_examples=40, deadline=None)
def test_of_each_history_item_the_largest_are_kept_whatever_their_sign(seed, items, regularization, k):
    baskets = random_baskets(seed, (40, items))
    held = csr_matrix(baskets.astype(np.float32))
    found = dense(ease_solver.solve(held, regularization=regularization, k=k))
    inverse = np.linalg.inv(baskets.T @ baskets + regularization * np.eye(items))
    exact = np.eye(items) - inverse / np.diag(inverse)[None, :]
    for row in range(items):
        kept = np.flatnonzero(found[row])
        assert len(kept) <= k
        np.testing.assert_allclose(found[row, kept], exact[row, kept], rtol=2e-3, atol=1e-4)
        left = np.delete(np.abs(exact[row]), kept)
        assert len(kept) == 0 or left.max(initial=0) <= np.abs(exact[row, kept]).min() + 1e-4


def test_two_items_that_always_come_together_do_not_say_the_same_thing_twice():
    # cup and saucer always come together, and once in three times with tea; spoon half the time with jam
    rows = [[1, 1, 1, 0, 0], [1, 1, 0, 0, 0], [1, 1, 0, 0, 0]] * 20 + [[0, 0, 0, 1, 1], [0, 1, 0, 1, 0]] * 20
    table = dense(fit(matrix(rows), Parameters(regularization=1.0, size_exponent=0)))
    assert table[0, 2] + table[1, 2] < 0.5  # counts would give 1/3 + 1/4 … each anew


def test_an_item_that_no_basket_held_has_no_row_and_no_column():
    baskets = random_baskets()
    baskets[:, 7] = 0
    table = dense(fit(matrix(baskets)))
    assert not table[7].any()
    assert not table[:, 7].any()
    assert table.any()


@pytest.mark.parametrize("rows", [np.zeros((0, 4)), np.zeros((3, 4)), np.eye(4)], ids=["none", "empty", "of one item"])
def test_baskets_that_join_nothing_teach_nothing(rows):
    assert fit(matrix(rows)) is None


def test_a_catalogue_too_large_to_solve_is_left_alone(monkeypatch):
    monkeypatch.setattr(ease, "MOST_ITEMS", 29)
    assert fit(matrix(random_baskets())) is None


def test_the_same_baskets_give_the_same_arrays():
    first, again = fit(matrix(random_baskets())), fit(matrix(random_baskets()), threads=2)
    for name in ("indptr", "indices", "scores"):
        assert np.array_equal(getattr(first, name), getattr(again, name)), name


def test_the_gram_matrix_is_the_same_in_blocks(monkeypatch):
    held = csr_matrix(random_baskets().astype(np.float32))
    whole = ease_solver._gram(held, 1.0)
    monkeypatch.setattr(ease_solver, "BLOCK", 7)
    assert np.array_equal(whole, ease_solver._gram(held, 1.0))


def solver(tmp_path, monkeypatch, source):
    (tmp_path / "broken_solver.py").write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(ease, "SOLVER", "broken_solver")
    monkeypatch.setattr(ease, "HERE_ITEMS", 0)


def test_a_solver_that_is_killed_is_an_error_that_says_how_and_what_it_needs(tmp_path, monkeypatch):
    solver(tmp_path, monkeypatch, f"import os\nos.kill(os.getpid(), {int(signal.SIGKILL)})\n")
    with pytest.raises(SolverError, match=r"killed by signal 9; 30 items need about \d+ MB"):
        fit(matrix(random_baskets()))


def test_a_solver_that_fails_says_why(tmp_path, monkeypatch):
    solver(tmp_path, monkeypatch, "raise SystemExit('no room on the device')\n")
    with pytest.raises(SolverError, match="no room on the device"):
        fit(matrix(random_baskets()))


def test_a_crash_of_the_solver_leaves_this_process_alone(tmp_path, monkeypatch):
    solver(tmp_path, monkeypatch, f"import os\nos.kill(os.getpid(), {int(signal.SIGSEGV)})\n")
    with pytest.raises(SolverError, match="signal 11"):
        fit(matrix(random_baskets()))
    assert os.getpid() > 0


def test_few_items_are_solved_for_in_this_process_as_they_are_in_another(monkeypatch):
    baskets = matrix(random_baskets())
    here = fit(baskets, Parameters(k=10))
    monkeypatch.setattr(ease, "HERE_ITEMS", 0)
    apart = fit(baskets, Parameters(k=10))
    assert all(np.array_equal(getattr(here, name), getattr(apart, name)) for name in ("indptr", "indices", "scores"))
    monkeypatch.undo()
    with pytest.raises(SolverError, match="raise the regularization"):
        fit(baskets, Parameters(regularization=-1e3))


def test_the_solver_is_found_from_any_directory(tmp_path):
    code = (
        "import numpy as np; from scipy.sparse import csr_matrix; from training.fit import ease; from training.matrices import Matrix\n"
        "held = csr_matrix(np.ones((3, 3), np.float32)); ease.HERE_ITEMS = 0; print(len(ease.fit(Matrix(held, np.zeros(3)))))"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(ease.__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "3"


def carts():
    """Carts whose five items belong to one of six groups."""
    rng, rows = np.random.default_rng(0), []
    for order in range(240):
        for item in rng.permutation(8)[:5]:
            rows.append((f"c{order}", f"{order % 6}-{item}", order // 24, {"order": order}))
    whole = history(*rows)
    return whole.where(whole.order < 180), whole.where(whole.order >= 180)


def test_the_search_keeps_its_start_where_nothing_can_be_measured_and_never_leaves_it_for_worse():
    train, test = carts()
    held = csr_matrix((np.ones(len(train), np.float32), (train.order, train.item)), (180, len(train.items)))
    asked, start = unfinished(train, test), Parameters(regularization=100.0)
    known = Matrix(held, np.zeros(180))
    found = search(known, asked, start)
    assert np.nanmean(ease.ndcg(fit(known, found), asked)) >= np.nanmean(ease.ndcg(fit(known, start), asked))
    assert search(known, asked.first(0), start) == start
