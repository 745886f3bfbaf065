import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.sessions import MOST, Sessions, fading
from tests.training.sets import CUP, HAT, JAR, TEA, visits_of
from training.fit.sessions import Parameters, fit


def sessions_of(*sets, items=4, **parameters):
    found = fit(visits_of(*sets, items=items), Parameters(**{"support": 1, **parameters}))
    assert found is not None
    return found


def scored(model, *rows, weights=None):
    history = np.array(rows, np.int32)
    return model.score(history, np.ones(len(rows), np.float32) if weights is None else np.array(weights, np.float32))


def test_the_items_of_the_visits_that_share_one_are_found():
    model = sessions_of({TEA, CUP}, {TEA, CUP}, {JAR, HAT}, {TEA, JAR})
    scores = scored(model, TEA)
    assert scores[CUP] > scores[JAR] > 0
    assert scores[HAT] == 0


def test_a_score_is_what_the_formula_says():
    model = sessions_of({TEA, CUP}, {TEA, CUP, JAR}, {JAR, HAT}, rarity_exponent=1.0)
    rarity = np.log(4 / np.array([2, 2, 2, 1]))
    likeness = 2**-0.5 * rarity[TEA], 3**-0.5 * rarity[TEA]
    np.testing.assert_allclose(scored(model, TEA)[[CUP, JAR]], [rarity[CUP] * sum(likeness), rarity[JAR] * likeness[1]])


def test_only_the_nearest_visits_speak_and_of_equal_ones_the_newest():
    model = sessions_of({TEA, CUP}, {TEA, JAR}, {TEA, HAT}, k=2)
    scores = scored(model, TEA)
    assert scores[CUP] == 0
    assert scores[JAR] > 0
    assert scores[HAT] > 0


@pytest.mark.parametrize(("rows", "weights"), [((), ()), ((HAT,), (1,)), ((TEA,), (0,)), ((TEA,), (-1,))])
def test_nothing_known_or_liked_says_nothing(rows, weights):
    model = sessions_of({TEA, CUP}, {TEA, JAR})
    assert not scored(model, *rows, weights=weights).any()
    carried = model.carried(np.array(rows, np.int32), np.array(weights, np.float32), np.arange(4, dtype=np.int32))
    assert carried.shape == (4, len(rows))
    assert not carried.any()


def test_of_a_long_visit_the_items_that_weigh_most_are_looked_at():
    many = MOST + 10
    model = sessions_of(*({item, many} for item in range(many)), items=many + 1)
    weights = np.r_[np.full(10, 0.1), np.full(MOST, 1.0)]
    carried = model.carried(np.arange(many, dtype=np.int32), weights.astype(np.float32), np.array([many], np.int32))
    assert np.flatnonzero(carried[0]).tolist() == list(range(10, many))


SETS = st.lists(st.sets(st.integers(0, 7), min_size=1, max_size=6), min_size=2, max_size=30)


@given(
    SETS, st.lists(st.integers(0, 7), unique=True, max_size=8), st.integers(1, 5), st.integers(1, 4), st.integers(0, 9)
)
def test_contributions_always_sum_to_the_score(sets, rows, k, holders, seed):
    model = fit(visits_of(*sets, items=8), Parameters(k=k, holders=holders, support=1))
    if model is None:
        assert all(len(held) < 2 for held in sets)
        return
    history, weights = np.array(rows, np.int32), np.random.default_rng(seed).random(len(rows)).astype(np.float32)
    every = np.arange(8, dtype=np.int32)
    np.testing.assert_allclose(
        model.carried(history, weights, every).sum(axis=1), model.score(history, weights), atol=1e-5
    )


def test_of_newcomers_no_visit_tells_and_the_others_score_as_before():
    model = sessions_of({TEA, CUP}, {TEA, CUP, JAR})
    longer = model.longer(6)
    assert scored(longer, TEA).tolist() == [*scored(model, TEA).tolist(), 0, 0]
    assert not scored(longer, 5).any()


def test_the_newest_item_weighs_most_and_equal_times_alike():
    assert fading(np.array([5, 9, 5, 7]), 0.5).tolist() == [0.25, 1.0, 0.25, 0.5]
    assert fading(np.array([5, 9]), 1.0).tolist() == [1, 1]
    assert fading(np.zeros(0, np.int64), 0.5).tolist() == []


def test_the_model_is_arrays_of_items_and_nothing_of_people():
    assert set(Sessions.__dataclass_fields__) == {
        "indptr", "items", "worth", "item_indptr", "holders", "rarity", "welcome", "k",
    }  # fmt: skip
