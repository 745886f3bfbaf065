"""Taking the newest events back out gives the profile that was folded before them."""

from functools import reduce

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.profile import EMPTY, Event, fold
from models.profile.undo import before

NOW = 1_767_225_600
# Drawing two lists of events of many fields takes a second of a busy machine, whatever we test.
patiently = settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
events = st.lists(
    st.builds(
        Event,
        name=st.sampled_from(
            [
                "view_item",
                "purchase",
                "add_to_cart",
                "remove_from_cart",
                "refund",
                "login",
                "email_sent",
                "view_item_list",
                "search",
                "add_to_wishlist",
                "remove_from_wishlist",
            ]
        ),
        at=st.integers(NOW, NOW + 50),
        item_id=st.sampled_from(["dress", "shoes", "bag", None]),
        quantity=st.sampled_from([1.0, 2.5]),
        amount=st.just(100),
        extra=st.sampled_from([{"search_term": "hat"}, {"search_term": "bag"}, {}]),
    ),
    max_size=8,
)


def folded(*parts):
    return reduce(fold, [event for part in parts for event in part], EMPTY)


@patiently
@given(events, events)
def test_what_the_log_knows_comes_back_exactly(earlier, later):
    was, undone = folded(earlier), before(folded(earlier, later), later, earlier=earlier)
    assert {item_id: item for item_id, item in was.items.items() if item.purchases or item.events} == undone.items
    assert was.cart_lines == undone.cart_lines
    assert was.shown == undone.shown
    assert was.searches == undone.searches
    assert was.wish_words == undone.wish_words


@patiently
@given(events, events)
def test_items_from_before_the_log_keep_their_counts_and_those_untouched_their_times(till, later):
    was, undone = folded(till), before(folded(till, later), later)
    touched = {event.item_id for event in later}
    assert was.items.keys() == undone.items.keys()
    for item_id, item in was.items.items():
        found = undone.items[item_id]
        assert (item.purchases, item.quantity, item.events) == (found.purchases, found.quantity, found.events)
        assert item_id in touched or item == found
