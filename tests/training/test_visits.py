import numpy as np

from models.settings import DAY_S
from tests.training.histories import UNKNOWN, history
from training.visits import PAUSE_S, visits

MINUTE = 60 / DAY_S
VIEW = {"event": "view_item"}


def told(history_):
    """The items of each visit in the order in which they came up, visits in the order in which they began."""
    found = visits(history_)
    return [history_.items.texts(found.item[found.visit == visit]) for visit in range(len(found))]


def test_half_an_hour_of_pause_ends_a_visit():
    pause = PAUSE_S / 60 * MINUTE
    rows = [("ann", "tea", 0, VIEW), ("ann", "cup", pause, VIEW), ("ann", "jar", 2 * pause + MINUTE, VIEW)]
    assert told(history(*rows)) == [["tea", "cup"], ["jar"]]


def test_two_people_at_once_make_two_visits_and_an_item_comes_up_once():
    rows = [
        ("ann", "tea", 0, VIEW),
        ("bob", "cup", MINUTE, VIEW),
        ("ann", "jar", 2 * MINUTE, VIEW),
        ("ann", "tea", 3 * MINUTE),
    ]
    assert told(history(*rows)) == [["tea", "jar"], ["cup"]]


def test_of_unknown_customers_and_without_times_a_basket_is_a_visit():
    rows = [
        (UNKNOWN, "tea", 0, {"order": 1}),
        (UNKNOWN, "cup", 0, {"order": 0}),
        (UNKNOWN, "jar", 0, {"order": 1}),
        (UNKNOWN, "hat", 0),
    ]
    for times in (True, False):
        assert sorted(map(sorted, told(history(*rows, times=times)))) == [["cup"], ["jar", "tea"]]


def test_what_came_back_or_was_only_rated_is_no_visit():
    assert told(history(("ann", "tea", 0, {"event": "refund"}), ("ann", "cup", 0, {"event": "rating"}))) == []


def test_visits_know_whether_clicks_were_seen():
    rows = [("ann", "tea", 0), ("ann", "cup", 1, VIEW), ("ann", "cup", 1 + MINUTE)]
    assert visits(history(*rows)).clicked.tolist() == [False, True]


def test_visits_are_numbered_by_when_they_began():
    rows = [("zoe", "tea", 0, VIEW), ("ann", "cup", 1, VIEW), ("zoe", "jar", 2, VIEW)]
    found = visits(history(*rows))
    assert found.visit.tolist() == [0, 1, 2]
    assert np.array_equal(found.at, np.sort(found.at))
