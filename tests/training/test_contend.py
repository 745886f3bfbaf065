from dataclasses import replace

import numpy as np
import pytest

from models.blend import Blend
from models.settings import DAY_S
from tests.training.histories import history
from training import contend as contending
from training import matrices
from training.contend import STANDING, contend, questions, rival
from training.fit import ease
from training.scoring import Sources
from training.tune import learn, untuned

BLEND = Blend({"complementary": {"together": 1.0}, "for_you": {"together": 1.0}})
START = ease.Parameters(k=20)


def kits(orders=400, seed=0):
    """Baskets of two of forty pairs and most of six things that everybody takes: adding up counts, those say the same six times."""
    rng, rows = np.random.default_rng(seed), []
    for order in range(orders):
        parts = [f"{pair:02d}-{part}" for pair in rng.choice(40, 2, replace=False) for part in range(2)]
        parts += [f"staple {number}" for number in range(6) if rng.random() < 0.8]
        rows += [(f"c{order}", part, order / 40, {"order": order}) for part in parts]
    return history(*rows)


def clicks(visits=400, seed=0):
    """Visits that go round one of six shelves, always in the same direction."""
    rng, rows = np.random.default_rng(seed), []
    for visit in range(visits):
        shelf, start = rng.integers(6), rng.integers(8)
        for step in range(4):
            item, at = f"{shelf}-{(start + step) % 8}", visit / 40 + step / 2000
            rows.append((f"v{visit}", item, at, {"event": "view_item"}))
            if rng.random() < 0.1:
                rows.append((f"v{visit}", item, at, {"order": visit}))
    return history(*rows)


def parts(whole):
    return whole.where(whole.at < 6 * DAY_S), whole.where(whole.at >= 6 * DAY_S)


def contest_of(whole, category=None):
    train, late = parts(whole)
    sources = Sources(together=learn(train, untuned(k=20, factors=4, iterations=2), now=6 * DAY_S).together)
    asked = questions(train, late, category=category)
    learnt = rival(matrices.baskets(train, now=6 * DAY_S), asked, START)
    return contend(train, asked, sources=sources, blend=BLEND, ease=learnt)


def test_ease_is_used_where_it_completes_carts_better(monkeypatch):
    monkeypatch.setattr(contending.fit_sessions, "fit", lambda *_: None)  # they would do as well here
    contest = contest_of(kits())
    told = contest.measured["cart"]
    assert told["taken"] == "with ease"
    assert told["ndcg"]["with ease"] > told["ndcg"][STANDING]
    assert contest.ease is not None
    assert "ease" in contest.blend.weights["cart"]
    assert contest.measured["session"]["taken"] == STANDING  # no clicks were seen
    assert "session" not in contest.blend.weights


def test_sessions_are_used_where_visits_tell_more():
    contest = contest_of(clicks())
    assert contest.measured["session"]["taken"] == "with sessions"
    assert contest.sessions is not None
    assert contest.blend.weights["session"]["sessions"] > 0
    assert contest.blend.fade in contending.FADES


def test_what_is_similar_is_learnt_from_what_was_looked_at_side_by_side():
    whole = clicks()
    shelf = np.array([int(name[0]) for name in whole.items.texts(range(len(whole.items)))], np.int32)
    told = contest_of(whole, category=shelf)
    assert told.measured["similar"]["taken"] == "with sessions"
    assert told.blend.weights["similar"]["sessions"] > 0
    without = contest_of(whole)
    assert without.measured["similar"]["taken"] == STANDING
    assert "similar" not in without.blend.weights


def test_where_little_can_be_measured_nothing_changes():
    contest = contest_of(kits(orders=30))
    assert (contest.blend, contest.ease, contest.sessions) == (BLEND, None, None)
    assert {told["taken"] for told in contest.measured.values()} == {STANDING}


def test_what_is_no_better_is_left_out():
    rng = np.random.default_rng(1)
    rows = [
        (f"c{order}", f"i{item}", order / 40, {"order": order})
        for order in range(400)
        for item in rng.permutation(40)[:4]
    ]
    contest = contest_of(history(*rows))
    assert contest.measured["cart"]["taken"] == STANDING
    assert (contest.ease, contest.sessions) == (None, None)


def test_the_same_history_gives_the_same_contest():
    assert contest_of(kits()) == contest_of(kits())


def died(*_, **__):
    raise ease.SolverError("EASE: the solver was killed by signal 9")


def test_a_run_goes_on_without_ease_where_its_solver_dies(monkeypatch):
    monkeypatch.setattr(ease, "_solved", died)
    contest = contest_of(kits())
    assert contest.ease is None
    assert "signal 9" in contest.measured["ease"]["error"]
    assert "ease" not in contest.blend.of("cart")


def test_a_bundle_is_learnt_without_ease_where_its_solver_dies_later(monkeypatch, capsys):
    tuned = replace(untuned(k=20, factors=4, iterations=2), ease=START)
    assert learn(kits(), tuned, now=None).ease is not None
    monkeypatch.setattr(ease, "_solved", died)
    learnt = learn(kits(), tuned, now=None)
    assert learnt.ease is None
    assert learnt.together is not None
    assert "killed by signal 9; carts are completed without it" in capsys.readouterr().err


@pytest.mark.parametrize("times", [True, False], ids=["timed", "timeless"])
def test_histories_of_almost_nothing_are_contended_without_a_word(times):
    whole = history(("ann", "tea", 0), ("ann", "cup", 5), times=times)
    late = np.arange(len(whole)) == 1
    sources = learn(whole.where(~late), untuned(k=5, factors=2, iterations=1), now=None)
    asked = questions(whole.where(~late), whole.where(late), category=None)
    learnt = rival(matrices.baskets(whole.where(~late), now=None), asked, START)
    contest = contend(whole.where(~late), asked, sources=sources, blend=BLEND, ease=learnt)
    assert contest.blend == BLEND
