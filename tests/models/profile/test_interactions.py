from functools import reduce

import numpy as np
import pytest

from models.profile import EMPTY, Event, dump, fold, interactions, load
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
    assert items.item_ids == ["b", "a", "c"]
    assert items.purchases.tolist() == [2, 0, 0]
    assert items.quantity.tolist() == [3.5, 0, 0]
    assert items.first_at.tolist() == [10, 0, 0]
    assert items.last_at.tolist() == [30, 0, 0]
    assert items.seen_at.tolist() == [30, 50, 60]
    assert items.said() == pytest.approx([0, 0.4, -1])


def test_the_weights_of_events_are_the_callers():
    assert interactions(LIFE).said(Interest({"view_item": 3.0})).tolist() == [0, 6, 0]


def test_what_events_say_fades_by_their_name():
    interest = Interest({"view_item": 1.0, "dislike": -1.0}, {"view_item": 1.0})
    assert interactions(LIFE).said(interest, now=50 + DAY_S) == pytest.approx([0, 1.0, -1.0])


def test_items_of_a_document_say_the_same_as_the_profile_that_was_written():
    read, written = interactions(load(dump(LIFE))), interactions(LIFE)
    assert read.item_ids == written.item_ids
    assert np.stack(read[1:6]).tolist() == np.stack(written[1:6]).tolist()
    assert read.said(now=10**6).tolist() == written.said(now=10**6).tolist()


def test_items_of_several_customers_follow_one_another():
    one, both = interactions(LIFE), interactions(LIFE, EMPTY, load(dump(LIFE)))
    assert both.item_ids == ["b", "a", "c"] * 2
    assert np.stack(both[1:6]).tolist() == np.tile(np.stack(one[1:6]), 2).tolist()
    assert both.said().tolist() == [*one.said()] * 2


def test_nobody_has_no_items():
    items = interactions(EMPTY)
    assert items.item_ids == []
    assert [len(part) for part in items] == [0] * 7
    assert items.said(now=10).tolist() == []
