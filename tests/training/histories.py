"""Histories written as tables: a row is (customer, item, day, and by name what differs from one piece bought for nothing)."""

import numpy as np

from models.settings import DAY_S
from models.vocabulary import MISSING, Vocabulary
from training.history import EVENTS, NO_TIME, TEXT, History

UNKNOWN = None


def history(*rows, times=True, second=0):
    """The history of these rows; a day may have a fraction. Without an order, none is known; order 7 is named o7."""
    full = [
        {"order": -1, "quantity": 1.0, "amount": 0, "event": "purchase", **(more[0] if more else {})}
        for *_, more in map(_split, rows)
    ]
    plain = [(customer, item, round(day * DAY_S) + second) for customer, item, day, _ in map(_split, rows)]
    customers = Vocabulary.of(customer for customer, *_ in plain if customer is not UNKNOWN)
    items = Vocabulary.of(item for _, item, _ in plain)
    columns = {
        "customer": [MISSING if customer is UNKNOWN else customers.row(customer) for customer, *_ in plain],
        "item": [items.row(item) for _, item, _ in plain],
        "order": [more["order"] for more in full],
        "at": [at for *_, at in plain] if times else [NO_TIME] * len(plain),
        "quantity": [more["quantity"] for more in full],
        "amount": [more["amount"] for more in full],
        "event": [EVENTS.index(more["event"]) for more in full],
    }
    types = {"at": np.int64, "quantity": np.float32, "amount": np.int64, "event": np.int8}
    arrays = {name: np.array(column, dtype=types.get(name, np.int32)) for name, column in columns.items()}
    by = np.lexsort((arrays["item"], arrays["order"], arrays["customer"], arrays["at"]))
    order_ids = np.array([f"o{number}" for number in range(int(arrays["order"].max(initial=-1)) + 1)], dtype=TEXT)
    return History(customers, items, **{name: array[by] for name, array in arrays.items()}, order_ids=order_ids)


def _split(row):
    customer, item, day, *more = row
    return customer, item, day, more


DONE = ("purchase", "view_item", "add_to_cart", "refund", "add_to_wishlist")


def a_shop(seed, customers=12):
    """Seven hundred rows drawn at random, over 500 days."""
    rng = np.random.default_rng(seed)
    for number in range(700):
        event = str(rng.choice(DONE, p=[0.45, 0.3, 0.1, 0.05, 0.1]))
        day = float(rng.integers(0, 500 * 4)) / 4
        customer = f"c{rng.integers(customers):02}"
        yield (
            customer,
            f"i{rng.integers(15):02}",
            day,
            {"event": event, "amount": int(rng.integers(900)), "order": number},
        )
