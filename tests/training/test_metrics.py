import numpy as np
import pytest
from scipy.sparse import csr_matrix

from training import metrics
from training.metrics import rank_hits

LOG2_3 = np.log2(3)


def ranked(lists, relevant, items=6):
    """Lists of item rows, and the rows that are relevant, by customer."""
    wanted = np.zeros((len(relevant), items))
    for customer, rows in enumerate(relevant):
        wanted[customer, list(rows)] = 1
    return rank_hits(np.array(lists, np.int32), csr_matrix(wanted))


@pytest.mark.parametrize(
    ("shown", "relevant", "recall", "ndcg", "hr", "mrr"),
    [
        ((0, 1, 2), {0, 1, 2}, 1, 1, 1, 1),
        ((0, 1, 2), {3}, 0, 0, 0, 0),
        ((3, 0, 1), {0}, 1, 1 / LOG2_3, 1, 1 / 2),
        ((0, 3, 1), {0, 5}, 1 / 2, 1 / (1 + 1 / LOG2_3), 1, 1),
        (
            (0, 1, 2),
            {0, 1, 2, 3, 4},
            3 / 5,
            1,
            1,
            1,
        ),  # more are relevant than shown: the ideal list is full of hits too
        ((3, -1, -1), {0}, 0, 0, 0, 0),
    ],
)
def test_the_four_metrics_of_one_list(shown, relevant, recall, ndcg, hr, mrr):
    one = ranked([shown], [relevant])
    found = [measure(one)[0] for measure in (metrics.recall, metrics.ndcg, metrics.hit_rate, metrics.reciprocal_rank)]
    assert found == pytest.approx([recall, ndcg, hr, mrr])


def test_the_end_of_a_short_list_hits_nothing_of_the_customer_before():
    both = ranked([(0, -1), (-1, -1)], [{5}, {0}])  # row 1 · 6 items - 1 is item 5 of customer 0
    assert not both.hits.any()


@pytest.mark.parametrize("measure", metrics.PER_CUSTOMER.values(), ids=metrics.PER_CUSTOMER.keys())
def test_a_customer_without_relevant_items_has_no_value_and_no_part_in_the_mean(measure):
    both = ranked([(0, 1), (0, 1)], [{0}, ()])
    assert np.isnan(measure(both)[1])
    assert metrics.mean(measure(both)) == measure(both)[0]


def test_nobody_to_measure_is_all_zeros():
    nobody = rank_hits(np.zeros((0, 5), np.int32), csr_matrix((0, 6)))
    assert metrics.summary(nobody, np.ones(6)) == dict.fromkeys(
        ["recall", "ndcg", "hr", "mrr", "coverage", "novelty"], 0
    )


def test_coverage_is_the_share_of_the_catalogue_that_is_shown():
    assert metrics.coverage(ranked([(0, 1), (0, -1)], [{0}, {0}]), 6) == pytest.approx(2 / 6)
    assert metrics.coverage(ranked([(0, 1)], [{0}]), 0) == 0


def test_novelty_is_the_bits_of_surprise_of_what_is_shown():
    popularity = np.array([4, 2, 1, 1, 0, 0], float)
    assert metrics.novelty(ranked([(0,)], [{0}]), popularity) == pytest.approx(1)
    assert metrics.novelty(ranked([(1, 2)], [{0}]), popularity) == pytest.approx((2 + 3) / 2)
    assert metrics.novelty(ranked([(4,)], [{0}]), popularity) == pytest.approx(4)
    assert metrics.novelty(ranked([(0,)], [{0}]), np.zeros(6)) == 0


def test_the_interval_holds_the_mean_and_narrows_with_more_customers():
    few, many = (np.random.default_rng(1).random(size) for size in (20, 2000))
    for values in (few, many):
        low, high = metrics.interval(values)
        assert low < values.mean() < high
    assert np.subtract(*metrics.interval(many)) > np.subtract(*metrics.interval(few)) * 0.5


def test_the_interval_is_the_same_each_time_and_empty_without_values():
    values = np.array([0.1, 0.5, np.nan, 0.9])
    assert metrics.interval(values) == metrics.interval(values)
    assert metrics.interval(np.array([np.nan])) == (0, 0)
