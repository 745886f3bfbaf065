"""The catalogue: what training knew of each item, as columns for masks and as ready JSON for answers."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from models.vocabulary import MISSING, Vocabulary

# Fields with few distinct values, kept as codes
CODED = ("category", "brand", "product_type", "colour", "gender", "group_id")
# In answers
SHOWN = ("title", "title_th", "price", "currency", "url", "image_url", "category", "brand", "product_type", "colour")
NO_PRICE = -1
NO_STOCK = -1
MOST_STOCK = 2**31 - 1
FEW = 4  # codes
KINDS_KEPT = 10_000  # items
LEVEL = re.compile("(?= > )")  # where one of a category ends
MINOR = 100  # minor units of money in a major one


@dataclass(frozen=True)
class Codes:
    """A column of texts: `values` numbers the distinct ones, `code` says which each item has (-1: none).

    code  int32[items]
    """

    values: Vocabulary
    code: NDArray[np.int32]

    def are(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        """bool[items]: which items have one of these values."""
        wanted = self.values.rows(texts)
        return self.among(wanted[wanted != MISSING])

    def among(self, codes: NDArray[np.int32]) -> NDArray[np.bool_]:
        """bool[items]: which items have one of these codes; one look-up an item, where np.isin takes ten, and few are compared faster."""
        if len(codes) <= FEW:
            found = np.zeros(len(self.code), dtype=np.bool_)
            for code in codes:
                found |= self.code == code
            return found
        chosen = np.zeros(len(self.values) + 1, dtype=np.bool_)  # the last is for no value, -1
        chosen[codes] = True
        return chosen.take(self.code, mode="wrap")

    def text(self, row: int) -> str | None:
        """The value of one item, None where it has none."""
        code = int(self.code[row])
        return None if code == MISSING else self.values.text(code)

    @classmethod
    def of(cls, texts: Sequence[str | None]) -> Codes:
        """The column of these texts; None and "" are no value."""
        values = Vocabulary.of(text for text in texts if text)
        return cls(
            values, np.array([values.row(text) if text else MISSING for text in texts], dtype=np.int32).reshape(-1)
        )


@dataclass(frozen=True)
class Catalogue:
    """What is known of each item; row i is item `items.text(i)`.

    items      the vocabulary that every model of the bundle shares
    body       uint8[bytes], body_at int64[items + 1]  the JSON object of the product fields, as answers carry it
    price      int64[items]  minor units, -1 unknown
    available  bool[items]   may be shown: offered, and not out of stock
    offered    bool[items]   what the shop says of it, whatever lies in stock
    stock      int32[items]  pieces, -1 unknown
    adult      bool[items]   only beside adult items
    pictured   bool[items]   has an image, so that e-mail can show it
    """

    items: Vocabulary
    body: NDArray[np.uint8]
    body_at: NDArray[np.int64]
    price: NDArray[np.int64]
    available: NDArray[np.bool_]
    offered: NDArray[np.bool_]
    stock: NDArray[np.int32]
    adult: NDArray[np.bool_]
    pictured: NDArray[np.bool_]
    category: Codes
    brand: Codes
    product_type: Codes
    colour: Codes
    gender: Codes
    group_id: Codes

    def __len__(self) -> int:
        return len(self.items)

    def json(self, row: int) -> bytes:
        """The item's product fields as a JSON object, ready to be sent."""
        body, at = self._bodies
        return bytes(body[at[row] : at[row + 1]])

    def fields(self, row: int) -> dict[str, Any]:
        """What is known of one item, as the contract names it; the price in minor units."""
        known: dict[str, Any] = {**orjson.loads(self.json(row)), "item_id": self.items.text(row)}
        known |= {name: getattr(self, name).text(row) for name in CODED}
        known["price"] = None if self.price[row] == NO_PRICE else int(self.price[row])
        known["stock"] = None if self.stock[row] == NO_STOCK else int(self.stock[row])
        known |= {"available": bool(self.offered[row]), "adult": bool(self.adult[row])}
        return {name: value for name, value in known.items() if value is not None}

    def kinds(self, row: int) -> frozenset[str]:
        """What one item is, in lower case: its type, colour, brand, gender, and the levels of its category; found once a combination."""
        columns = (self.product_type, self.colour, self.brand, self.gender, self.category)
        codes = tuple(column.code.item(row) for column in columns)
        found = self._kinds.get(codes)
        if found is None:
            *said, category = (column.text(row) for column in columns)
            words = (*said, *(category or "").split(">"))
            found = self._kinds[codes] = frozenset(word.strip().casefold() for word in words if word)
        return found

    def kinds_of(self, item_id: str) -> frozenset[str] | None:
        """What an item is, by its id; None where it is unknown. Remembered of the last KINDS_KEPT or fewer."""
        known = self._kinds_of
        if item_id not in known:
            if len(known) >= KINDS_KEPT:
                known.clear()
            row = self.items.row(item_id)
            known[item_id] = None if row == MISSING else self.kinds(row)
        return known[item_id]

    def within(self, paths: Sequence[str]) -> NDArray[np.bool_]:
        """bool[items]: which items lie in one of these categories or below it ("Women" holds "Women > Dresses")."""
        inside = list(chain.from_iterable(self._below.get(path, ()) for path in set(paths)))
        return self.category.among(np.array(inside, dtype=np.int32))

    def priced(self, prices: Sequence[int]) -> NDArray[np.bool_]:
        """bool[items]: which items have one of these prices, minor units."""
        distinct, code = self._prices
        wanted = np.array([price for price in prices if price != NO_PRICE], dtype=np.int64)
        places = distinct.searchsorted(wanted)
        chosen = np.zeros(len(distinct), dtype=np.bool_)
        chosen[places[np.append(distinct, NO_PRICE)[places] == wanted]] = True
        return chosen[code]

    @cached_property
    def kept_masks(self) -> dict[Hashable, NDArray[np.bool_]]:
        """bool[items] each: masks that are asked for again and again, by those who ask."""
        return {}

    @cached_property
    def _bodies(self) -> tuple[memoryview, memoryview]:
        """body, body_at: of single elements, views are read several times as fast as arrays."""
        return self.body.data, self.body_at.data

    @cached_property
    def _kinds_of(self) -> dict[str, frozenset[str] | None]:
        """Of whom it was asked."""
        return {}

    @cached_property
    def _kinds(self) -> dict[tuple[int, ...], frozenset[str]]:
        """What was asked for so far."""
        return {}

    @cached_property
    def _below(self) -> dict[str, list[int]]:
        """Category, or what others lie below -> their codes; they are few, and asked for again and again."""
        below: dict[str, list[int]] = {}
        for code, path in enumerate(self.category.values.texts(range(len(self.category.values)))):
            for end in LEVEL.finditer(f"{path} > "):
                below.setdefault(end.string[: end.start()], []).append(code)
        return below

    @cached_property
    def _prices(self) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
        """int64[distinct], ascending, and intp[items]: which of them each item has. To sort them takes as long as a hundred comparisons."""
        return np.unique(self.price, return_inverse=True)


