import numpy as np
import pytest

from models.behaviour import Behaviour, Days
from models.clusters import FEATURES, features, standard
from training.fit.clusters import chosen, k_means, learn, named

TODAY = 1_000
REGULARS, GONE, NEWCOMERS = range(3)


def told(*customers):
    """Each is (days with an order, value in minor units)."""
    days = [sorted(set(days)) for days, _ in customers]
    bound = np.cumsum([0, *map(len, days)])
    bought = Days(np.array([day for one in days for day in one], dtype=np.int64), np.ones(bound[-1], np.int64), bound)
    nothing = Days(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(len(days) + 1, np.int64))
    zeros = np.zeros(len(days), np.int64)
    value = np.array([value for _, value in customers], dtype=np.int64)
    codes = zeros.astype(np.int32) - 1
    return Behaviour(bought, bought, nothing, zeros, value, zeros, codes, codes)


def shop(rng, kinds):
    for kind in kinds:
        if kind == REGULARS:
            yield (
                [290, *rng.integers(300, 960, 20).tolist(), int(rng.integers(960, 970))],
                int(rng.integers(100_000, 140_000)),
            )
        elif kind == GONE:
            yield [int(rng.integers(300, 400))], int(rng.integers(900, 1_100))
        else:
            yield [int(rng.integers(TODAY - 4, TODAY))], int(rng.integers(9_000, 11_000))


def test_groups_that_are_there_are_found_and_named_by_what_sets_them_apart():
    rng = np.random.default_rng(5)
    kinds = rng.permutation([REGULARS] * 200 + [GONE] * 150 + [NEWCOMERS] * 100)
    everybody = told(*shop(rng, kinds))
    found = learn(everybody, today=TODAY)
    assert found is not None
    group = found.of(everybody, today=TODAY)
    assert [set(kinds[group == number].tolist()) for number in range(len(found.names))] == [
        {REGULARS},
        {GONE},
        {NEWCOMERS},
    ]
    assert "frequent" in found.names[REGULARS]
    assert "low value" in found.names[GONE]
    assert "new" in found.names[NEWCOMERS]


def planted():
    """Three kinds of customers, and as many again that are something between them."""
    rng = np.random.default_rng(8)
    return told(*shop(rng, rng.permutation([REGULARS] * 200 + [GONE] * 150 + [NEWCOMERS] * 100)))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_another_seed_of_the_run_finds_as_many_groups_of_the_same_sizes(seed):
    one, other = (learn(planted(), today=TODAY, seed=number) for number in (0, seed))
    assert one is not None
    assert other is not None
    sizes = [np.bincount(found.of(planted(), today=TODAY)).tolist() for found in (one, other)]
    assert sizes[0] == sizes[1] == [200, 150, 100]


def test_other_halvings_of_the_customers_find_as_many_groups():
    raw = features(planted(), today=TODAY)
    found = standard(raw, raw.mean(axis=0), np.maximum(raw.std(axis=0), 1e-9))
    assert {chosen(found, np.random.default_rng(seed)) for seed in range(5)} == {3}


def test_the_same_seed_finds_the_same_groups():
    everybody = told(*shop(np.random.default_rng(1), [REGULARS, GONE, NEWCOMERS] * 60))
    one, other = (learn(everybody, today=TODAY, seed=7) for _ in range(2))
    assert one is not None
    assert other is not None
    np.testing.assert_array_equal(one.centres, other.centres)


@pytest.mark.parametrize("customers", [0, 30, 400])
def test_of_few_customers_or_all_of_a_kind_there_are_no_groups(customers):
    everybody = told(*shop(np.random.default_rng(2), [REGULARS] * min(customers, 30)))
    assert learn(everybody, today=TODAY) is None
    assert learn(told(*([([900], 500)] * customers)), today=TODAY) is None


def test_centres_are_the_means_of_what_is_nearest_to_them():
    rng = np.random.default_rng(3)
    found = np.concatenate([rng.normal(place, 0.1, (50, 2)) for place in (-2, 0, 2)])
    centres = k_means(found, 3, rng)
    np.testing.assert_allclose(np.sort(centres[:, 0]), [-2, 0, 2], atol=0.1)


def test_no_two_groups_have_one_name():
    centres = np.array([[2.0, 1.0, 0.1, 0, 0], [1.9, 1.1, -0.1, 0, 0], [-2.0, 1.0, 0, 0, 0]])
    assert named(centres) == [
        "frequent, high value, long away",
        "frequent, high value, here of late",
        "few orders, high value",
    ]
    same = named(np.ones((2, len(FEATURES))))
    assert len(set(same)) == 2
