from functools import reduce

from models.profile import EMPTY, Event, dump, fold, load
from models.profile.items import columns, newest_views, seen_since

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
    item_ids, numbers, events = columns([LIFE.items])
    assert item_ids == ["b", "a", "c"]
    assert numbers.tolist() == [[1, 0, 0], [2500, 0, 0], [10, 0, 0], [10, 0, 0], [10, 40, 60]]
    assert [dict(counts) for counts in events] == [{}, {"view_item": 1}, {"dislike": 1}]


def test_nobody_has_columns_too():
    item_ids, numbers, events = columns([EMPTY.items])
    assert (item_ids, numbers.shape, events) == ([], (5, 0), [])


def test_the_newest_views_stand_first():
    later = fold(LIFE, Event("view_item", 70, "b"))
    for items in (later.items, load(dump(later)).items):
        told = [(at, [tuple(day) for day in days or ()]) for at, days in newest_views(items)]
        assert told == [(70, [(0, 1)]), (60, []), (40, [(0, 1)])]


def test_who_viewed_nothing_has_no_views():
    bought = fold(EMPTY, Event("purchase", 10, "b", 2.5, 100))
    for items in (bought.items, load(dump(bought)).items):
        assert [(at, bool(days)) for at, days in newest_views(items)] == [(10, False)]


def test_what_was_seen_since_stands_newest_first_with_purchases_and_looks():
    later = fold(LIFE, Event("view_item", 70, "b"))
    items = load(dump(later)).items
    for those in (items, later.items):
        told = [
            (item_id, bought, at, [tuple(day) for day in days or ()])
            for item_id, bought, at, days in seen_since(those, 50)
        ]
        assert told == [("b", 1, 10, [(0, 1)]), ("c", 0, 0, [])]
    assert [item_id for item_id, *_ in seen_since(items, 0)] == ["b", "c", "a"]
    assert seen_since(EMPTY.items, 0) == []
