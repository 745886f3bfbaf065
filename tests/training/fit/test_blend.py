import numpy as np
import pytest
from scipy.sparse import csr_matrix

from models.neighbours import Neighbours
from models.popularity import Popularity
from training.fit import blend
from training.fit.blend import Candidates, candidates, search
from training.metrics import rank_hits
from training.queries import Queries
from training.scoring import Sources, carts


def of(relevant, **sources):
    """Candidates of sources given as tables queries × items, all items being candidates."""
    scores = np.array(list(sources.values()), np.float32)
    rows = np.broadcast_to(np.arange(scores.shape[2], dtype=np.int32), scores.shape[1:])
    wanted = np.zeros(scores.shape[1:])
    wanted[np.arange(len(relevant)), relevant] = 1
    ranked = rank_hits(rows, csr_matrix(wanted))
    return Candidates(tuple(sources), scores, rows, ranked.hits, ranked.relevant)


def random_scores(seed, queries=60, items=200):
    return np.random.default_rng(seed).random((queries, items)).astype(np.float32)


TARGETS = np.random.default_rng(9).integers(0, 200, 60)


def hinting(seed, strength):
    scores = random_scores(seed)
    scores[np.arange(60), TARGETS] += strength
    return scores


def test_a_source_that_knows_outweighs_one_that_guesses():
    weights = search(of(TARGETS, factors=random_scores(1), alike=hinting(2, 2.0)))
    assert weights == {"alike": 1.0}


def test_two_halves_of_the_truth_are_better_than_one():
    found = of(TARGETS, alike=hinting(1, 0.6), factors=hinting(2, 0.6), popularity=random_scores(3))
    weights = search(found)
    assert {"alike", "factors"} <= set(weights)
    assert found.ndcg(weights) > max(found.ndcg({"alike": 1}), found.ndcg({"factors": 1}))


def test_without_queries_there_is_nothing_to_say():
    assert search(of(np.zeros(0, int), alike=np.zeros((0, 5)))) == {}


TOGETHER = Neighbours(
    np.array([0, 2, 3, 3]), np.array([1, 2, 0], np.int32), np.array([2, 1, 4], np.float32), np.ones(3, np.int32)
)


def test_candidates_hide_what_is_held_and_carry_every_source_on_one_scale():
    asked = Queries(carts(np.array([0, 1], np.int32), 3), csr_matrix(np.array([[0, 1, 0], [0, 0, 1]])))
    sources = Sources(together=TOGETHER, popularity=Popularity(np.array([0, 3, 4], np.float32)))
    found = candidates(sources, asked, now=None)
    assert found.names == ("together", "popularity")
    assert found.rows.tolist() == [[1, 2], [0, 2]]
    assert found.hits.tolist() == [[True, False], [False, True]]
    rms = np.sqrt(5 / 3), np.sqrt(25 / 3)
    np.testing.assert_allclose(found.scores[0, 0], np.array([2, 1]) / rms[0], rtol=1e-6)
    np.testing.assert_allclose(found.scores[1, 0], np.array([3, 4]) / rms[1], rtol=1e-6)


@pytest.mark.parametrize(("items", "candidates"), [(5, 5), (blend.K_MEASURED + 30, blend.K_MEASURED + 30)])
def test_the_measure_is_ndcg_of_the_whole_ranking(items, candidates):
    scores = np.arange(items, 0, -1, dtype=np.float32)[None]
    assert of(np.array([1]), alike=scores).ndcg({"alike": 1}) == pytest.approx(1 / np.log2(3))
