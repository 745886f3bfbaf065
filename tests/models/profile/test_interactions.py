from functools import reduce

import numpy as np
import pytest

from models.profile import EMPTY, Event, fold, interactions
from models.settings import DAY_S, Interest

LIFE = reduce(
    fold,
    [
        Event("purchase", 10, "b", 2.5, 100),
        Event("purchase", 30, "b", 1, 100),
        Event("view_item", 40, "a"),
        Event("view_item", 50, "a"),
        Event("dislike", 60, "c"),
    ],
    EMPTY,
)


def test_every_item_is_there_with_what_was_done_to_it():
    items = interactions(LIFE)
    assert items.item_ids == ["a", "b", "c"]
    assert items.purchases.tolist() == [0, 2, 0]
    assert items.quantity.tolist() == [0, 3.5, 0]
    assert items.first_at.tolist() == [0, 10, 0]
    assert items.last_at.tolist() == [0, 30, 0]
    assert items.seen_at.tolist() == [50, 30, 60]
    assert items.interest == pytest.approx([0.4, 0, -1])


def test_the_weights_of_events_are_the_callers():
    assert interactions(LIFE, Interest({"view_item": 3.0})).interest.tolist() == [6, 0, 0]


def test_what_events_say_fades_by_their_name():
    interest = Interest({"view_item": 1.0, "dislike": -1.0}, {"view_item": 1.0})
    assert interactions(LIFE, interest, now=50 + DAY_S).interest == pytest.approx([1.0, 0, -1.0])


def test_nobody_has_no_items():
    items = interactions(EMPTY)
    assert items.item_ids == []
    assert [array.dtype for array in items[1:]] == [np.int32, np.float32, np.int64, np.int64, np.float32, np.int64]
