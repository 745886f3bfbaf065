from functools import reduce

import numpy as np
import pytest

from models.profile import EMPTY, Event, dump, fold, load
from models.profile.fold import ITEMS, ORDERS, VIEW_DAYS
from models.settings import DAY_S, HistorySettings, Shop
from tests.training.histories import UNKNOWN, history
from training.history import EVENTS
from training.profile_rows import rows_of
from training.profile_tables import tables
from training.profiles import Names, events_of, profiles
from training.read import read

NOW = 400 * DAY_S


def one_by_one(whole):
    """The profiles by folding every row, one after the other."""
    rows = rows_of(whole, now=NOW)
    names = Names.of(rows)
    found = {}
    for row in range(len(rows)):
        (event,) = events_of(rows.between(row, row + 1), names)
        customer_id = names.customers[int(rows.customer[row])]
        found[customer_id] = fold(found.get(customer_id, EMPTY), event)
    return {customer_id: dump(found[customer_id]) for customer_id in sorted(found)}


def a_shop(seed, *, rows, customers, items, mingled=0):
    """A random history in which much falls together. An order's lines share their time, or each has any of `mingled` orders."""
    rng = np.random.default_rng(seed)
    for _ in range(rows):
        customer, quarter = int(rng.integers(0, customers + 1)), int(rng.integers(0, 1_200))
        order = int(rng.integers(0, mingled)) if mingled else customer * 10_000 + quarter
        more = {
            "event": str(rng.choice(EVENTS, p=[0.6, 0.1, 0.05, 0.1, 0.05, 0.05, 0.05])),
            "order": -1 if rng.random() < 0.1 else order,
            "quantity": float(np.float32(rng.integers(1, 40) / 10)),
            "amount": int(rng.integers(0, 900)),
        }
        yield (UNKNOWN if customer == customers else f"c{customer}", f"i{rng.integers(0, items):04}", quarter / 4, more)


def summed(whole):
    """Whether no customer had to be folded row by row."""
    return not tables(rows_of(whole, now=NOW), len(whole.customers)).crowded.any()


@pytest.mark.parametrize("seed", range(12))
def test_columns_and_the_fold_agree_to_the_byte(seed):
    whole = history(*a_shop(seed, rows=200, customers=8, items=20))
    found = dict(profiles(whole, now=NOW))
    assert found == one_by_one(whole)
    assert len(found) == 8
    assert summed(whole)


@pytest.mark.parametrize("seed", range(4))
def test_they_agree_without_times(seed):
    whole = history(*a_shop(seed, rows=60, customers=8, items=20), times=False)
    assert dict(profiles(whole, now=NOW)) == one_by_one(whole)


@pytest.mark.parametrize("seed", range(4))
def test_they_agree_where_a_customer_has_more_items_than_a_profile_keeps(seed):
    rng = np.random.default_rng(seed)
    whole = history(
        *(
            ("ann", f"i{rng.integers(0, ITEMS + 150):04}", number // 100, {"order": number // 20})
            for number in range(2_500)
        )
    )
    (document,) = dict(profiles(whole, now=NOW)).values()
    assert document == one_by_one(whole)["ann"]
    assert len(load(document).items) == ITEMS
    assert summed(whole)


@pytest.mark.parametrize("seed", range(4))
def test_they_agree_where_items_were_viewed_on_more_days_than_a_profile_keeps(seed):
    rng = np.random.default_rng(seed)
    views = (
        (f"c{rng.integers(3)}", f"i{rng.integers(2)}", int(rng.integers(40)), {"event": "view_item"})
        for _ in range(400)
    )
    whole = history(*views)
    assert dict(profiles(whole, now=NOW)) == one_by_one(whole)
    assert {
        len(item.viewed)
        for document in dict(profiles(whole, now=NOW)).values()
        for item in load(document).items.values()
    } == {VIEW_DAYS}


@pytest.mark.parametrize(("seed", "orders"), [(0, ORDERS + 1), (1, 2 * ORDERS), (2, 10 * ORDERS)])
def test_they_agree_where_orders_mingle(seed, orders):
    whole = history(*a_shop(seed, rows=800, customers=2, items=9, mingled=orders))
    assert dict(profiles(whole, now=NOW)) == one_by_one(whole)


def test_they_agree_on_more_orders_of_one_second_than_a_profile_keeps():
    whole = history(*(("ann", item, 1, {"order": 80 + order}) for order in range(ORDERS + 5) for item in ("a", "b")))
    assert dict(profiles(whole, now=NOW)) == one_by_one(whole)


@pytest.mark.parametrize("quantities", [(1, 2), (2, 1), (1, 1)])
def test_they_agree_on_what_was_put_into_the_cart_twice_in_a_second(quantities):
    rows = (
        ("ann", "a", 1, {"event": "add_to_cart", "quantity": quantity, "amount": 7 - quantity})
        for quantity in quantities
    )
    whole = history(*rows)
    assert dict(profiles(whole, now=NOW)) == one_by_one(whole)


def test_they_agree_on_a_cart_larger_than_a_profile_keeps():
    whole = history(*(("ann", f"i{number:03}", number, {"event": "add_to_cart"}) for number in range(80)))
    assert dict(profiles(whole, now=NOW)) == one_by_one(whole)


def test_orders_one_after_the_other_are_summed_and_not_replayed():
    whole = history(*(("ann", item, day, {"order": day}) for day in range(25) for item in ("a", "b")))
    assert load(dict(profiles(whole, now=NOW))["ann"]).orders == 25
    assert summed(whole)


def test_more_days_than_a_profile_keeps_are_folded_one_by_one():
    whole = history(*(("ann", "a", day, {"order": day, "amount": day}) for day in range(400)))
    assert not summed(whole)
    (document,) = dict(profiles(whole, now=NOW)).values()
    assert document == one_by_one(whole)["ann"]
    assert (load(document).orders, load(document).value) == (400, sum(range(400)))


def test_events_that_no_history_holds_are_folded_in():
    whole = history(("ann", "a", 1, {"amount": 100}))
    complaint = Event("complaint", 2 * DAY_S)
    searched = [Event("search", day * DAY_S, extra={"search_term": f"hat {day}"}) for day in (0, 1, 3)]
    found = dict(profiles(whole, now=NOW, also={"ann": [complaint, *searched], "bob": [complaint]}))
    assert list(found) == ["ann", "bob"]
    assert (load(found["ann"]).open_complaints, load(found["ann"]).value) == (1, 100)
    assert load(found["ann"]).searches == {"hat 3": 3 * DAY_S}
    assert load(found["bob"]) == reduce(fold, [complaint], EMPTY)


@pytest.mark.parametrize("rows", [(), ((UNKNOWN, "a", 1),)])
def test_a_history_without_customers_has_no_profiles(rows):
    assert list(profiles(history(*rows), now=NOW)) == []


def test_they_agree_on_a_real_shop(valet_data):
    file = valet_data("online_retail/online_retail_2009_2010.parquet")
    now = 1_400_000_000
    whole = read([str(file)], columns={}, settings=HistorySettings(), shop=Shop(), now=now, threads=1).history
    sample = whole.where((whole.customer >= 0) & (whole.customer % 40 == 0))
    found = dict(profiles(sample, now=now))
    assert len(found) > 100
    assert found == one_by_one(sample)
