"""What the customers of the demo shop buy: visits that begin with one thing and add what completes it, and packs that are empty again."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from training.demo.days import DAYS, DEMAND, NOW, SALE_SHARE, at, is_sale, moment
from training.demo.people import Customer
from training.demo.shelves import Shelves
from training.demo.shop import Product, Shop

TASTE = 0.35  # how often a visit begins with her own colour
EXTRA = 0.15  # how often something goes into the basket that has nothing to do with the rest
PAIR = 0.1  # how often two of a homeware piece
RETURNED = 0.05  # share of fashion that comes back
CYCLE_SPREAD = 0.12  # of the logarithm of the time that a pack lasts
TOGETHER_DAYS = 3  # packs that will be empty within these days are bought on the same visit

Beginnings = tuple[tuple[str, ...], tuple[float, ...]]


@dataclass(frozen=True)
class Line:
    """One product of an order. `returned_at`: seconds since 1970, None where it was kept."""

    product: Product
    quantity: int
    price: int
    returned_at: int | None = None


@dataclass(frozen=True)
class Order:
    """One order of a customer. `at`: seconds since 1970 UTC."""

    customer_id: str
    at: int
    lines: tuple[Line, ...]
    order_id: str = ""


def numbered(orders: Iterable[Order]) -> list[Order]:
    """The orders in the order of time, numbered as a till does."""
    in_time = sorted(orders, key=lambda order: (order.at, order.customer_id))
    return [
        Order(order.customer_id, order.at, order.lines, f"T-{number:06}")
        for number, order in enumerate(in_time, start=1)
    ]


def orders(customer: Customer, shelves: Shelves, rng: np.random.Generator) -> Iterator[Order]:
    """All that one customer buys, in no order."""
    yield from _told(customer, shelves.shop)
    yield from _visits(customer, shelves, rng)
    yield from _refills(customer, shelves.shop, rng)


def _told(customer: Customer, shop: Shop) -> Iterator[Order]:
    for order in customer.orders:
        placed = at(DAYS - order["days_ago"])
        returned = order.get("returned", ())
        lines = (
            Line(shop.products[item], 1, shop.products[item].price, placed + 4 * 86_400 if item in returned else None)
            for item in order["items"]
        )
        yield Order(customer.customer_id, placed, tuple(lines))


def _visits(customer: Customer, shelves: Shelves, rng: np.random.Generator) -> Iterator[Order]:
    """A Poisson number of orders on each day of her time with the shop, as the calendar's demand has it."""
    days = np.arange(int(customer.joined), int(customer.left))
    per_day = rng.poisson(customer.orders_per_year / 365 * DEMAND[days])
    begins = {season: _beginnings(customer, season, shelves.shop) for season in set(shelves.shop.season_of)}
    for day in np.repeat(days, per_day).tolist():
        basket = _basket(customer, begins[shelves.shop.season_of[day]], shelves, rng)
        yield Order(customer.customer_id, moment(day, rng), tuple(_line(product, day, rng) for product in basket))


def _beginnings(customer: Customer, season: str, shop: Shop) -> Beginnings:
    """What a visit in this season begins with: product types, and the running sum of their weights."""
    types = customer.persona.types
    return tuple(types), tuple(
        accumulate(weight * shop.in_season(shop.kinds[name], season) for name, weight in types.items())
    )


def _basket(customer: Customer, begins: Beginnings, shelves: Shelves, rng: np.random.Generator) -> Sequence[Product]:
    anchor = shelves.pick(_begin(begins, rng), customer.taste if rng.random() < TASTE else "", rng)
    basket = [anchor, *shelves.completed(anchor, rng)]
    if rng.random() < EXTRA:
        basket.append(shelves.pick(_begin(begins, rng), "", rng))
    return list({product.item_id: product for product in basket}.values())


def _begin(begins: Beginnings, rng: np.random.Generator) -> str:
    types, edges = begins
    return types[bisect(edges, rng.random() * edges[-1])]


def _line(product: Product, day: int, rng: np.random.Generator) -> Line:
    home = product.category.startswith("Home")
    quantity = 2 if home and rng.random() < PAIR else 1
    back = moment(day + int(rng.integers(3, 15)), rng) if not home and rng.random() < RETURNED else NOW
    price = int(product.price * SALE_SHARE) if is_sale(day) else product.price
    return Line(product, quantity, price, back if back < NOW else None)


def _refills(customer: Customer, shop: Shop, rng: np.random.Generator) -> Iterator[Order]:
    """Each pack is bought again when it is empty; what is nearly empty comes along."""
    empty_at = {item_id: customer.joined + rng.random() * _cycle(shop, item_id) for item_id in customer.packs}
    while empty_at and (day := min(empty_at.values())) < customer.left:
        bought = [item_id for item_id, empty in empty_at.items() if empty < day + TOGETHER_DAYS]
        for item_id in bought:
            empty_at[item_id] = day + _cycle(shop, item_id) * float(np.exp(rng.normal(0, CYCLE_SPREAD)))
        lines = (Line(product, 1, product.price) for product in map(shop.products.__getitem__, bought))
        yield Order(customer.customer_id, moment(int(day), rng), tuple(lines))


def _cycle(shop: Shop, item_id: str) -> int:
    return shop.kinds[shop.products[item_id].product_type].cycle_days
