import pytest

from tests.training.histories import UNKNOWN, history
from training.queries import completions, next_purchases

DAY = 10
WHOLE = history(
    ("ann", "tea", 0, {"order": 0}),
    ("ann", "cup", 0, {"order": 0}),
    ("bob", "tea", 1, {"order": 1}),
    ("dan", "jar", 2, {"order": 2}),
    ("ann", "tea", DAY, {"order": 3}),
    ("ann", "jar", DAY, {"order": 3}),
    ("bob", "tea", DAY, {"order": 4}),
    ("cid", "cup", DAY, {"order": 5}),
    (UNKNOWN, "cup", DAY, {"order": 6}),
    (UNKNOWN, "jar", DAY, {"order": 6}),
    (UNKNOWN, "new", DAY, {"order": 6}),
)
TRAIN, TEST = WHOLE.where(WHOLE.at < DAY * 86_400), WHOLE.where(WHOLE.at >= DAY * 86_400)
CUP, JAR, NEW, TEA = range(4)


def told(queries):
    """What is known -> what should be found, as sets of rows."""
    held = queries.histories
    return {
        frozenset(held.rows[held.indptr[place] : held.indptr[place + 1]].tolist()): set(
            queries.relevant[place].indices.tolist()
        )
        for place in range(len(queries))
    }


def test_with_repeats_all_that_known_customers_buy_is_to_be_found():
    queries = next_purchases(TRAIN, TEST, repeats=True)
    assert told(queries) == {frozenset({CUP, TEA}): {TEA, JAR}, frozenset({TEA}): {TEA}}
    assert not queries.hide


def test_new_items_only_leaves_out_who_bought_nothing_new():
    queries = next_purchases(TRAIN, TEST, repeats=False)
    assert told(queries) == {frozenset({CUP, TEA}): {JAR}}
    assert queries.hide


def test_a_basket_is_asked_for_its_other_items_that_are_known():
    queries = completions(TRAIN, TEST)
    pairs = {(int(row), tuple(queries.relevant[place].indices)) for place, row in enumerate(queries.histories.rows)}
    assert pairs == {(TEA, (JAR,)), (JAR, (TEA,)), (CUP, (JAR,)), (JAR, (CUP,))}


@pytest.mark.parametrize("limit", [1, 3])
def test_a_limit_draws_by_the_seed(limit):
    first, again = (completions(TRAIN, TEST, limit=limit, seed=4) for _ in range(2))
    assert len(first) == limit
    assert first.histories.rows.tolist() == again.histories.rows.tolist()


def test_a_big_basket_does_not_outvote_the_others():
    big = history(*((UNKNOWN, f"item {number}", 0, {"order": 0}) for number in range(30)))
    queries = completions(big, big)
    assert len(queries) == 5
    assert set(
        queries.relevant.sum(axis=1).A1 if hasattr(queries.relevant.sum(axis=1), "A1") else queries.relevant.sum(axis=1)
    ) == {29}


def test_nobody_in_both_parts_asks_nothing():
    assert len(next_purchases(TRAIN, TRAIN.where(TRAIN.item < 0), repeats=True)) == 0
    assert len(completions(TRAIN, TRAIN.where(TRAIN.item < 0))) == 0
