"""The catalogue: what training knew of each item, as columns for masks and as ready JSON for answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.vocabulary import MISSING, Vocabulary

CODED = (
    "category",
    "brand",
    "product_type",
    "colour",
    "gender",
    "group_id",
)  # fields with few distinct values, kept as codes
NO_PRICE = -1


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
        return np.isin(self.code, wanted[wanted != MISSING])

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
    available  bool[items]   may be shown
    adult      bool[items]   only beside adult items
    pictured   bool[items]   has an image, so that e-mail can show it
    """

    items: Vocabulary
    body: NDArray[np.uint8]
    body_at: NDArray[np.int64]
    price: NDArray[np.int64]
    available: NDArray[np.bool_]
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
        return bytes(self.body[self.body_at[row] : self.body_at[row + 1]])

    def within(self, paths: Sequence[str]) -> NDArray[np.bool_]:
        """bool[items]: which items lie in one of these categories or below it ("Women" holds "Women > Dresses")."""
        values = self.category.values
        inside = [
            code for code in range(len(values)) if any(_is_below(values.text(code), path) for path in paths)
        ]  # categories are few; items are many
        return np.isin(self.category.code, np.array(inside, dtype=np.int32))


def _is_below(category: str, path: str) -> bool:
    return category == path or category.startswith(f"{path} > ")


def catalogue_of(items: Vocabulary, fields: Sequence[Mapping[str, Any]], bodies: Sequence[bytes]) -> Catalogue:
    """The catalogue of `items`, with one mapping of product fields and one JSON body an item, in the order of rows.

    Fields are those of the contract; `price` is an integer of minor units or None. What is missing is unknown, not an error.
    """
    body_at = np.zeros(len(bodies) + 1, dtype=np.int64)
    np.cumsum([len(body) for body in bodies], out=body_at[1:])
    coded = {name: Codes.of([row.get(name) for row in fields]) for name in CODED}
    prices = [row.get("price") for row in fields]
    return Catalogue(
        items=items,
        body=np.frombuffer(b"".join(bodies), dtype=np.uint8),
        body_at=body_at,
        price=np.array([NO_PRICE if price is None else price for price in prices], dtype=np.int64),
        available=np.array([row.get("available", True) is not False for row in fields], dtype=np.bool_),
        adult=np.array([bool(row.get("adult")) for row in fields], dtype=np.bool_),
        pictured=np.array([bool(row.get("image_url")) for row in fields], dtype=np.bool_),
        **coded,
    )
