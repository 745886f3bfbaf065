from functools import reduce

import numpy as np
import pytest

from models.profile import EMPTY, EVENTS, Event, Item, Order, dump, fold, load
from models.profile.fold import CART, ITEMS, ORDERS, RECENT, VIEW_DAYS
from models.settings import DAY_S


def folded(*events):
    return reduce(fold, events, EMPTY)


def bought(item_id, day, amount=100, order_id=None, quantity=1.0, second=0):
    return Event("purchase", day * DAY_S + second, item_id, quantity, amount, order_id)


def test_an_order_counts_once_over_its_lines():
    profile = folded(bought("a", 1, 100, "o1"), bought("b", 1, 50, "o1"), bought("a", 9, 100, "o2"))
    assert (profile.orders, profile.value) == (2, 250)
    assert profile.days == {1: 150, 9: 100}
    assert profile.items["a"] == Item(purchases=2, quantity=2_000, first_at=DAY_S, last_at=9 * DAY_S, seen_at=9 * DAY_S)


def test_without_an_order_id_a_day_is_an_order():
    assert folded(bought("a", 1), bought("b", 1, second=5), bought("a", 2)).orders == 2


def test_more_orders_than_are_remembered_all_count():
    profile = folded(*(bought("a", day, 10, f"o{day:03}") for day in range(1, 101)))
    assert (profile.orders, len(profile.recent_orders), profile.value) == (100, ORDERS, 1_000)


@pytest.mark.parametrize(
    ("back", "orders", "value"),
    [
        (Event("refund", 2 * DAY_S, "a", 1, 40, "o1"), 1, 60),  # a part
        (Event("refund", 2 * DAY_S, "a", 1, 100, "o1"), 0, 0),  # all of it
        (Event("refund", 2 * DAY_S, "a", -1, -100, "o1"), 0, 0),  # the till writes it with a minus
        (Event("refund", 2 * DAY_S, None, 1, 0, "o1"), 0, 0),  # GA4's refund of a whole order
        (Event("refund", 2 * DAY_S, "a", 1, 30), 1, 70),  # of no known order
        (Event("refund", 2 * DAY_S, "a", 1, 30, "elsewhere"), 1, 70),
    ],
)
def test_what_goes_back_takes_its_money_and_a_whole_order_with_it(back, orders, value):
    profile = folded(bought("a", 1, 100, "o1"), back)
    assert (profile.orders, profile.value) == (orders, value)
    assert sum(profile.days.values()) == value


def test_an_item_sent_back_is_not_there_any_more():
    profile = folded(bought("a", 1, 100, "o1", quantity=3), Event("refund", 2 * DAY_S, "a", 3, 100, "o1"))
    assert profile.items["a"].quantity == 0
    assert profile.items["a"].events == {"refund": 1}


@pytest.mark.parametrize(
    ("events", "cart"),
    [
        ([("add_to_cart", "a", 1)], {"a"}),
        ([("add_to_cart", "a", 1), ("remove_from_cart", "a", 2)], set()),
        ([("remove_from_cart", "a", 2), ("add_to_cart", "a", 1)], set()),  # the news came first
        ([("remove_from_cart", "a", 1), ("add_to_cart", "a", 2)], {"a"}),
        ([("add_to_cart", "a", 1), ("remove_from_cart", "a", 1)], set()),  # in one second
        ([("add_to_cart", "a", 1), ("add_to_cart", "b", 1), ("purchase", "b", 2)], set()),
        ([("purchase", "b", 2), ("add_to_cart", "a", 1)], set()),  # before the purchase, told after it
        ([("add_to_cart", "a", 2), ("purchase", "b", 2)], set()),  # in one second
        ([("purchase", "b", 2), ("add_to_cart", "a", 2)], set()),
        ([("purchase", "b", 2), ("add_to_cart", "a", 3)], {"a"}),
        ([("add_to_cart", None, 1)], set()),
    ],
)
def test_the_cart_is_what_was_put_there_since_the_last_purchase(events, cart):
    assert set(folded(*(Event(name, at, item_id) for name, item_id, at in events)).cart) == cart


