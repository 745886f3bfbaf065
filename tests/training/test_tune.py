import numpy as np
import pytest

from models.popularity import Popularity
from models.settings import DAY_S
from tests.training.histories import UNKNOWN, history
from training.tune import learn, tune, untuned

START = untuned(k=10, factors=4, iterations=2)


def tuned_on(train, validation, now):
    popularity = Popularity(np.bincount(train.item, minlength=len(train.items)).astype(np.float32))
    return tune(train, validation, start=START, popularity=popularity, repeat=None, now=now)


@pytest.mark.parametrize(
    "rows",
    [
        [("ann", "tea", 0)],
        [("ann", "tea", 0), ("ann", "tea", 5)],
        [("ann", "tea", 0), ("ann", "cup", 5)],
        [("ann", "tea", 0, {"order": 0}), ("bob", "tea", 5, {"order": 1})],
        [(UNKNOWN, "tea", 0, {"order": 0}), (UNKNOWN, "cup", 5, {"order": 1})],
        [("ann", "tea", 0), ("ann", "cup", 0), ("bob", "tea", 0), ("bob", "cup", 5)],
    ],
    ids=["one purchase", "one item", "one customer", "one item of two", "nobody known", "two of two"],
)
@pytest.mark.parametrize("times", [True, False], ids=["timed", "timeless"])
def test_tiny_histories_are_tuned_and_learnt_without_a_word(rows, times):
    whole = history(*rows, times=times)
    late = np.arange(len(whole)) == len(whole) - 1
    found = tuned_on(whole.where(~late), whole.where(late), 2 * DAY_S if times else None)
    learnt = learn(whole, found, now=6 * DAY_S if times else None)
    assert set(found.blend.weights) == {"for_you", "for_you_owned", "complementary", "similar"}
    assert (learnt.alike is None) == (learnt.factors is None) == (whole.customer < 0).all()
    assert (learnt.together is None) == (whole.order < 0).all()


def groups(customers=60, seed=0):
    """Customers buy the six items of one of five groups, in two baskets a week apart."""
    rng, rows = np.random.default_rng(seed), []
    for customer in range(customers):
        items = rng.permutation(6)
        group = customer % 5
        for place, item in enumerate(items[:5]):
            late = place >= 3
            rows.append((f"c{customer:03d}", f"{group}-{item}", 10 * late, {"order": 2 * customer + late}))
    return history(*rows)


def test_the_same_history_gives_the_same_tuning_and_the_same_arrays():
    whole = groups()
    train, late = whole.where(whole.at < 5 * DAY_S), whole.where(whole.at >= 5 * DAY_S)
    first, again = (tuned_on(train, late, 5 * DAY_S) for _ in range(2))
    assert first == again
    models = learn(whole, first, now=10 * DAY_S), learn(whole, again, now=10 * DAY_S)
    assert np.array_equal(models[0].alike.scores, models[1].alike.scores)
    assert np.array_equal(models[0].factors.item_factors, models[1].factors.item_factors)


def test_popularity_does_not_lead_where_groups_tell_more():
    whole = groups()
    train, late = whole.where(whole.at < 5 * DAY_S), whole.where(whole.at >= 5 * DAY_S)
    weights = tuned_on(train, late, 5 * DAY_S).blend.weights
    for intent in ("for_you", "complementary"):
        assert weights[intent].get("popularity", 0) < max(weights[intent].values())
