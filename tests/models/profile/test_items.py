from functools import reduce

from models.profile import EMPTY, Event, dump, fold, load
from models.profile.items import columns, newest, seen_since

LIFE = reduce(
    fold, [Event("purchase", 10, "b", 2.5, 100), Event("view_item", 40, "a"), Event("dislike", 60, "c")], EMPTY
)


def test_items_of_a_document_are_those_that_were_written():
    items = load(dump(LIFE)).items
    assert items == LIFE.items
    assert list(items.items()) == list(LIFE.items.items())
    assert list(items.values()) == list(LIFE.items.values())
    assert (len(items), list(items), "a" in items, "z" in items, items.get("z")) == (
        3,
        ["b", "a", "c"],
        True,
        False,
        None,
    )


def test_columns_hold_every_number_of_an_item():
    item_ids, numbers, events = columns(LIFE.items)
    assert item_ids == ["b", "a", "c"]
    assert numbers.tolist() == [[1, 0, 0], [2500, 0, 0], [10, 0, 0], [10, 0, 0], [10, 40, 60]]
    assert [dict(counts) for counts in events] == [{}, {"view_item": 1}, {"dislike": 1}]


def test_nobody_has_columns_too():
    item_ids, numbers, events = columns(EMPTY.items)
    assert (item_ids, numbers.shape, events) == ([], (5, 0), [])


def test_the_newest_items_are_those_that_stand_last_and_are_made_one_by_one():
    items = load(dump(LIFE)).items
    assert list(newest(items)) == list(newest(LIFE.items)) == list(LIFE.items.items())[::-1]
    assert seen_since(items, 40) == seen_since(LIFE.items, 40) == [("c", LIFE.items["c"]), ("a", LIFE.items["a"])]
    assert seen_since(EMPTY.items, 0) == []
