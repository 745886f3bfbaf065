"""What the customers of the demo shop look at: before they buy, instead of buying, and what they leave in the cart. The last 60 days."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from training.demo.days import DAYS, at, moment
from training.demo.orders import Order
from training.demo.people import Customer
from training.demo.shelves import Shelves

KEPT_DAYS = 60
BEHAVIOUR = ("view_item", "add_to_cart", "begin_checkout", "add_to_wishlist")
LOOKED_BEFORE = 0.5  # how often she came to look some days before she bought
WINDOW_SHOPPING = 3.0  # visits without an order, beside those with one
LEFT_IN_CART = 0.12  # of the visits without an order
STEP_S = 40  # between two clicks


@dataclass(frozen=True)
class Click:
    """One event on the website. `at`: seconds since 1970 UTC."""

    customer_id: str
    item_id: str
    at: int
    event: str


def clicks(customer: Customer, orders: Sequence[Order], shelves: Shelves, rng: np.random.Generator) -> Iterator[Click]:
    """The clicks of one customer, in no order."""
    yield from _told(customer)
    for order in orders:
        if order.at >= at(DAYS - KEPT_DAYS):
            yield from _before(order, shelves, rng)
    yield from _window_shopping(customer, shelves, rng)


def _told(customer: Customer) -> Iterator[Click]:
    for event in customer.events:
        if event["event"] in BEHAVIOUR:
            yield Click(customer.customer_id, event["item_id"], at(DAYS - event["days_ago"]), event["event"])


def _before(order: Order, shelves: Shelves, rng: np.random.Generator) -> Iterator[Click]:
    """Each product of an order was looked at and put in the cart; the first often some days earlier, beside its like."""
    start = order.at - 600
    for number, line in enumerate(order.lines):
        yield Click(order.customer_id, line.product.item_id, start + number * 2 * STEP_S, "view_item")
        yield Click(order.customer_id, line.product.item_id, start + (number * 2 + 1) * STEP_S, "add_to_cart")
    if rng.random() < LOOKED_BEFORE:
        first = order.lines[0].product
        earlier = order.at - int(rng.integers(1, 6)) * 86_400
        others = (shelves.pick(first.product_type, first.colour, rng).item_id for _ in range(rng.integers(1, 4)))
        for number, item_id in enumerate((first.item_id, *others)):
            yield Click(order.customer_id, item_id, earlier + number * STEP_S, "view_item")


def _window_shopping(customer: Customer, shelves: Shelves, rng: np.random.Generator) -> Iterator[Click]:
    first_day = max(int(customer.joined) + 1, DAYS - KEPT_DAYS)
    days = max(int(customer.left) - first_day, 0)
    visits = rng.poisson(WINDOW_SHOPPING * customer.orders_per_year * days / 365)
    for _ in range(visits):
        yield from _visit(customer, moment(first_day + int(rng.integers(days)), rng), shelves, rng)


def _visit(customer: Customer, start: int, shelves: Shelves, rng: np.random.Generator) -> Iterator[Click]:
    """A few products of one type in her colour; sometimes the last is left in the cart or kept for later."""
    types = list(customer.persona.types)
    kind = types[rng.integers(len(types))]
    seen = [shelves.pick(kind, customer.taste, rng).item_id for _ in range(rng.integers(1, 6))]
    for number, item_id in enumerate(seen):
        yield Click(customer.customer_id, item_id, start + number * STEP_S, "view_item")
    if rng.random() < LEFT_IN_CART:
        kept = "add_to_wishlist" if rng.random() < 0.3 else "add_to_cart"
        yield Click(customer.customer_id, seen[-1], start + len(seen) * STEP_S, kept)


def in_time(found: Iterable[Click]) -> list[Click]:
    """The clicks that the shop still keeps, in the order of time."""
    kept = (click for click in found if click.at >= at(DAYS - KEPT_DAYS))
    return sorted(kept, key=lambda click: (click.at, click.customer_id, click.item_id, click.event))
