"""A profile as bytes, of two parts in one string: the summary (who she is, at most 800 bytes), then what she did with each item
and what she searched for.

Each part is JSON, deflated: names and numbers repeat so much that a quarter is left. What is empty is left out, times and days stand as
steps from one to the next, items as columns. Equal profiles give equal bytes.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any

import orjson

from models.profile import former
from models.profile.fold import NAMES
from models.profile.items import NO_ITEMS, Items
from models.profile.state import EMPTY, CartLine, Order, Profile, Shown, Wish

FORMAT = 2  # the first byte; a document of the former format is JSON, and begins with {
HEAD = 3  # bytes: the format, the length of the summary
LEVEL, WINDOW, MEMORY = (
    4,
    -12,
    5,
)  # of zlib: 2 % longer than 6, in two thirds of the time; a small window and table start quicker
CODES = {name: code for code, name in enumerate(NAMES)}


def dump(profile: Profile) -> bytes:
    """The document of a profile."""
    summary, items = _deflated(_summary(profile)), _deflated(_items(profile))
    return bytes((FORMAT, *len(summary).to_bytes(2, "little"))) + summary + items


def load(document: bytes | None) -> Profile:
    """The profile in a document that `dump` wrote, or its predecessor; EMPTY for None."""
    if document is None:
        return EMPTY
    if document[0] != FORMAT:
        return former.load(document)
    items_at = HEAD + int.from_bytes(document[1:HEAD], "little")
    summary, items = _inflated(document[HEAD:items_at]), _inflated(document[items_at:])
    days = _days(summary)
    return Profile(
        earlier_orders=summary.get("e", 0),
        earlier_days=summary.get("z", 0),
        earlier_spend=summary.get("y", 0),
        value=summary.get("v", 0),
        first_at=summary.get("f", 0),
        last_at=summary.get("l", 0),
        last_seen=summary.get("s", 0),
        days=days,
        bought_on=tuple(accumulate(summary["b"])) if "b" in summary else tuple(days),
        recent_orders=_orders(summary),
        items=Items(items) if items.get("i") else {},
        counts={NAMES[code]: count for code, count in zip(*_halves(summary.get("c", ())), strict=True)},
        hours=dict(zip(*_halves(summary.get("h", ())), strict=True)),
        recent=tuple(zip(accumulate(summary.get("r", ())), map(NAMES.__getitem__, summary.get("n", ())), strict=True)),
        cart_lines={item_id: CartLine(*parts) for item_id, parts in items.get("k", {}).items()},
        shown={item_id: Shown(tuple(days), sent_at) for item_id, (days, sent_at) in items.get("w", {}).items()},
        searches=items.get("u", {}),
        wish_words={item_id: Wish(*word) for item_id, word in items.get("x", {}).items()},
    )


def summary_bytes(document: bytes) -> int:
    """How many bytes of a document are its summary."""
    return HEAD + int.from_bytes(document[1:HEAD], "little")


def _summary(profile: Profile) -> dict[str, Any]:
    orders = sorted(profile.recent_orders.items(), key=lambda entry: (entry[1].at, entry[0]))
    part = {
        "e": profile.earlier_orders,
        "z": profile.earlier_days,
        "y": profile.earlier_spend,
        "v": profile.value,
        "f": profile.first_at,
        "l": profile.last_at,
        "s": profile.last_seen,
        "d": _steps(profile.days),
        "a": list(profile.days.values()),
        "o": [order_id for order_id, _ in orders],
        "p": _steps(order.at for _, order in orders),
        "q": [part for _, order in orders for part in order[1:]],
        "c": [part for name in sorted(profile.counts) for part in (CODES[name], profile.counts[name])],
        "h": [part for hour in sorted(profile.hours) for part in (hour, profile.hours[hour])],
        "r": _steps(at for at, _ in profile.recent),
        "n": [CODES[name] for _, name in profile.recent],
    }
    said = {name: value for name, value in part.items() if value}
    return said if profile.bought_on == tuple(profile.days) else {**said, "b": _steps(profile.bought_on)}


def _orders(summary: Mapping[str, Any]) -> dict[str, Order]:
    rest = summary.get("q", ())
    rows = zip(accumulate(summary.get("p", ())), rest[::3], rest[1::3], rest[2::3], strict=True)
    return dict(zip(summary.get("o", ()), map(Order._make, rows), strict=True))


def _days(summary: Mapping[str, Any]) -> dict[int, int]:
    return dict(zip(accumulate(summary.get("d", ())), summary.get("a", ()), strict=True))


def _items(profile: Profile) -> dict[str, Any]:
    """The items as columns; their times by place in a list of all times."""
    columns = zip(*profile.items.values(), strict=True) if profile.items else NO_ITEMS
    purchases, quantities, first_at, last_at, seen_at, events, viewed = columns
    times = sorted({*first_at, *last_at, *seen_at})
    place = {at: number for number, at in enumerate(times)}.__getitem__
    part = {
        "i": list(profile.items),
        "t": _steps(times),
        "p": purchases,
        "q": quantities,
        "f": list(map(place, first_at)),
        "l": list(map(place, last_at)),
        "s": list(map(place, seen_at)),
        "e": _where_any([sorted(counts.items()) if counts else () for counts in events]),
        "v": _where_any(viewed),
        "k": {item_id: tuple(profile.cart_lines[item_id]) for item_id in sorted(profile.cart_lines)},
        "w": {item_id: tuple(shown) for item_id, shown in profile.shown.items()},
        "u": profile.searches,
        "x": {item_id: tuple(word) for item_id, word in profile.wish_words.items()},
    }
    return {name: value for name, value in part.items() if value}


def _where_any(parts: Sequence[Sequence[Any]]) -> list[Any]:
    """The parts, 0 for an empty one; nothing where all are empty."""
    return [part or 0 for part in parts] if any(parts) else []


def _halves(pairs: Sequence[int]) -> tuple[Sequence[int], Sequence[int]]:
    return pairs[::2], pairs[1::2]


def _steps(ascending: Iterable[int]) -> list[int]:
    """Numbers as the first one, then each as what it is above the one before; `accumulate` turns them back."""
    numbers = list(ascending)
    return [number - before for before, number in zip((0, *numbers), numbers, strict=False)]


def _deflated(part: Mapping[str, Any]) -> bytes:
    packing = zlib.compressobj(LEVEL, zlib.DEFLATED, WINDOW, MEMORY)
    return packing.compress(orjson.dumps(part)) + packing.flush()


def _inflated(part: bytes) -> dict[str, Any]:
    plain: dict[str, Any] = orjson.loads(zlib.decompress(part, WINDOW))
    return plain
