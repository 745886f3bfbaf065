import numpy as np
import pytest

from models.likeness import carried, like, score, telling
from tests.worlds import tiny_catalogue

CATALOGUE = tiny_catalogue()


def row(item_id: str) -> int:
    return CATALOGUE.items.row(item_id)


def test_what_has_all_in_common_is_wholly_alike_and_what_has_nothing_is_not() -> None:
    found = like(CATALOGUE, row("DR-001"))
    assert found[row("DR-001")] == found[row("DR-001-L")] == pytest.approx(1)
    assert found[row("VT-001")] == 0
    assert found[row("SH-015")] == 0


def test_more_in_common_is_more_alike_and_a_rare_value_counts_more() -> None:
    found = like(CATALOGUE, row("SH-014"))
    assert found[row("SH-016")] > found[row("SH-015")] > found[row("DR-001")] > 0


def test_an_item_of_which_nothing_is_said_is_like_nothing() -> None:
    vitamins = like(CATALOGUE, row("VT-001"))
    assert np.flatnonzero(vitamins).tolist() == [row("VT-001")]


def test_the_scores_of_a_history_are_what_its_items_carried() -> None:
    rows, weights = np.array([row("DR-001"), row("SH-015")], dtype=np.int32), np.array([1, 0.5], dtype=np.float32)
    everything = np.arange(len(CATALOGUE), dtype=np.int32)
    assert carried(CATALOGUE, rows, weights, everything).sum(axis=1) == pytest.approx(score(CATALOGUE, rows, weights))
    assert not score(CATALOGUE, rows[:0], weights[:0]).any()
    assert carried(CATALOGUE, rows[:0], weights[:0], everything).shape == (len(CATALOGUE), 0)


def test_only_the_items_that_say_most_are_looked_at_and_none_that_she_refused() -> None:
    rows, weights = np.arange(6, dtype=np.int32), np.array([0.1, -1, 0.5, 0.4, 0.5, 0], dtype=np.float32)
    assert telling(rows, weights)[0].tolist() == [2, 4, 3]
    assert telling(rows, -np.abs(weights))[0].tolist() == []
