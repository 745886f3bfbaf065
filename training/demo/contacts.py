"""What passes between the demo shop and its customers: consents, newsletters and what became of them, complaints. As POST /events takes it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from training.demo.behaviour import BEHAVIOUR
from training.demo.days import DAYS, NOW, START_S, at
from training.demo.orders import Order
from training.demo.people import Customer

NEWSLETTER_DAYS = tuple(range(DAYS - 85, DAYS, 14))  # every second week of the last twelve
SENT_HOUR = 6  # in the morning; who opens does so at her own hour
CLICKED = 0.2  # of the opened
UNSUBSCRIBED = 0.003  # of the sent
COMPLAINTS = 0.025  # of the orders of the last year
SETTLED = 0.93  # of the complaints, within five days
REASONS = {
    "late_delivery": "ของส่งช้ากว่ากำหนด",
    "wrong_size": "ไซซ์ไม่ตรงกับตารางขนาด",
    "damaged": "สินค้าชำรุดตอนได้รับ",
    "wrong_item": "ได้รับสินค้าผิดรายการ",
}

Event = Mapping[str, Any]


def rfc3339(seconds: int) -> str:
    """A time as the contract writes it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:19] + "Z"


def contacts(
    customer: Customer, orders: Sequence[Order], items: Sequence[str], rng: np.random.Generator
) -> Iterator[Event]:
    """The events of one customer, each with `at` in seconds, in no order; `items` are what newsletters show."""
    found = (
        *_told(customer, orders),
        *_consents(customer),
        *_letters(customer, items, rng),
        *_complaints(customer, orders, rng),
    )
    for event in found:
        if event["at"] < NOW:
            yield {"customer_id": customer.customer_id, **event}


def in_time(found: Iterable[Event]) -> list[Event]:
    """Events in the order of time."""
    return sorted(found, key=lambda event: (event["at"], event["customer_id"], event["event"]))


def as_sent(number: int, event: Event) -> dict[str, Any]:
    """An event in the plain form of POST /events."""
    first = {"event_id": f"E-{number:06}", "event": event["event"], "customer_id": event["customer_id"]}
    rest = {name: value for name, value in event.items() if name != "at" and name not in first}
    return {**first, "time": rfc3339(event["at"]), **rest}


def _told(customer: Customer, orders: Sequence[Order]) -> Iterator[Event]:
    """The events that people.toml tells; a complaint is about the latest order before it."""
    for event in customer.events:
        if event["event"] in BEHAVIOUR:
            continue
        happened = at(DAYS - event["days_ago"])
        before = [order.order_id for order in orders if order.at < happened]
        about = {"order_id": before[-1]} if before and event["event"].startswith("complaint") else {}
        yield {"at": happened, **about, **{name: value for name, value in event.items() if name != "days_ago"}}


def _consents(customer: Customer) -> Iterator[Event]:
    joined = at(customer.joined)
    basis = {"event": "consent", "source": "checkout", "lawful_basis": "consent", "proof": "form 3"}
    for channel in customer.consents:
        yield {"at": joined, **basis, "purpose": "marketing", "channel": channel, "status": "granted"}
    profiling = "granted" if customer.profiling else "denied"
    yield {"at": joined, **basis, "purpose": "profiling", "channel": "all", "status": profiling}


def _letters(customer: Customer, items: Sequence[str], rng: np.random.Generator) -> Iterator[Event]:
    """Newsletters until she unsubscribes; she opens at her hour (of Bangkok), and hardly after she left."""
    if "email" not in customer.consents:
        return
    for day in NEWSLETTER_DAYS:
        if day < customer.joined:
            continue
        send_id = f"newsletter-{day:03}"
        sent = START_S + day * 86_400 + SENT_HOUR * 3_600
        letter = {"channel": "email", "send_id": send_id, "item_id": items[day % len(items)]}
        yield {"at": sent, "event": "email_sent", **letter}
        if rng.random() < UNSUBSCRIBED and not customer.is_example:
            yield {"at": sent + 7_200, "event": "unsubscribe", "channel": "email", "send_id": send_id}
            return
        if rng.random() < customer.open_share * (1.0 if day < customer.left else 0.1):
            yield from _opened(customer, day, letter, rng)


def _opened(customer: Customer, day: int, letter: Event, rng: np.random.Generator) -> Iterator[Event]:
    opened = START_S + day * 86_400 + customer.open_hour * 3_600 + int(rng.integers(3_600))
    yield {"at": opened, "event": "email_open", **letter}
    if rng.random() < CLICKED:
        yield {"at": opened + 30, "event": "email_click", **letter}


def _complaints(customer: Customer, orders: Sequence[Order], rng: np.random.Generator) -> Iterator[Event]:
    for order in orders:
        if customer.is_example or order.at < at(DAYS - 365) or rng.random() >= COMPLAINTS:
            continue
        reason = list(REASONS)[rng.integers(len(REASONS))]
        complained = order.at + int(rng.integers(1, 7)) * 86_400
        about = {"order_id": order.order_id}
        yield {"at": complained, "event": "complaint", **about, "reason": reason, "text": REASONS[reason]}
        if rng.random() < SETTLED:
            settled = complained + int(rng.integers(1, 6)) * 86_400
            yield {"at": settled, "event": "complaint_resolved", **about, "remedy": "refund"}
