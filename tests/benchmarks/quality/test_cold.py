"""Which items lose their history, and which queries ask about them."""

import numpy as np
from scipy.sparse import csr_matrix

from benchmarks.quality.cold import _part, drawn
from tests.training.histories import history
from training import scoring
from training.queries import Queries

SHOP = history(*((f"c{number}", f"i{number % 40:02d}", number) for number in range(80)))


def test_a_seeded_tenth_of_what_was_bought_is_cold() -> None:
    cold = drawn(SHOP)
    assert cold.sum() == 4
    np.testing.assert_array_equal(cold, drawn(SHOP))


def test_queries_are_about_some_items_and_want_some_items() -> None:
    wanted = csr_matrix(np.array([[0, 1, 1, 0], [1, 0, 0, 0], [0, 1, 0, 1]], dtype=np.float32))
    asked = Queries(scoring.carts(np.array([0, 1, 2], dtype=np.int32), 4), wanted)
    cold = np.array([False, False, True, False])
    queried, recommended = _part(asked, cold, None), _part(asked, ~cold, cold)
    assert queried.histories.rows.tolist() == [2]
    assert queried.relevant.toarray().tolist() == [[0, 1, 0, 1]]
    assert recommended.histories.rows.tolist() == [0]
    assert recommended.relevant.toarray().tolist() == [[0, 0, 1, 0]]
    assert wanted.nnz == 5
