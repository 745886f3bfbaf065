"""Profiles that events told and profiles that training computed are the same, field by field, on both stores."""

import csv
from datetime import UTC, datetime

from benchmarks.profiles.replay import replay
from models.profile import load
from service.store.open import open_store

HEAD = ["order_id", "item_id", "quantity", "price", "time", "customer_id"]
LINES = [
    ["o1", "dress", 2, 49.95, 1, "ann"],
    ["o1", "dress", 1, 49.95, 1, "ann"],  # one order names an item twice
    ["o1", "shoes", 1, 20, 1, "ann"],
    ["o2", "bag", 3, 9.99, 5, "ann"],
    ["o3", "dress", -1, 49.95, 9, "ann"],  # part of o1, under an order id of its own
    ["o4", "bag", -3, 9.99, 9, "ann"],  # all of o2
    ["o5", "belt", 1, 5, 2, "bob"],
    ["o5", "belt", -1, 5, 3, "bob"],  # he kept nothing, and nobody else bought it
    ["o6", "hat", -1, 7, 4, "cat"],  # of a purchase before the history
    ["o7", "hat", 1, 7, 4, "dan"],
]
LONG_ORDER_ID = "2026-11-22/web/000000000001"


def a_file(folder, lines, *, without=()):
    kept = [name for name in HEAD if name not in without]
    with (folder / "history.csv").open("w", newline="") as out:
        writer = csv.DictWriter(out, kept, extrasaction="ignore")
        writer.writeheader()
        for line in lines:
            row = dict(zip(HEAD, line, strict=True))
            writer.writerow(
                row | {"time": datetime.fromtimestamp((15_000 + row["time"]) * 86_400 + 7_200, UTC).isoformat()}
            )
    return [str(folder / "history.csv")]


def test_purchases_returns_and_who_kept_nothing_come_out_alike(tmp_path, store_url):
    done = replay(a_file(tmp_path, LINES), store_url, tmp_path)
    assert (done.customers, done.differing) == (4, {})
    store = open_store(store_url)
    ann, bob, cat = (load(store.customer(name).profile) for name in ("ann", "bob", "cat"))
    assert (ann.orders, ann.value, ann.counts) == (2, 11_990, {"purchase": 3, "refund": 2})
    assert (bob.orders, bob.value, bob.counts) == (0, 0, {"purchase": 1, "refund": 1})
    assert (cat.orders, cat.value) == (0, -700)


def test_without_orders_a_part_that_went_back_is_put_into_its_purchase_again(tmp_path, store_url):
    done = replay(a_file(tmp_path, LINES, without=["order_id"]), store_url, tmp_path)
    assert (done.customers, done.differing) == (4, {})


def test_more_orders_days_and_items_than_a_profile_keeps_come_out_alike(tmp_path, store_url):
    lines = [[f"o{day}", f"i{day % 70}", 1 + day % 3, 1.25, day, "ann"] for day in range(1, 200)]
    back = [[f"r{day}", f"i{day % 70}", -1, 1.25, day + 2, "ann"] for day in range(10, 200, 7)]
    done = replay(a_file(tmp_path, [*lines, *back, [LONG_ORDER_ID, "i1", 1, 1, 300, "ann"]]), store_url, tmp_path)
    assert (done.customers, done.differing) == (1, {})


def test_a_real_shop_comes_out_alike(tmp_path, store_url, valet_data):
    done = replay([str(valet_data("online_retail/online_retail_2009_2010.parquet"))], store_url, tmp_path, of=60)
    assert done.customers > 60
    assert done.differing == {}
