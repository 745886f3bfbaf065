import numpy as np

from tests.training.sets import CUP, HAT, JAR, TEA, visits_of
from training.fit.sessions import Parameters, fit


def held(model):
    return [set(model.items[start:stop].tolist()) for start, stop in zip(model.indptr, model.indptr[1:], strict=False)]


def test_the_newest_visits_are_kept_newest_first():
    model = fit(visits_of({TEA, CUP}, {TEA, JAR}, {CUP, JAR}), Parameters(recent=2, support=1))
    assert held(model) == [{CUP, JAR}, {TEA, JAR}]


def test_what_too_few_visits_held_is_kept_of_none():
    model = fit(visits_of({TEA, CUP}, {TEA, CUP, HAT}, {TEA, CUP}), Parameters(support=2))
    assert held(model) == [{TEA, CUP}] * 3
    assert model.rarity[HAT] == 0


def test_visits_of_one_item_say_nothing():
    assert fit(visits_of({TEA}, {CUP}), Parameters(support=1)) is None
    assert fit(visits_of(), Parameters(support=1)) is None


def test_of_an_item_the_newest_holders_are_kept():
    model = fit(visits_of(*[{TEA, CUP}] * 5), Parameters(holders=2, support=1))
    assert model.holders.tolist() == [0, 1, 0, 1]
    assert np.diff(model.item_indptr).tolist() == [2, 2, 0, 0]
