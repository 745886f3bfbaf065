from functools import reduce
from itertools import permutations

import pytest

from models.profile import EMPTY, Event, dump, fold, load
from models.profile.searches import LONGEST, TERMS


def searched(term, at, name="search_term"):
    return Event("search", at, extra={name: term})


def bought(at):
    return Event("purchase", at, "a", order_id=f"o{at}", amount=100)


def told(*events):
    return reduce(fold, events, EMPTY).searches


@pytest.mark.parametrize(
    ("events", "terms"),
    [
        ([searched("Red  Shoes", 1)], {"red shoes": 1}),
        ([searched("hat", 1, "query")], {"hat": 1}),
        ([searched("hat", 1), searched("HAT ", 9), searched("bag", 5)], {"bag": 5, "hat": 9}),
        ([searched("hat", 1), bought(2)], {}),
        ([searched("hat", 2), bought(2)], {}),
        ([searched("hat", 3), bought(2)], {"hat": 3}),
        ([searched(" ", 1)], {}),
        ([searched(7, 1)], {}),
        ([Event("search", 1)], {}),
        ([searched("หมวก" * 20, 1)], {("หมวก" * 20)[:LONGEST]: 1}),
    ],
)
def test_what_was_searched_for_since_the_last_purchase_is_kept(events, terms):
    for order in permutations(events):
        assert told(*order) == terms


def test_the_newest_terms_stay_in_whatever_order_they_are_told():
    events = [searched(f"term {at}", at) for at in range(1, TERMS + 4)]
    assert list(told(*events)) == [f"term {at}" for at in range(4, TERMS + 4)]
    assert told(*events) == told(*reversed(events))


def test_the_document_brings_them_back_and_the_picture_lists_the_newest_first():
    profile = reduce(fold, [searched("hat", 1), searched("bag", 5)], EMPTY)
    assert load(dump(profile)) == profile
    assert list(load(dump(profile)).searches) == ["hat", "bag"]
