"""The demo shop is the same everywhere, and what it claims to have planted is really in its files."""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
import subprocess
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from itertools import pairwise, permutations
from pathlib import Path
from statistics import median

import pytest

from models.settings_file import parse
from training.demo import Demo, write_demo

Row = dict[str, str]
SHOES = ("court shoes", "sandals", "ballet flats", "ankle boots", "trainers")
FILES = ("purchases.csv", "behaviour.csv", "items.csv", "customers.csv", "events.jsonl", "valet.toml", "curl.txt")
BANGKOK = timezone(timedelta(hours=7))


@dataclass(frozen=True)
class Shop:
    """The files as they were read back, and what can be counted in them."""

    demo: Demo
    items: dict[str, Row]
    customers: dict[str, Row]
    purchases: list[Row]
    behaviour: list[Row]
    events: list[dict[str, str]]
    baskets: dict[str, set[str]]
    beside: dict[str, Counter[str]]  # item → how often each other item was in one basket with it
    sold: Counter[str]

    def types_beside(self, item_id: str, types: tuple[str, ...]) -> Counter[str]:
        return Counter(
            {other: n for other, n in self.beside[item_id].items() if self.items[other]["product_type"] in types}
        )

    def of(self, role: str, rows: list[Row]) -> list[Row]:
        return [row for row in rows if row["customer_id"] == self.demo.examples[role]]

    def days_ago(self, row: Row) -> float:
        return (self.demo.now - seconds(row["time"])) / 86_400


def seconds(time: str) -> int:
    return int(datetime.fromisoformat(time).timestamp())


def read(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    demo = write_demo(tmp_path_factory.mktemp("demo"))
    rows = read(demo.purchases)
    bought = [row for row in rows if row["event"] == "purchase"]
    baskets: dict[str, set[str]] = defaultdict(set)
    for row in bought:
        baskets[row["order_id"]].add(row["item_id"])
    beside: dict[str, Counter[str]] = defaultdict(Counter)
    for basket in baskets.values():
        for one, other in permutations(sorted(basket), 2):
            beside[one][other] += 1
    return Shop(
        demo=demo,
        items={row["item_id"]: row for row in read(demo.items)},
        customers={row["customer_id"]: row for row in read(demo.customers)},
        purchases=rows,
        behaviour=read(demo.behaviour),
        events=[json.loads(line) for line in demo.events.read_text(encoding="utf-8").splitlines()],
        baskets=baskets,
        beside=beside,
        sold=Counter(row["item_id"] for row in bought),
    )


# The files


def test_two_processes_that_hash_differently_write_the_same_bytes(shop: Shop, tmp_path: Path) -> None:
    code = "import sys, pathlib, training.demo; training.demo.write_demo(pathlib.Path(sys.argv[1]))"
    other = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    environment = {**os.environ, "PYTHONHASHSEED": other}
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, env=environment, timeout=120)
    ours = shop.demo.purchases.parent
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FILES)
    assert [name for name in FILES if (tmp_path / name).read_bytes() != (ours / name).read_bytes()] == []


def test_another_seed_tells_another_history_of_the_same_shop_and_examples(shop: Shop, tmp_path: Path) -> None:
    other = write_demo(tmp_path, seed=1)
    assert other.purchases.read_bytes() != shop.demo.purchases.read_bytes()
    assert other.items.read_bytes() == shop.demo.items.read_bytes()
    assert other.examples == shop.demo.examples


def test_is_as_large_as_a_demo_should_be(shop: Shop) -> None:
    assert 300 <= len(shop.items) <= 400
    assert 1_500 <= len(shop.customers) <= 3_000
    assert 30_000 <= len(shop.purchases) <= 60_000
    assert 10_000 <= len(shop.behaviour) <= 40_000
    assert sum(path.stat().st_size for path in shop.demo.purchases.parent.iterdir()) < 12_000_000


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("purchases.csv", "customer_id,order_id,item_id,time,event,quantity,price,currency"),
        ("behaviour.csv", "customer_id,item_id,time,event"),
        (
            "items.csv",
            "item_id,group_id,title,title_th,product_type,category,colour,brand,gender,price,currency,"
            "url,image_url,available,stock,published_at",
        ),
        (
            "customers.csv",
            "customer_id,name,city,language,time_zone,birthday,joined,email_opt_in,line_opt_in,sms_opt_in,phone_opt_in",
        ),
    ],
)
def test_each_file_has_the_columns_it_promises(shop: Shop, name: str, header: str) -> None:
    with (shop.demo.purchases.parent / name).open(encoding="utf-8") as file:
        assert file.readline() == header + "\n"


