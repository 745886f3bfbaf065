"""Evidence read bit by bit is what a walk over the whole store says: whatever was logged, joined, dropped or erased in between."""

from __future__ import annotations

import itertools

import numpy as np
import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.arms import ARMS
from models.event_log import encode
from models.profile import Event
from service import evidence
from service.credit import sums
from service.decisions.record import dump
from service.events import fold
from service.evidence import Evidence
from service.lists.tokens import Token, sign
from service.store import Customer, Entry, Store
from tests.worlds import NOW

SECRET = b"tiny"
EVENTS = ("view_item_list", "add_to_cart", "purchase", "purchase")
OTHERS = ("outcome", "decision", "erase", "merge", "drop", "look")
PEOPLE, ITEMS = ("ann", "bob", "cid"), ("A", "B")
NUMBERS = itertools.count()


def listed(nth: int) -> str:
    return sign(Token("home", "bold" if nth % 2 else "plain", "one", NOW, str(nth), "home", f"u{nth % 3}"), SECRET)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(EVENTS) | st.sampled_from(OTHERS),
        st.sampled_from(PEOPLE),
        st.sampled_from(ITEMS),
        st.integers(0, 5_000),
        st.none() | st.integers(0, 5),
    ),
    max_size=25,
)  # fmt: skip


def do(store: Store, step: tuple[str, str, str, int, int | None]) -> None:
    what, who, item_id, seconds, nth = step
    key = f"k{next(NUMBERS)}"
    if what == "outcome":
        document = {"name": "converted", "about": listed(nth or 0), "item_id": item_id, "amount": seconds, "at": NOW}
        store.put("outcome", key, orjson.dumps(document))
    elif what == "decision":
        store.put("decision", key, dump({"customer_id": who, "arm": ARMS[-(seconds % 2)], "now": NOW}), customer_id=who)
    elif what == "erase":
        store.erase(who)
    elif what == "merge":
        store.merge(who, PEOPLE[seconds % 3], lambda known, other: Customer(known.customer_id))
    elif what == "drop":
        store.drop(list(store.events())[:2])
    elif what != "look":
        by = None if nth is None else listed(nth)
        body = encode(Event(what, NOW + seconds, item_id=item_id, amount=seconds, order_id=key), recommendation_id=by)
        store.record([Entry(who, (key,), NOW + seconds, body)], fold)


def told(read: Evidence, store: Store) -> object:
    numbers, rows = read.credits(store)
    lists = {
        arm: [sorted(column.tolist()) for column in vars(sums(rows, nth)).values()] for arm, nth in numbers.items()
    }
    arms = {arm: [sorted(column.tolist()) for column in vars(one).values()] for arm, one in read.dealt(store).items()}
    return {arm: columns for arm, columns in lists.items() if columns[0]}, arms


@settings(max_examples=25, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
def test_what_was_read_bit_by_bit_is_what_a_walk_over_everything_says(store: Store, monkeypatch, steps) -> None:
    for who in PEOPLE:
        store.erase(who)
    read = Evidence(SECRET)
    for step in steps:
        do(store, step)
        if step[0] in ("look", "erase", "merge", "drop"):
            assert told(read, store) == told(Evidence(SECRET), store)
    assert told(read, store) == told(Evidence(SECRET), store)


def logged(store: Store, count: int) -> None:
    ids = [next(NUMBERS) for _ in range(count)]
    entries = [
        Entry(f"c{nth % 50}", (f"e{nth}",), NOW, encode(Event("purchase", NOW, item_id="A", amount=1))) for nth in ids
    ]
    for start in range(0, count, 500):
        store.record(entries[start : start + 500], lambda *_: b"")


def test_a_block_that_is_full_and_whole_is_not_read_again_and_one_that_lost_an_event_is(
    store: Store, monkeypatch
) -> None:
    logged(store, 2_200)
    read, walked = Evidence(SECRET), []
    events = store.events
    monkeypatch.setattr(store, "events", lambda *, after=0: walked.append(after) or events(after=after))
    read.credits(store)
    assert walked == [0]
    read.credits(store)
    assert walked == [0, 2_000]
    store.drop(list(itertools.islice(events(after=500), 1)))
    read.credits(store)
    assert walked[2:] == [0, 2_000]
    store.drop(list(itertools.islice(events(after=1_500), 1)))
    read.credits(store)
    assert walked[4:] == [1_000]


def test_a_decision_is_read_once_and_is_gone_with_its_customer(store: Store, monkeypatch) -> None:
    read, opened = Evidence(SECRET), []
    decision_of = evidence.decision_of
    monkeypatch.setattr(evidence, "decision_of", lambda *row: opened.append(1) or decision_of(*row))
    for nth, who in enumerate((*PEOPLE, "ann")):
        store.put("decision", f"d{nth}", dump({"customer_id": who, "arm": "full", "now": NOW + nth}), customer_id=who)
    assert np.array_equal(np.sort(read.dealt(store)["full"].at), NOW + np.arange(3))
    store.erase("ann")
    assert np.array_equal(np.sort(read.dealt(store)["full"].at), NOW + np.arange(1, 3))
    assert len(opened) == 4