def test_complaints_are_open_until_they_are_resolved():
    events = [Event("complaint", 1), Event("complaint", 2), Event("complaint_resolved", 3)]
    assert folded(*events).open_complaints == 1
    assert folded(*events, events[-1], events[-1]).open_complaints == 0


def test_an_unknown_event_counts_for_nothing_but_is_counted():
    profile = folded(Event("poked", 5, "a"), Event("waved", 7, "a"))
    assert profile.counts == {"other": 2}
    assert profile.last_seen == 7
    assert not profile.items


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_every_known_event_is_counted_by_its_name_and_survives_the_document(name):
    profile = folded(Event(name, 5, "a", 2.0, 300, "o"))
    assert profile.counts == {name: 1}
    assert load(dump(profile)) == profile


@pytest.mark.parametrize("quantity", [float("nan"), float("inf")])
def test_a_quantity_that_is_no_number_is_none(quantity):
    assert folded(bought("a", 1, quantity=quantity)).items["a"].quantity == 0


def test_what_is_kept_is_bounded_and_the_newest():
    sent = [Event("email_sent", at) for at in range(1, 200)]
    seen = [Event("view_item", at, f"i{at:04}") for at in range(1, 700)]
    carted = [Event("add_to_cart", 1_000 + at, f"k{at:04}") for at in range(200)]
    profile = folded(*sent, *seen, *carted)
    assert [at for at, _ in profile.recent] == list(range(200 - RECENT, 200))
    assert len(profile.items) == ITEMS
    assert min(item.seen_at for item in profile.items.values()) == 700 - (ITEMS - 200)
    assert set(profile.cart) == {f"k{at:04}" for at in range(200 - CART, 200)}


NAMES = (
    "purchase",
    "refund",
    "view_item",
    "add_to_cart",
    "remove_from_cart",
    "complaint",
    "complaint_resolved",
    "email_sent",
    "poked",
)


def a_life(rng, size):
    """Random events of few items, days and orders, so that much falls together; an order's lines share its time."""
    for _ in range(size):
        order = int(rng.integers(0, 12))
        name = str(rng.choice(NAMES))
        at = (order * 7 if name == "purchase" else int(rng.integers(0, 90))) * DAY_S + order
        order_id = f"o{order}" if name in ("purchase", "refund") and order % 3 else None
        yield Event(name, at, f"i{rng.integers(0, 6)}", float(rng.integers(1, 4)), int(rng.integers(1, 500)), order_id)


@pytest.mark.parametrize("seed", range(30))
def test_late_events_give_the_profile_that_they_would_have_given_in_time(seed):
    rng = np.random.default_rng(seed)
    events = list(a_life(rng, 80))
    in_time = reduce(fold, sorted(events, key=lambda event: event.at), EMPTY)
    shuffled = reduce(fold, [events[place] for place in rng.permutation(len(events))], EMPTY)
    assert shuffled == in_time
    assert dump(shuffled) == dump(in_time)


def test_a_profile_is_never_changed_in_place():
    before = folded(bought("a", 1, 100, "o1"), Event("add_to_cart", 2 * DAY_S, "b"))
    document = dump(before)
    for name in sorted(EVENTS):
        fold(before, Event(name, 3 * DAY_S, "a", 1, 10, "o1"))
    assert dump(before) == document


def test_an_order_known_only_by_its_refund_is_none_until_its_purchase_is_told():
    back = Event("refund", 5 * DAY_S, "a", 1, 40, "o1")
    assert folded(back).orders == 0
    assert folded(back).recent_orders == {"o1": Order(5 * DAY_S, 0, 40, 0)}
    assert folded(back, bought("a", 1, 100, "o1")).orders == 1


def test_views_are_counted_by_day_and_the_newest_days_stay():
    views = [Event("view_item", day * DAY_S + second, "a") for day in range(VIEW_DAYS + 3) for second in range(day + 1)]
    profile = folded(*reversed(views))
    assert profile.items["a"].viewed == tuple((day, day + 1) for day in range(3, VIEW_DAYS + 3))
    assert load(dump(profile)) == profile