def test_every_row_names_a_known_customer_and_item_at_a_time_in_the_window(shop: Shop) -> None:
    first = seconds("2025-05-21T00:00:00+07:00")
    for row in (*shop.purchases, *shop.behaviour, *shop.events):
        assert row["customer_id"] in shop.customers
        assert row.get("item_id", "DR-001") in shop.items
        assert first <= seconds(row["time"]) < shop.demo.now
        assert row["time"].endswith("Z")
    assert shop.demo.now == seconds("2026-11-21T00:00:00+07:00")


def test_history_reaches_into_the_last_day(shop: Shop) -> None:
    assert max(row["time"] for row in shop.purchases) > "2026-11-20T"


def test_an_order_is_one_customer_at_one_time_numbered_in_time(shop: Shop) -> None:
    orders = {
        (row["order_id"], row["customer_id"], row["time"]) for row in shop.purchases if row["event"] == "purchase"
    }
    assert len({order for order, _, _ in orders}) == len(orders)
    times = [time for _, _, time in sorted(orders)]
    assert times == sorted(times)


def test_money_is_whole_baht_and_a_refund_gives_back_a_line_that_was_bought(shop: Shop) -> None:
    lines = {(row["order_id"], row["item_id"]): row for row in shop.purchases if row["event"] == "purchase"}
    refunds = [row for row in shop.purchases if row["event"] == "refund"]
    assert all(int(row["price"]) > 0 and row["currency"] == "THB" for row in shop.purchases)
    assert 500 < len(refunds) < len(lines) / 20
    for refund in refunds:
        line = lines[refund["order_id"], refund["item_id"]]
        assert line["time"] < refund["time"]
        assert (line["customer_id"], line["price"], line["quantity"]) == (
            refund["customer_id"],
            refund["price"],
            refund["quantity"],
        )


def test_events_are_in_the_plain_form_of_the_contract(shop: Shop) -> None:
    assert len({event["event_id"] for event in shop.events}) == len(shop.events)
    letters = {"email_sent", "email_open", "email_click", "unsubscribe"}
    service = {"complaint", "complaint_resolved", "support_contact", "rating"}
    assert {event["event"] for event in shop.events} == letters | service | {"consent"}
    times = [event["time"] for event in shop.events]
    assert times == sorted(times)


def test_settings_are_accepted_and_find_their_files(shop: Shop) -> None:
    settings = parse(shop.demo.settings.read_text(encoding="utf-8"), "valet.toml")
    history = settings.history
    named = [*history.files, history.items, history.customers]
    assert (settings.shop.currency, settings.shop.time_zone, settings.shop.language) == ("THB", "Asia/Bangkok", "th")
    assert sorted(settings.placements) == ["agent", "cart", "category", "email", "home", "product_page"]
    assert [rule.name for rule in settings.tiers.rules] == ["Member", "Silver", "Gold", "Platinum"]
    assert [name for name in named if not (shop.demo.settings.parent / str(name)).is_file()] == []


def test_prints_three_curl_commands_about_ids_that_exist(shop: Shop) -> None:
    lines = shop.demo.curl.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 3
    for line in lines:
        curl = shlex.split(line.partition(" | ")[0])
        assert curl[:2] == ["curl", "-s"]
        assert curl[2].startswith("http://localhost:8000/")
        assert all(found in shop.items or found in shop.customers for found in re.findall(r"[A-Z]+-\d+", line))
    assert json.loads(shlex.split(lines[2].partition(" | ")[0])[-1]) == {
        "customer_id": "C-0004",
        "channel": "agent",
        "lang": "en",
    }


# The catalogue


@pytest.mark.parametrize(
    ("item_id", "title", "title_th", "price"),
    [
        ("DR-001", "Black wrap dress", "เดรสแรปผูกเอวสีดำ", "1890"),
        ("SH-014", "Black court shoes", "รองเท้าคัทชูส้นสูงสีดำ", "1290"),
        ("BG-001", "Black envelope clutch", "กระเป๋าคลัตช์ทรงซองสีดำ", "990"),
        ("TC-001", "Green orchid teacup and saucer", "ถ้วยชาพร้อมจานรองลายกล้วยไม้สีเขียว", "390"),
        ("CF-002", "Dark roast coffee beans, 250 g", "เมล็ดกาแฟอาราบิก้าคั่วเข้ม 250 กรัม", "290"),
        ("DR-022", "Black velvet dress", "เดรสกำมะหยี่สีดำ", "2490"),
    ],
)
def test_the_documented_items_are_what_they_are(
    shop: Shop, item_id: str, title: str, title_th: str, price: str
) -> None:
    item = shop.items[item_id]
    assert (item["title"], item["title_th"], item["price"]) == (title, title_th, price)


