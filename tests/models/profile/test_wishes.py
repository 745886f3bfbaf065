"""The wish list: what she wished for, at what price, until she takes it off or buys it."""

from functools import reduce
from itertools import permutations

import pytest

from models.profile import EMPTY, Event, dump, fold, load
from models.profile.wishes import MOST

WISH = Event("add_to_wishlist", 100, "bag", 2, 5_000)


def wishes(*events):
    profile = load(dump(reduce(fold, events, EMPTY)))
    return {item_id: wish.price for item_id, wish in profile.wishes.items()}


@pytest.mark.parametrize(
    ("events", "says"),
    [
        ([WISH], {"bag": 2_500}),
        ([Event("add_to_wishlist", 100, "bag")], {"bag": 0}),
        ([Event("add_to_wishlist", 100)], {}),
        ([WISH, Event("add_to_wishlist", 200, "bag", 1, 2_000)], {"bag": 2_000}),
        ([WISH, Event("remove_from_wishlist", 200, "bag")], {}),
        ([WISH, Event("remove_from_wishlist", 100, "bag")], {}),
        ([WISH, Event("remove_from_wishlist", 50, "bag")], {"bag": 2_500}),
        ([WISH, Event("purchase", 200, "bag")], {}),
        ([WISH, Event("purchase", 100, "bag")], {}),
        ([WISH, Event("purchase", 200, "shoes")], {"bag": 2_500}),
        ([WISH, Event("purchase", 50, "bag")], {"bag": 2_500}),
        ([WISH, Event("remove_from_wishlist", 150, "bag"), Event("add_to_wishlist", 160, "bag", 1, 9)], {"bag": 9}),
    ],
)
def test_the_newest_word_counts_in_whatever_order_it_comes(events, says):
    for order in permutations(events):
        assert wishes(*order) == says


def test_only_the_newest_words_are_kept():
    told = [Event("add_to_wishlist", 1_000 + number, f"i{number}", 1, 100) for number in range(MOST + 3)]
    kept = wishes(*told)
    assert (len(kept), "i2" in kept, "i3" in kept) == (MOST, False, True)
