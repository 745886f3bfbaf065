import numpy as np
import pytest
from scipy.sparse import csr_matrix

from benchmarks.quality import plain
from training.scoring import carts

# tea and cup in two baskets, tea, cup and jar in one, jar alone in one; nobody bought the fourth item
BASKETS = csr_matrix(np.array([[1, 1, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [0, 0, 1, 0]], np.float32))
TEA, CUP, JAR, NONE = range(4)


@pytest.mark.parametrize(
    ("measure", "tea_cup", "tea_jar"),
    [
        ("raw count", 3, 1),
        ("cosine", 1, 1 / 6**0.5),
        ("Jaccard", 1, 1 / 4),
        ("lift", 3 / (9 / 4), 1 / (6 / 4)),
        ("size-discounted confidence", (1 / 2 + 1 / 2 + 1 / 3) / 3, (1 / 3) / 3),
    ],
)
def test_the_usual_measures_are_what_their_formulas_say(measure, tea_cup, tea_jar):
    found = plain.similarities(BASKETS)[measure]
    assert found[TEA, [CUP, JAR]] == pytest.approx([tea_cup, tea_jar])
    assert not found.diagonal().any()


def test_llr_counts_only_what_is_seen_more_often_than_by_chance():
    found = plain.similarities(BASKETS)["LLR"]
    assert found[TEA, JAR] == 0  # 1 seen, 1.5 expected
    assert found[TEA, CUP] == pytest.approx(2 * (4 * np.log(4) - 3 * np.log(3)))


def test_an_item_that_nobody_bought_has_finite_scores():
    for name, matrix in plain.similarities(BASKETS).items():
        assert np.isfinite(matrix).all(), name


def test_ease_solves_its_ridge_regression():
    found = plain.similarities(BASKETS)["EASE"]
    held = BASKETS.toarray().astype(np.float64)
    others = held[:, [TEA, JAR, NONE]]
    expected = np.linalg.solve(others.T @ others + 200 * np.eye(3), others.T @ held[:, CUP])
    np.testing.assert_allclose(found[[TEA, JAR, NONE], CUP], expected, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("name", ["popularity", "item_knn", "als"])
def test_the_baselines_rank_cup_first_for_tea(name):
    scorer = {
        "popularity": lambda: plain.popularity(BASKETS),
        "item_knn": lambda: plain.item_knn(BASKETS, k=3, threads=1),
        "als": lambda: plain.als(BASKETS, factors=4, iterations=10, alpha=5, regularization=0.01, threads=1),
    }[name]()
    scores = scorer(carts(np.array([TEA], np.int32), 4))[0].copy()
    scores[TEA] = -np.inf
    assert scores.shape == (4,)
    assert scores.argmax() == CUP