def test_titles_are_distinct_and_thai_ones_are_thai(shop: Shop) -> None:
    for name in ("title", "title_th"):
        assert len({item[name] for item in shop.items.values()}) == len(shop.items)
    assert [
        item["title_th"] for item in shop.items.values() if not re.fullmatch(r"[฀-๿0-9. ]+", item["title_th"])
    ] == []


def test_colours_of_a_style_are_variants_and_pieces_of_a_set_are_not(shop: Shop) -> None:
    groups = {item_id: item["group_id"] for item_id, item in shop.items.items()}
    assert len({groups[f"DR-00{number}"] for number in (1, 2, 3, 4)}) == 1
    assert len({groups[f"TC-00{number}"] for number in (1, 2, 3, 4)}) == 4
    assert groups["DR-001"] != groups["DR-005"]


def test_some_products_are_sold_out_some_have_no_picture_and_the_examples_are_for_sale(shop: Shop) -> None:
    sold_out = {item_id for item_id, item in shop.items.items() if item["available"] == "false"}
    pictureless = {item_id for item_id, item in shop.items.items() if not item["image_url"]}
    assert len(sold_out) == 6
    assert len(pictureless) == 3
    assert all((item["stock"] == "0") == (item_id in sold_out) for item_id, item in shop.items.items())
    assert not (sold_out | pictureless) & {"DR-001", "SH-014", "SH-020", "SH-025", "BG-001"}


def test_new_arrivals_were_never_sold_or_seen_and_all_else_was(shop: Shop) -> None:
    unsold = set(shop.items) - set(shop.sold)
    assert (
        unsold
        == {item_id for item_id, item in shop.items.items() if item["published_at"].startswith("2026-11-20")}
        == {"DR-022", "DR-023"}
    )
    assert not unsold & {row["item_id"] for row in shop.behaviour}


def test_sales_have_a_long_tail(shop: Shop) -> None:
    counts = sorted(shop.sold.values(), reverse=True)
    head = len(counts) // 5
    assert sum(counts[:head]) > 0.45 * sum(counts)
    assert max(counts) < 0.03 * sum(counts)


# What goes with what


@pytest.mark.parametrize("discount", [0.0, 0.25, 0.5])
def test_the_black_dress_calls_for_black_court_shoes_first(shop: Shop, discount: float) -> None:
    """By raw count and with the popularity of the other item discounted, as item-kNN does."""
    beside = shop.beside["DR-001"]
    ranked = sorted(beside, key=lambda other: -beside[other] / shop.sold[other] ** discount)
    assert ranked[0] == "SH-014"
    assert {shop.items[other]["colour"] for other in ranked[:4]} == {"black"}


def test_shoes_beside_the_black_dress_are_mostly_black_and_beside_the_red_one_mostly_not(shop: Shop) -> None:
    def black_share(item_id: str) -> float:
        shoes = shop.types_beside(item_id, SHOES)
        return sum(n for other, n in shoes.items() if shop.items[other]["colour"] == "black") / sum(shoes.values())

    assert black_share("DR-001") > 0.75
    assert black_share("DR-002") < 0.6


@pytest.mark.parametrize("cup", ["TC-001", "TC-002", "TC-003", "TC-004"])
def test_the_teacups_of_a_set_call_for_one_another(shop: Shop, cup: str) -> None:
    first = [other for other, _ in shop.beside[cup].most_common(2)]
    assert set(first) <= {"TC-001", "TC-002", "TC-003", "TC-004"}


def test_every_planted_completion_is_bought_together_far_more_than_by_chance(shop: Shop) -> None:
    """lift = P(both) / (P(one) · P(other)) over baskets; 1 is chance."""
    kinds = {order: {shop.items[item]["product_type"] for item in basket} for order, basket in shop.baskets.items()}
    single = Counter(kind for basket in kinds.values() for kind in basket)
    pairs = Counter(pair for basket in kinds.values() for pair in permutations(sorted(basket), 2))
    lift = {
        (kind, other): pairs[kind, other] * len(kinds) / single[kind] / single[other]
        for kind, others in shop.demo.completes.items()
        for other in others[:2]
        if other != kind
    }
    assert len(lift) > 40
    assert {pair: round(found, 1) for pair, found in lift.items() if found < 1.5} == {}
    assert (
        max(shop.demo.completes["dress"], key=lambda other: pairs["dress", other])
        == shop.demo.completes["dress"][0]
        == "court shoes"
    )


