"""Which items lose their history, which queries ask about them, and a small cut of the benchmark."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix

from benchmarks.quality import plain
from benchmarks.quality.baskets import FOLDER, SALES, TRAIN_UNTIL, invoices, purchases, titled
from benchmarks.quality.cold import K, among, drawn, parts
from benchmarks.quality.measure import ranked
from tests.training.histories import history
from training import matrices, metrics, scoring
from training.fit import complements
from training.fit.affinities import Goods
from training.queries import Queries
from training.scoring import Sources

SHOP = history(*((f"c{number}", f"i{number % 40:02d}", number) for number in range(80)))


def test_a_seeded_tenth_of_what_was_bought_is_cold() -> None:
    cold = drawn(SHOP)
    assert cold.sum() == 4
    np.testing.assert_array_equal(cold, drawn(SHOP))


def test_queries_are_about_some_items_and_want_some_items() -> None:
    wanted = csr_matrix(np.array([[0, 1, 1, 0], [1, 0, 0, 0], [0, 1, 0, 1]], dtype=np.float32))
    asked = Queries(scoring.carts(np.array([0, 1, 2], dtype=np.int32), 4), wanted)
    cold = np.array([False, False, True, False])
    (_, queried, _), (_, recommended, shown), (_, beside_all, everything) = parts(asked, cold)
    assert queried.histories.rows.tolist() == [2]
    assert queried.relevant.toarray().tolist() == [[0, 1, 0, 1]]
    assert recommended.histories.rows.tolist() == [0]
    assert recommended.relevant.toarray().tolist() == [[0, 0, 1, 0]]
    assert wanted.nnz == 5
    assert beside_all is recommended
    assert (shown is cold, everything) == (True, None)


def test_titles_alone_say_twice_what_popularity_says(valet_data: Callable[[str], Path]) -> None:
    """Online Retail with parameters as they come, 400 queries of each kind."""
    sales, asked_in = (valet_data(f"{FOLDER}/{name}") for name in (SALES, "basket_queries.csv"))
    bought, orders = purchases(sales)
    train = bought.where(bought.at <= TRAIN_UNTIL)
    cold = drawn(train)
    warm = matrices.baskets(train.where(~cold[train.item]), now=None)
    sources = Sources(complements=complements.fit(warm, Goods.of(titled(sales, bought.items))))
    methods = (lambda carts: scoring.score(sources, carts, now=None)["complements"], plain.popularity(warm.held))
    for _, part, shown in parts(invoices(asked_in, bought, train, orders), cold)[:2]:
        ours, popular = (metrics.ndcg(ranked(part.first(400), among(method, shown), K)).mean() for method in methods)
        assert ours > 2 * popular