def catalogue_of(items: Vocabulary, fields: Sequence[Mapping[str, Any]], bodies: Sequence[bytes]) -> Catalogue:
    """The catalogue of `items`, with one mapping of product fields and one JSON body an item, in the order of rows.

    Fields are those of the contract; `price` is an integer of minor units or None. What is missing is unknown, not an error.
    """
    body_at = np.zeros(len(bodies) + 1, dtype=np.int64)
    np.cumsum([len(body) for body in bodies], out=body_at[1:])
    offered, stock = flags_of(fields, "available", default=True), stock_of(fields)
    coded = {name: Codes.of([row.get(name) for row in fields]) for name in CODED}
    return Catalogue(
        items=items,
        body=np.frombuffer(b"".join(bodies), dtype=np.uint8),
        body_at=body_at,
        price=prices_of(fields),
        available=offered & (stock != 0),
        offered=offered,
        stock=stock,
        adult=flags_of(fields, "adult", default=False),
        pictured=np.array([bool(row.get("image_url")) for row in fields], dtype=np.bool_),
        **coded,
    )


def body_of(fields: Mapping[str, Any], currency: str | None) -> bytes:
    """The JSON object of an item's product fields, as answers carry it; a price without a currency is in the shop's."""
    shown = {name: fields[name] for name in SHOWN if fields.get(name) is not None}
    if "price" in shown:
        shown["price"] = shown["price"] / MINOR
        shown.setdefault("currency", currency)
    return orjson.dumps({name: shown[name] for name in SHOWN if shown.get(name) is not None})


def prices_of(fields: Sequence[Mapping[str, Any]]) -> NDArray[np.int64]:
    """int64[len(fields)]: minor units, NO_PRICE where none is known."""
    prices = [row.get("price") for row in fields]
    return np.array([NO_PRICE if price is None else price for price in prices], dtype=np.int64)


def stock_of(fields: Sequence[Mapping[str, Any]]) -> NDArray[np.int32]:
    """int32[len(fields)]: pieces in stock, none below 0; NO_STOCK where it is unknown."""
    stock = [row.get("stock") for row in fields]
    pieces = [NO_STOCK if number is None else min(max(number, 0), MOST_STOCK) for number in stock]
    return np.array(pieces, dtype=np.int32)


def flags_of(fields: Sequence[Mapping[str, Any]], name: str, *, default: bool) -> NDArray[np.bool_]:
    """bool[len(fields)]: what each item says; None and silence are the default."""
    return np.array([default if row.get(name) is None else bool(row[name]) for row in fields], dtype=np.bool_)
