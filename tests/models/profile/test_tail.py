"""What waits behind a document counts as if it had been folded in, and is folded in for good before it grows long."""

import numpy as np
import pytest

from models.profile import DAY_S, EMPTY, EVENTS, Event, dump, fold, load, with_events
from models.profile.tail import MOST

NAMES = [*sorted(EVENTS), "never_heard_of"]


def happenings(count, seed):
    """Events of all names, some of them late, of few items and orders."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        day, item, order = (int(number) for number in rng.integers(0, 30, 3))
        yield Event(
            str(rng.choice(NAMES)),
            at=(20_000 + day) * DAY_S + int(rng.integers(0, DAY_S)),
            item_id=None if item == 0 else f"P{item}",
            quantity=float(rng.choice([1.0, 2.0, 0.333])),
            amount=int(rng.integers(0, 5_000)),
            order_id=None if order == 0 else f"an order of some length {order}",
            extra={"search_term": f"  Red SHOES {item}\n", "page": "https://shop.example"},
        )


@pytest.mark.parametrize("at_once", [1, 2, 5, 40])
@pytest.mark.parametrize("seed", range(3))
def test_events_that_wait_are_read_as_if_they_were_folded_in(at_once, seed):
    events = list(happenings(120, seed))
    document, profile = None, EMPTY
    for first in range(0, len(events), at_once):
        part = events[first : first + at_once]
        document = with_events(document, part)
        for event in part:
            profile = fold(profile, event)
        assert load(document) == profile


def test_they_are_folded_in_for_good_before_they_are_many():
    events = list(happenings(MOST + 1, seed=5))
    document, profile = dump(EMPTY), EMPTY
    for event in events:
        document, profile = with_events(document, [event]), fold(profile, event)
    assert document == dump(profile)


def test_what_the_fold_does_not_read_does_not_wait_either():
    event = Event("view_item", at=20_000 * DAY_S, item_id="P1", order_id="O" * 500, extra={"phone": "+66 81 234 5678"})
    document = with_events(None, [event])
    assert b"+66" not in document
    assert len(document) < 100


def test_no_event_makes_no_document_unreadable():
    assert load(with_events(None, [])) == EMPTY
    kept = with_events(None, list(happenings(3, seed=1)))
    assert load(with_events(kept, [])) == load(kept)
