"""The demo shop: a Thai shop for fashion and home, written as the files that any shop hands over. Generated, no download.

What is planted, so that what is learnt can be checked (shop.toml and people.toml hold all of it as data):

types that complete each other   a dress calls for court shoes, a clutch, earrings; the teacups of a set for one another
colours that go together         beside black, black; beside white, white, then beige
packs that run empty             coffee after 21 days, detergent after 30, candles after 45
seasons                          flower shirts before Songkran, coats from the end of October; sales on the double days
habits                           who opens e-mail, and at which hour

The ids that tests and documentation name do not depend on the seed:

DR-001 Black wrap dress · SH-014 Black court shoes · BG-001 Black envelope clutch · DR-022 Black velvet dress, new today, never sold
TC-001 TC-002 TC-003 TC-004 the teacups of one set, no variants of one another

C-0001 vip              a black wardrobe, one order a week            C-0008 unsubscribed   from e-mail, two weeks ago
C-0002 regular          coffee and detergent; out of coffee today     C-0009 visitor        looked at dresses, bought nothing
C-0003 lapsed           a good customer until 250 days ago            C-0010 no_profiling   refused profiling
C-0004 angry            two open complaints, a torn dress sent back   C-0011 reconciled     complained, got help, gave five stars
C-0005 new              bought the black wrap dress three days ago    C-0012 birthday       today
C-0006 abandoned_cart   black court shoes, five hours ago             C-0013 nearly_gold    370 baht short of Gold
C-0007 won_back         back after nine months                        C-0014 abroad         reads English, in London
"""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from training.demo import behaviour, contacts, files, people, shelves, shop
from training.demo.days import NOW
from training.demo.orders import Order, numbered, orders

PRETTY = " | python3 -m json.tool --no-ensure-ascii"
CURLS = (
    "curl -s 'http://localhost:8000/recommend?item_id=DR-001&placement=product_page&n=5&lang=en&explain=top'",
    "curl -s 'http://localhost:8000/recommend?customer_id=C-0001&intent=for_you&n=5&lang=en&explain=top'",
    "curl -s http://localhost:8000/next-best-action -H 'Content-Type: application/json'"
    """ -d '{"customer_id": "C-0004", "channel": "agent", "lang": "en"}'""",
)


@dataclass(frozen=True)
class Demo:
    """Where the files lie, and the truth that is planted in them.

    now         seconds since 1970 UTC: the midnight in Bangkok at which the history ends
    completes   product type → the types that complete it, most wanted first
    goes_with   colour → the colours that go with it, best first
    cycle_days  product type → days until a pack is empty
    seasons     product type → the season it is for
    examples    role → customer id
    """

    purchases: Path
    behaviour: Path
    items: Path
    customers: Path
    events: Path
    settings: Path
    curl: Path
    now: int
    completes: Mapping[str, tuple[str, ...]]
    goes_with: Mapping[str, tuple[str, ...]]
    cycle_days: Mapping[str, int]
    seasons: Mapping[str, str]
    examples: Mapping[str, str]


def write_demo(directory: Path, *, seed: int = 0) -> Demo:
    """Write the demo shop into a directory, which is made where it is missing. The same seed gives the same bytes."""
    directory.mkdir(parents=True, exist_ok=True)
    sold, everyone = shop.load(), people.load()
    demo = _demo(directory, sold, everyone)
    _write_people(demo, shelves.shelves(sold), everyone, seed)
    files.write_csv(demo.items, files.ITEMS, files.item_rows(sold.products.values()))
    shutil.copyfile(Path(__file__).with_name("valet.toml"), demo.settings)
    demo.curl.write_text("".join(f"{command}{PRETTY}\n" for command in CURLS), encoding="utf-8")
    return demo


def _demo(directory: Path, sold: shop.Shop, everyone: people.People) -> Demo:
    kinds = sold.kinds.values()
    return Demo(
        purchases=directory / "purchases.csv",
        behaviour=directory / "behaviour.csv",
        items=directory / "items.csv",
        customers=directory / "customers.csv",
        events=directory / "events.jsonl",
        settings=directory / "valet.toml",
        curl=directory / "curl.txt",
        now=NOW,
        completes={kind.name: _best_first(kind.completes) for kind in kinds if kind.completes},
        goes_with={colour: _best_first(others) for colour, others in sold.goes_with.items()},
        cycle_days={kind.name: kind.cycle_days for kind in kinds if kind.cycle_days},
        seasons={kind.name: kind.season for kind in kinds if kind.season},
        examples=everyone.roles,
    )


def _best_first(weights: Mapping[str, float]) -> tuple[str, ...]:
    return tuple(sorted(weights, key=lambda name: -weights[name]))


def _write_people(demo: Demo, shelf: shelves.Shelves, everyone: people.People, seed: int) -> None:
    """Customers shop one after the other, then their orders are numbered in time, then the rest is told of them."""
    drawn = list(people.customers(everyone, shelf, seed))
    placed = numbered(order for customer, rng in drawn for order in orders(customer, shelf, rng))
    own = _by_customer(placed)
    shown = [product.item_id for product in shelf.shop.products.values() if product.pictured and not product.sold_out]
    clicks = (behaviour.clicks(customer, own[customer.customer_id], shelf, rng) for customer, rng in drawn)
    letters = (contacts.contacts(customer, own[customer.customer_id], shown, rng) for customer, rng in drawn)
    files.write_csv(demo.purchases, files.PURCHASES, files.purchase_rows(placed))
    files.write_csv(demo.customers, files.CUSTOMERS, (files.customer_row(customer) for customer, _ in drawn))
    files.write_csv(demo.behaviour, files.BEHAVIOUR, files.click_rows(behaviour.in_time(chain.from_iterable(clicks))))
    files.write_events(demo.events, contacts.in_time(chain.from_iterable(letters)))


def _by_customer(placed: Iterable[Order]) -> Mapping[str, list[Order]]:
    own: dict[str, list[Order]] = defaultdict(list)
    for order in placed:
        own[order.customer_id].append(order)
    return own