@pytest.mark.parametrize("colour", ["black", "red", "navy", "green"])
def test_court_shoes_beside_a_wrap_dress_have_its_colour_more_than_any_other_dress_brings(
    shop: Shop, colour: str
) -> None:
    def share(dresses: list[str]) -> float:
        shoes = Counter[str]()
        for dress in dresses:
            for other, n in shop.types_beside(dress, ("court shoes",)).items():
                shoes[shop.items[other]["colour"]] += n
        return shoes[colour] / sum(shoes.values())

    dresses = [item_id for item_id in shop.sold if shop.items[item_id]["product_type"] == "dress"]
    same = [item_id for item_id in dresses if shop.items[item_id]["colour"] == colour]
    assert shop.demo.goes_with[colour][0] == colour
    assert share(same) > 2 * share([item_id for item_id in dresses if item_id not in same])


# When


def test_packs_are_bought_again_when_they_are_empty(shop: Shop) -> None:
    at: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row in shop.purchases:
        if row["event"] == "purchase" and shop.items[row["item_id"]]["product_type"] in shop.demo.cycle_days:
            at[row["customer_id"], row["item_id"]].append(seconds(row["time"]))
    gaps: dict[str, list[float]] = defaultdict(list)
    for (_, item_id), times in at.items():
        gaps[shop.items[item_id]["product_type"]] += [(b - a) / 86_400 for a, b in pairwise(times)]
    found = {kind: median(days) for kind, days in gaps.items()}
    assert {kind: days for kind, days in found.items() if abs(days / shop.demo.cycle_days[kind] - 1) > 0.07} == {}
    assert sorted(found) == sorted(shop.demo.cycle_days)


@pytest.mark.parametrize(
    ("kind", "months"), [("flower shirt", {3, 4}), ("waterproof pouch", {3, 4}), ("coat", {10, 11, 12, 1})]
)
def test_what_belongs_to_a_season_sells_in_it(shop: Shop, kind: str, months: set[int]) -> None:
    times = [row["time"] for row in shop.purchases if shop.items[row["item_id"]]["product_type"] == kind]
    assert len(times) > 100
    assert sum(int(time[5:7]) in months for time in times) > 0.55 * len(times)
    assert kind in shop.demo.seasons


def test_double_days_sell_twice_as_much_as_the_days_beside_them_at_reduced_prices(shop: Shop) -> None:
    days = Counter(datetime.fromisoformat(row["time"]).astimezone(BANGKOK).date().isoformat() for row in shop.purchases)
    assert days["2025-11-11"] > 2 * max(days["2025-11-10"], days["2025-11-12"])
    paid = [int(row["price"]) for row in shop.purchases if row["item_id"] == "DR-001" and row["event"] == "purchase"]
    assert set(paid) == {1890, 1512}


# Who


def test_tiers_have_few_at_the_top_and_many_below(shop: Shop) -> None:
    spent = Counter[str]()
    for row in shop.purchases:
        if shop.days_ago(row) <= 365:
            spent[row["customer_id"]] += (
                int(row["price"]) * int(row["quantity"]) * (1 if row["event"] == "purchase" else -1)
            )
    rules = parse(shop.demo.settings.read_text(encoding="utf-8"), "valet.toml").tiers.rules
    tier = {
        customer: max(rule.entry for rule in rules if max(money, 0) >= rule.entry) for customer, money in spent.items()
    }
    counts = [sum(found == rule.entry for found in tier.values()) for rule in rules]
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] >= 10
    assert tier[shop.demo.examples["vip"]] == rules[-1].entry
    assert spent[shop.demo.examples["nearly_gold"]] == rules[2].entry - 370


@pytest.mark.parametrize(
    ("role", "orders", "newest", "oldest"),
    [
        ("vip", range(60, 150), 30, 600),
        ("regular", range(25, 60), 22, 600),
        ("lapsed", range(15, 50), 290, 600),
        ("angry", range(10, 50), 10, 600),
        ("new", range(1, 2), 4, 4),
        ("won_back", range(4, 30), 6, 600),
        ("visitor", range(0, 1), 0, 0),
        ("nearly_gold", range(4, 5), 12, 181),
    ],
)
def test_examples_bought_as_often_and_as_lately_as_is_told(
    shop: Shop, role: str, orders: range, newest: float, oldest: float
) -> None:
    bought = [row for row in shop.of(role, shop.purchases) if row["event"] == "purchase"]
    assert len({row["order_id"] for row in bought}) in orders
    days = [shop.days_ago(row) for row in bought]
    assert min(days, default=0) <= newest
    assert max(days, default=0) <= oldest


