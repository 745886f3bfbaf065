import numpy as np
import pytest
from scipy.sparse import csr_matrix

from benchmarks.quality.measure import lead, linear, ranked, row
from training import scoring
from training.queries import Queries
from training.scoring import carts

# who holds item 0 should find 1, who holds 1 should find 2, and so on
RING = Queries(carts(np.arange(4, dtype=np.int32), 4), csr_matrix(np.roll(np.eye(4), 1, axis=1)))
KNOWS, GUESSES = linear(csr_matrix(np.roll(np.eye(4), 1, axis=1))), linear(np.ones((4, 4), np.float32))


@pytest.mark.parametrize("block", [4, 8, 1000])
def test_a_scorer_that_knows_is_right_however_it_is_cut(monkeypatch, block):
    monkeypatch.setattr(scoring, "BLOCK_SCORES", block)
    lists = ranked(RING, KNOWS, 1)
    assert lists.rows.ravel().tolist() == [1, 2, 3, 0]
    assert row("ring", "knows", lists, ("hr", "ndcg")).values == {"hr@1": 1, "ndcg@1": 1}


def test_what_is_held_is_not_shown_to_a_scorer_that_likes_everything():
    assert ranked(RING, GUESSES, 1).rows.ravel().tolist() == [1, 0, 0, 0]


def test_the_lead_is_above_zero_only_for_the_better():
    better, worse = ranked(RING, KNOWS, 1), ranked(RING, GUESSES, 1)
    assert lead(better, worse)[0] >= 0
    assert lead(worse, better)[1] <= 0
    assert lead(better, better) == (0, 0)
