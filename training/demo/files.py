"""The files of the demo shop, written row by row."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from training.demo.behaviour import Click
from training.demo.contacts import Event, as_sent, rfc3339
from training.demo.days import date_of
from training.demo.orders import Order
from training.demo.people import CHANNELS, Customer
from training.demo.shop import Product

Row = tuple[str | int, ...]

PURCHASES = ("customer_id", "order_id", "item_id", "time", "event", "quantity", "price", "currency")
BEHAVIOUR = ("customer_id", "item_id", "time", "event")
ITEMS = (
    *(
        "item_id",
        "group_id",
        "title",
        "title_th",
        "product_type",
        "category",
        "colour",
        "brand",
        "gender",
        "price",
        "currency",
    ),
    *("url", "image_url", "available", "stock", "published_at"),
)
CUSTOMERS = (
    "customer_id",
    "name",
    "city",
    "language",
    "time_zone",
    "birthday",
    "joined",
    *(f"{channel}_opt_in" for channel in CHANNELS),
)


def write_csv(path: Path, header: tuple[str, ...], rows: Iterable[Row]) -> None:
    """A CSV file in UTF-8 with one header line."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def write_events(path: Path, events: Iterable[Event]) -> None:
    """One event a line, as POST /events takes them."""
    encode = json.JSONEncoder(ensure_ascii=False).encode
    with path.open("w", encoding="utf-8", newline="") as file:
        for number, event in enumerate(events, start=1):
            file.write(encode(as_sent(number, event)) + "\n")


def purchase_rows(orders: Iterable[Order]) -> Iterator[Row]:
    """One row an order line, and one for each line that came back, in the order of orders."""
    for order in orders:
        for line in order.lines:
            ids = (order.customer_id, order.order_id, line.product.item_id)
            yield (*ids, rfc3339(order.at), "purchase", line.quantity, line.price, "THB")
            if line.returned_at is not None:
                yield (*ids, rfc3339(line.returned_at), "refund", line.quantity, line.price, "THB")


def click_rows(clicks: Iterable[Click]) -> Iterator[Row]:
    """One row an event of the website."""
    for click in clicks:
        yield click.customer_id, click.item_id, rfc3339(click.at), click.event


def item_rows(products: Iterable[Product]) -> Iterator[Row]:
    """One row a product, in the contract's fields."""
    for number, product in enumerate(products):
        stock = 0 if product.sold_out else 5 + number * 37 % 80
        image = f"/images/{product.item_id}.jpg" if product.pictured else ""
        yield (
            *(
                product.item_id,
                product.group_id,
                product.title,
                product.title_th,
                product.product_type,
                product.category,
            ),
            *(product.colour, product.brand, product.gender, product.price, "THB"),
            *(f"/p/{product.item_id}", image, "false" if product.sold_out else "true", stock, product.published),
        )


def customer_row(customer: Customer) -> Row:
    """What a customer told the shop; a channel's opt-in is its date, empty where there is none."""
    joined = str(date_of(customer.joined))
    opt_ins = tuple(joined if channel in customer.consents else "" for channel in CHANNELS)
    about = (
        customer.customer_id,
        customer.name,
        customer.city,
        customer.language,
        customer.time_zone,
        customer.birthday,
    )
    return (*about, joined, *opt_ins)
