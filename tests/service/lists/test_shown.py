"""What was shown: counted by all workers, for one to two windows, of the rows of one bundle."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from models.bundle import Bundle
from service.lists.picks import Pick
from service.lists.recommend import Answer
from service.lists.shown import WINDOW_S, Shown
from tests.worlds import tiny_models

MODELS = tiny_models()
ITEMS = len(MODELS.catalogue)
NOW = 100 * WINDOW_S


def bundle(version: str = "one") -> Bundle:
    return Bundle(version, {}, MODELS)


def answer(*rows: int | None) -> Answer:
    return Answer("popular", tuple(Pick(row, "x", 1.0, "popularity", None, {}) for row in rows))


def covered(shown: Shown, version: str = "one", *, now: int = NOW) -> int:
    return round(shown.drift(bundle(version), now=now).coverage * ITEMS)


def test_items_count_once_for_coverage_however_often_they_are_shown() -> None:
    shown = Shown()
    assert covered(shown) == 0
    for _ in range(5):
        shown.show(answer(0, 3, None), "one", now=NOW)
    shown.show(answer(3, 4), "one", now=NOW)
    assert covered(shown) == 3


def test_rows_of_because_you_count_and_the_first_is_not_counted_twice() -> None:
    shown, first, second = Shown(), answer(1).picks, answer(2).picks
    shown.show(replace(answer(), picks=first, anchored=((0, first), (5, second))), "one", now=NOW)
    assert covered(shown) == 2
    assert [int(shown._tables[0][row]) + int(shown._tables[1][row]) for row in (1, 2)] == [1, 1]


@pytest.mark.parametrize(("later", "expected"), [(0, 1), (WINDOW_S, 1), (2 * WINDOW_S, 0), (300 * WINDOW_S, 0)])
def test_what_was_shown_is_forgotten_after_two_windows(later: int, expected: int) -> None:
    shown = Shown()
    shown.show(answer(1), "one", now=NOW)
    assert covered(shown, now=NOW + later) == expected


def test_a_window_begins_empty_in_the_place_of_an_old_one() -> None:
    shown = Shown()
    shown.show(answer(1, 2, 3), "one", now=NOW)
    shown.show(answer(4), "one", now=NOW + 2 * WINDOW_S)
    assert covered(shown, now=NOW + 2 * WINDOW_S) == 1


def test_another_bundle_begins_anew_and_who_has_it_not_yet_does_not_count() -> None:
    shown = Shown()
    shown.show(answer(1, 2), "one", now=NOW)
    child = os.fork()
    if child == 0:  # a worker that has swapped
        shown.show(answer(7), "two", now=NOW)
        os._exit(0)
    os.waitpid(child, 0)
    shown.show(answer(3), "one", now=NOW)  # one that has not
    assert covered(shown, "one") == 0
    assert covered(shown, "two") == 1
    shown.show(answer(8), "two", now=NOW)
    assert covered(shown, "two") == 2


def test_forked_workers_count_together() -> None:
    shown = Shown()
    shown.show(answer(0), "one", now=NOW)
    child = os.fork()
    if child == 0:
        shown.show(answer(5, 6), "one", now=NOW)
        os._exit(0)
    os.waitpid(child, 0)
    assert covered(shown) == 3