def test_the_lapsed_one_has_stayed_away_and_the_won_back_one_had(shop: Shop) -> None:
    assert min(shop.days_ago(row) for row in shop.of("lapsed", shop.purchases)) > 235
    before = [shop.days_ago(row) for row in shop.of("won_back", shop.purchases) if shop.days_ago(row) > 10]
    assert min(before) > 255


def test_the_regular_is_out_of_coffee_today(shop: Shop) -> None:
    coffee = [shop.days_ago(row) for row in shop.of("regular", shop.purchases) if row["item_id"] == "CF-002"]
    assert shop.demo.cycle_days["coffee"] <= min(coffee) < shop.demo.cycle_days["coffee"] + 1
    assert len(coffee) > 15


def test_the_new_customer_has_the_black_dress_and_no_shoes(shop: Shop) -> None:
    assert [row["item_id"] for row in shop.of("new", shop.purchases)] == ["DR-001"]


def test_the_abandoned_cart_was_not_bought(shop: Shop) -> None:
    last = shop.of("abandoned_cart", shop.behaviour)[-1]
    assert (last["item_id"], last["event"]) == ("SH-014", "begin_checkout")
    assert shop.days_ago(last) < 1
    assert all(row["time"] < last["time"] for row in shop.of("abandoned_cart", shop.purchases))


def test_of_the_examples_only_the_angry_one_waits_for_an_answer_and_the_reconciled_one_got_it(shop: Shop) -> None:
    told = Counter(
        (event["customer_id"], event["event"]) for event in shop.events if event["event"].startswith("complaint")
    )
    angry, reconciled = shop.demo.examples["angry"], shop.demo.examples["reconciled"]
    assert {key: n for key, n in told.items() if key[0] in shop.demo.examples.values()} == {
        (angry, "complaint"): 2,
        (reconciled, "complaint"): 1,
        (reconciled, "complaint_resolved"): 1,
    }


def test_a_complaint_is_about_an_order_of_the_customer_and_most_are_settled(shop: Shop) -> None:
    owner = {row["order_id"]: row["customer_id"] for row in shop.purchases}
    about = [event for event in shop.events if event["event"].startswith("complaint")]
    names = Counter(event["event"] for event in about)
    assert names["complaint"] > 250
    assert 0.8 < names["complaint_resolved"] / names["complaint"] < 1
    assert all(owner[event["order_id"]] == event["customer_id"] for event in about)


def test_who_unsubscribed_gets_no_letter_after(shop: Shop) -> None:
    left = {event["customer_id"]: event["time"] for event in shop.events if event["event"] == "unsubscribe"}
    assert shop.demo.examples["unsubscribed"] in left
    assert len(left) > 20
    assert [
        event
        for event in shop.events
        if event["event"] == "email_sent" and event["time"] > left.get(event["customer_id"], "3")
    ] == []


def test_letters_go_only_to_who_opted_in_and_each_opens_at_an_hour_of_her_own(shop: Shop) -> None:
    hours: dict[str, set[int]] = defaultdict(set)
    for event in shop.events:
        if event["event"] == "email_sent":
            assert shop.customers[event["customer_id"]]["email_opt_in"]
        if event["event"] == "email_open":
            hours[event["customer_id"]].add(datetime.fromisoformat(event["time"]).astimezone(BANGKOK).hour)
    assert len(hours) > 500
    assert all(len(found) == 1 for found in hours.values())
    assert hours[shop.demo.examples["vip"]] == {20}


def test_consents_say_what_for_on_which_channel_and_since_when(shop: Shop) -> None:
    consents = [event for event in shop.events if event["event"] == "consent"]
    assert {event["status"] for event in consents} == {"granted", "denied", "withdrawn"}
    assert all(
        event["purpose"] in ("marketing", "profiling") and event["channel"] and event["source"] for event in consents
    )
    denied = [event["customer_id"] for event in consents if event["status"] == "denied"]
    assert denied == [shop.demo.examples["no_profiling"]]


def test_attributes_of_the_examples(shop: Shop) -> None:
    assert shop.customers[shop.demo.examples["birthday"]]["birthday"].endswith("-11-20")
    abroad = shop.customers[shop.demo.examples["abroad"]]
    assert (abroad["language"], abroad["time_zone"]) == ("en", "Europe/London")
    assert shop.customers[shop.demo.examples["unsubscribed"]]["email_opt_in"] == ""
    assert list(shop.demo.examples.values()) == sorted(shop.customers)[: len(shop.demo.examples)]


def test_the_docstring_names_every_example(shop: Shop) -> None:
    import training.demo

    told = dict(re.findall(r"(C-\d{4}) (\w+)", training.demo.__doc__ or ""))
    assert told == {customer_id: role for role, customer_id in shop.demo.examples.items()}
