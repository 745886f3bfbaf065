"""What is kept of a customer. Days are UTC days since 1970, money is minor units, quantities are thousandths of a piece: sums are exact."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

NEVER = 0
OFF = -1  # the price of what she took off her wish list


class Event(NamedTuple):
    """One thing that happened. at: seconds since 1970 UTC; amount: minor units of the whole line, positive for a refund too."""

    name: str
    at: int
    item_id: str | None = None
    quantity: float = 1.0
    amount: int = 0
    order_id: str | None = None
    extra: Mapping[str, Any] = {}


def thousandths(quantity: float) -> int:
    """A quantity as an integer; 0 for what is no finite number."""
    return round(quantity * 1000) if math.isfinite(quantity) else 0


class Item(NamedTuple):
    """A customer's dealings with one item. Times are NEVER where it did not happen."""

    purchases: int = 0  # lines
    quantity: int = 0  # thousandths of a piece, less what went back
    first_at: int = NEVER  # of a purchase
    last_at: int = NEVER
    seen_at: int = NEVER  # newest event of any kind
    events: Mapping[str, int] = {}  # counts of events that are no purchases, by name
    viewed: tuple[tuple[int, int], ...] = ()  # (day, views) of the newest days with a view, ascending


class Order(NamedTuple):
    """What is remembered of an order, so that it counts once, and not at all when it went back whole."""

    at: int
    bought: int  # minor units
    refunded: int
    lines: int  # purchase lines; 0 while only its refund is known

    @property
    def stands(self) -> bool:
        """Whether it counts as an order."""
        return self.lines > 0 and (self.refunded == 0 or self.refunded < self.bought)


class CartLine(NamedTuple):
    """The newest word on an item in the cart; quantity 0: taken out."""

    at: int
    quantity: int  # thousandths
    amount: int  # minor units


class Wish(NamedTuple):
    """The newest word on an item of the wish list."""

    at: int
    price: int  # minor units of one piece, as it was then; 0: nobody said; OFF: she took it off


class Shown(NamedTuple):
    """When an item stood before her eyes in a list of ours."""

    days: tuple[int, ...] = ()  # the newest days on which it stood in a list on the site, ascending
    sent_at: int = NEVER  # the newest message it stood in


@dataclass(frozen=True)
class Profile:
    """The fold over all her events (models.profile.fold). Mappings are never changed in place.

    earlier_orders    orders beyond the newest ones in `recent_orders`
    earlier_days      days with a purchase that `bought_on` left out, between the first and the newest
    earlier_spend     minor units of days that `days` left out
    value             minor units bought, less what went back
    first_at, last_at of a purchase; last_seen: of any event; NEVER where there is none
    days              day -> net spend, ascending; every day with a purchase or a refund. Of more than LEDGER, old ones are summed by four weeks
    bought_on         the days with a purchase, ascending: the first and the newest
    items             oldest first by `seen_at`, ties by id
    hours             UTC hour -> what she did in it (DEEDS), whatever the day
    recent            the newest events that tell of her mood, (at, name), ascending
    wish_words        the newest word on each item that she wished for, in the order of their ids (models.profile.wishes)
    shown             items of lists that she was shown, oldest first by their newest day, ties by id
    searches          terms searched for since the last purchase, with the newest time of each, oldest first (models.profile.searches)
    """

    earlier_orders: int = 0
    earlier_days: int = 0
    earlier_spend: int = 0
    value: int = 0
    first_at: int = NEVER
    last_at: int = NEVER
    last_seen: int = NEVER
    days: Mapping[int, int] = field(default_factory=dict)
    bought_on: tuple[int, ...] = ()
    recent_orders: Mapping[str, Order] = field(default_factory=dict)
    items: Mapping[str, Item] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    hours: Mapping[int, int] = field(default_factory=dict)
    recent: tuple[tuple[int, str], ...] = ()
    cart_lines: Mapping[str, CartLine] = field(default_factory=dict)
    shown: Mapping[str, Shown] = field(default_factory=dict)
    searches: Mapping[str, int] = field(default_factory=dict)
    wish_words: Mapping[str, Wish] = field(default_factory=dict)

    @cached_property
    def orders(self) -> int:
        """Orders placed and not sent back whole."""
        return self.earlier_orders + sum(order.stands for order in self.recent_orders.values())

    @property
    def open_complaints(self) -> int:
        """Complaints that nobody has resolved yet."""
        return max(self.counts.get("complaint", 0) - self.counts.get("complaint_resolved", 0), 0)

    @cached_property
    def cart(self) -> dict[str, CartLine]:
        """What lies in the cart: put there since the last purchase and not taken out."""
        return {item_id: line for item_id, line in self.cart_lines.items() if line.quantity > 0}

    @property
    def wishes(self) -> dict[str, Wish]:
        """Her wish list, in the order of its ids."""
        return {item_id: wish for item_id, wish in self.wish_words.items() if wish.price != OFF}


EMPTY = Profile()
