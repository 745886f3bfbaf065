import random
from functools import reduce

import pytest

from models.profile import DAY_S, EMPTY, Event, dump, fold, joined
from models.profile.fold import ORDERS

NAMES = (
    "view_item",
    "add_to_cart",
    "remove_from_cart",
    "purchase",
    "refund",
    "complaint",
    "dislike",
    "view_item_list",
    "search",
    "add_to_wishlist",
    "remove_from_wishlist",
)


def random_events(rng: random.Random, who: str, count: int) -> list[Event]:
    return [
        Event(
            rng.choice(NAMES),
            1_700_000_000 + rng.randrange(40) * DAY_S + rng.randrange(5),
            item_id=f"i{rng.randrange(8)}",
            quantity=float(rng.randrange(1, 4)),
            amount=rng.randrange(1, 1_000),
            order_id=f"{who}{rng.randrange(6)}",
            extra={"search_term": f"term {rng.randrange(9)}"},
        )
        for _ in range(count)
    ]


@pytest.mark.parametrize("seed", range(60))
def test_joining_gives_what_folding_the_events_of_both_would_have_given(seed: int) -> None:
    rng = random.Random(seed)
    hers, visit = random_events(rng, "a", rng.randrange(30)), random_events(rng, "b", rng.randrange(30))
    both = reduce(fold, sorted([*hers, *visit], key=lambda event: event.at), EMPTY)
    parts = reduce(fold, hers, EMPTY), reduce(fold, visit, EMPTY)
    assert dump(joined(*parts)) == dump(both) == dump(joined(*reversed(parts)))


def test_nothing_added_changes_nothing() -> None:
    profile = fold(EMPTY, Event("purchase", 1_700_000_000, item_id="i", order_id="o", amount=5))
    assert joined(profile, EMPTY) == joined(EMPTY, profile) == profile


def test_a_profile_stays_small() -> None:
    events = [Event("purchase", 1_700_000_000 + n, item_id=f"i{n}", order_id=f"o{n}", amount=1) for n in range(900)]
    one, other = reduce(fold, events[::2], EMPTY), reduce(fold, events[1::2], EMPTY)
    both = joined(one, other)
    assert (len(both.items), len(both.recent_orders), both.orders, both.value) == (500, ORDERS, 900, 900)
    assert next(reversed(both.items)) == "i899"
