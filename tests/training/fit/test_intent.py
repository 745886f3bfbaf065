import numpy as np
import pytest

from models.intent import waves
from tests.training.cuts import WIDTH, months
from tests.training.histories import history
from training.behaviours import Past
from training.fit.intent import Cut, Kinds, cuts, learn
from training.profile_rows import rows_of


def test_what_matters_is_found_and_the_rest_is_small():
    model = learn(list(months()), Kinds())
    assert model.weights[1, :2] == pytest.approx([1.0, -0.5], abs=0.2)  # the ridge pulls them in
    assert np.abs(model.weights[:, 2:]).max() < 0.1
    assert model.level == pytest.approx([-1.5, -1.5], abs=0.2)


def test_the_season_is_learnt_from_the_year_before():
    def level(day):
        return -1.5 + waves(day)[0]

    known = list(months(count=20, size=2_000, level=level))
    model = learn(known, Kinds())
    for ahead in (0, 45, 90, 180):
        today = known[-1].today + ahead
        foretold = model.chances(model.centre[None, :], today=today)[0, 1]
        assert np.log(foretold / (1 - foretold)) == pytest.approx(level(today + 15), abs=0.35)


def test_a_growing_shop_is_no_virtue_of_its_customers():
    known = [
        Cut(cut.today, np.column_stack([cut.x[:, :-1], cut.x[:, -1] + number]), cut.y)
        for number, cut in enumerate(months(level=lambda day: -3 + (day - 1_000) / 200))
    ]
    assert abs(learn(known, Kinds()).weights[1, -1]) < 0.2


def test_one_feature_alone():
    model = learn(list(months()), Kinds(), columns=[1])
    assert model.weights[1, 1] == pytest.approx(-0.4, abs=0.1)
    assert not model.weights[:, [0, *range(2, WIDTH)]].any()


def test_a_beginning_changes_nothing_but_the_time():
    known = list(months())
    whole = learn(known, Kinds())
    again = learn(known, Kinds(), start=learn(known[:-2], Kinds()))
    np.testing.assert_allclose(whole.weights, again.weights, atol=0.01)


def test_too_little_teaches_nothing():
    known = list(months(size=20))
    assert learn(known[:2], Kinds()) is None
    assert learn([Cut(cut.today, cut.x, np.zeros_like(cut.y)) for cut in known], Kinds()) is None
    assert (
        cuts(Past(rows_of(history(("ann", "a", 1), ("ann", "a", 300)), now=0)), now=300 * 86_400, kinds=Kinds()) == []
    )
