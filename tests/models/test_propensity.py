"""Propensities: from the group to the action to the cell, fading, and adding up whatever the order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.action_catalogue import parse
from models.errors import InputError
from models.propensity import (
    DAY_S,
    EPOCH,
    Belief,
    Count,
    Learning,
    Starts,
    believe,
    coded,
    decoded,
    hers,
    logged,
    tallied,
    weight,
)

NOW = EPOCH + 100 * DAY_S
LEARNING = Learning()
STARTS = Starts.of([("a", "g", 0.1, 20), ("b", "g", 0.2, 20), ("new", "g", None, 20), ("other", "h", 0.5, 20)])
PLACE = {"channel": "email", "tier": "gold"}


def counts(*answers: tuple[str, str, int, int], at: int = NOW, place=PLACE) -> dict[str, Count]:
    """(action, group, tries, positives), all of one time."""
    found: dict[str, Count] = {}
    for action, group, tries, positives in answers:
        for name, one in tallied(
            LEARNING, action=action, group=group, at=at, tried=tries, taken=positives, **place
        ).items():
            before = found.get(name, Count())
            found[name] = Count(before.tries + one.tries, before.positives + one.positives)
    return found


def means(found: dict[str, Count], now: int = NOW, place=PLACE) -> list[float]:
    return believe(STARTS, found, LEARNING, **place, now=now).mean.tolist()


def test_without_answers_what_the_shop_said_stands_and_a_new_action_starts_from_its_group():
    assert means({}) == pytest.approx([0.1, 0.2, 0.15, 0.5])


def test_a_group_of_which_nothing_was_said_starts_from_all_others():
    starts = Starts.of([("a", "g", 0.1, 20), ("b", "g", 0.3, 20), ("c", "h", None, 20)])
    assert believe(starts, {}, LEARNING, **PLACE, now=NOW).mean[2] == pytest.approx(0.2)
    nothing = Starts.of([("a", "g", None, 20)])
    assert believe(nothing, {}, LEARNING, **PLACE, now=NOW).mean[0] == pytest.approx(0.05)


def test_each_level_is_shrunk_to_the_one_above():
    found = counts(("new", "g", 100, 40))
    of_group = (40 + 20 * 0.15) / 120
    of_action = (40 + 20 * of_group) / 120
    assert means(found)[2] == pytest.approx((40 + 20 * of_action) / 120)
    elsewhere = means(found, place={"channel": "website", "tier": "gold"})
    assert elsewhere[2] == pytest.approx(of_action)
    assert believe(STARTS, found, LEARNING, **PLACE, now=NOW).evidence.tolist() == pytest.approx([20, 20, 120, 20])


def test_what_a_group_learns_moves_its_new_actions_and_those_the_shop_spoke_of_but_no_other_group():
    before, after = means({}), means(counts(("a", "g", 200, 80)))
    assert all(new > old for new, old in zip(after[:3], before[:3], strict=True))
    assert after[1] > after[2]  # the shop's word that b is better than its group stands
    assert after[3] == before[3]


def test_answers_fade_with_their_half_life():
    answers = [("a", "g", 100, 90)]
    now = NOW + 90 * DAY_S
    assert means(counts(*answers, at=NOW), now) == pytest.approx(means(counts(("a", "g", 50, 45), at=now), now))
    assert means(counts(*answers, at=NOW), NOW + 3650 * DAY_S) == pytest.approx(means({}), rel=1e-6)


ANSWERS = st.lists(st.tuples(st.integers(0, 300), st.booleans()), max_size=12)


@given(ANSWERS, st.randoms())
def test_counts_are_the_same_in_any_order_and_what_is_taken_back_is_gone(answers, random):
    rows = [("a", "g", 1, int(taken), NOW - day * DAY_S) for day, taken in answers]
    again = rows + [("a", "g", -1, -int(taken), NOW - day * DAY_S) for day, taken in answers[: len(answers) // 2]]
    left = rows[len(rows) // 2 :]
    random.shuffle(again)
    assert means(_sum(again)) == pytest.approx(means(_sum(left)), abs=1e-9)


def _sum(rows) -> dict[str, Count]:
    found: dict[str, Count] = {}
    for *row, at in rows:
        for name, one in counts(tuple(row), at=at).items():
            before = found.get(name, Count())
            found[name] = Count(before.tries + one.tries, before.positives + one.positives)
    return found


def test_forward_decay_fits_a_double_for_twenty_years():
    assert 0 < weight(EPOCH + 20 * 365 * DAY_S, 14) < 1e300


def test_her_own_answers_move_the_chance_and_make_it_surer():
    belief = Belief(np.array([0.1]), np.array([50.0]))
    assert hers(belief, 0, tries=0, positives=0, evidence=20) == pytest.approx((0.1, 50))
    mean, evidence = hers(belief, 0, tries=5, positives=3, evidence=20)
    assert mean == pytest.approx((20 * 0.1 + 3) / 25)
    assert evidence > 20
    assert hers(belief, 0, tries=2, positives=1, evidence=0)[0] == pytest.approx(0.5)


@given(st.lists(st.tuples(st.floats(1e-6, 1.0), st.floats(1, 1e9)), min_size=1, max_size=9))
def test_what_is_logged_is_what_is_decided_with(rows):
    belief = Belief(*np.array(rows).T)
    read = decoded(coded(belief))
    assert read.mean == pytest.approx(belief.mean, abs=3e-10)
    assert read.evidence == pytest.approx(belief.evidence, rel=0.05)
    assert decoded(coded(read)).mean.tolist() == read.mean.tolist()
    assert decoded(coded(read)).evidence.tolist() == read.evidence.tolist()
    assert [part.tolist() for part in logged(belief)] == [part.tolist() for part in read]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[learning]\nhalf_life_days = 7\n", "line 2: learning.half_life_days: 7.0 must be at least 14"),
        ("[learning]\ncell_evidence = 0\n", "line 2: learning.cell_evidence: 0.0 must be above 0"),
        ('[learning]\nexploration = "luck"\n', "thompson"),
        ("[arms]\nholdout = -0.1\n", "line 2: arms.holdout: -0.1 must be from 0 to 1"),
        ("[arms]\nholdout = 0.6\nrandom = 0.6\n", "sum to more than 1"),
    ],
)
def test_settings_that_cannot_be_are_refused_with_their_line(text, says):
    with pytest.raises(InputError, match=says):
        parse(text, "actions.toml")
