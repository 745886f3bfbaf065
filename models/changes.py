"""Changes: what the shop said of its items since training, laid over the catalogue that training knew.

Items that training did not know, the newcomers, stand behind all others. What is large, ids and bodies, stays shared with the catalogue below.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.catalogue import CODED, Catalogue, Codes, body_of, catalogue_of, flags_of, prices_of, stock_of
from models.vocabulary import MISSING, Vocabulary

Rows = NDArray[np.int32]


@dataclass(frozen=True)
class Change:
    """What stands of one item.

    fields   the contract's, price in minor units; None takes one away
    whole    True: they are all there is to say (PUT); False: the catalogue says the rest (PATCH)
    deleted  the item is shown no more
    """

    fields: Mapping[str, Any]
    whole: bool = True
    deleted: bool = False

    def over(self, known: Mapping[str, Any]) -> dict[str, Any]:
        """The item's fields, where the catalogue says `known` of it."""
        said = {**({} if self.whole else known), **self.fields}
        shown = {name: value for name, value in said.items() if value is not None}
        return {**shown, "available": False} if self.deleted else shown


@dataclass(frozen=True)
class Changed(Catalogue):
    """A catalogue with changes: columns are its own, bodies of changed items lie in a dict by row.

    learnt  how many items training knew; the rows from there on are newcomers
    """

    learnt: int
    bodies: Mapping[int, bytes]

    def json(self, row: int) -> bytes:
        """The item's product fields as a JSON object, ready to be sent."""
        changed = self.bodies.get(row)
        return super().json(row) if changed is None else changed


def nothing() -> Catalogue:
    """A catalogue without items."""
    return catalogue_of(Vocabulary.of(()), [], [])


def lay(changes: Mapping[str, Change], *, over: Catalogue, base: Catalogue, currency: str | None) -> Catalogue:
    """The catalogue `over` with changes by item; `base` is what training knew, below all earlier changes.

    Newcomers are numbered on in the order of `changes`; one of whom only some fields are said, or that he is gone, is left out.
    """
    told = {item_id: change for item_id, change in changes.items() if _counts(item_id, change, over)}
    if not told:
        return over
    items = over.items.extended(told)
    rows = items.rows(told)
    learnt = base.items.rows(told)
    fields = [
        change.over(base.fields(row) if row != MISSING else {})
        for change, row in zip(told.values(), learnt.tolist(), strict=True)
    ]
    return _with_rows(_longer(over, items, len(base)), rows, fields, currency)


def _counts(item_id: str, change: Change, over: Catalogue) -> bool:
    return (change.whole and not change.deleted) or over.items.row(item_id) != MISSING


def _longer(catalogue: Catalogue, items: Vocabulary, learnt: int) -> Changed:
    """A copy of the columns, with room for the newcomers; what is large is shared."""
    more = len(items) - len(catalogue)
    blank = catalogue_of(Vocabulary.of(()), [{}] * more, [b"{}"] * more)
    columns: dict[str, Any] = {
        name: np.append(getattr(catalogue, name), getattr(blank, name))
        for name in ("price", "available", "offered", "stock", "adult", "pictured")
    }
    columns |= {name: _longer_codes(getattr(catalogue, name), more) for name in CODED}
    bodies = catalogue.bodies if isinstance(catalogue, Changed) else {}
    return Changed(items=items, body=catalogue.body, body_at=catalogue.body_at, learnt=learnt, bodies=bodies, **columns)


def _longer_codes(codes: Codes, more: int) -> Codes:
    return replace(codes, code=np.append(codes.code, np.full(more, MISSING, dtype=np.int32)))


def _with_rows(catalogue: Changed, rows: Rows, fields: Sequence[Mapping[str, Any]], currency: str | None) -> Changed:
    """The catalogue with some rows written anew, in the columns that are its own."""
    catalogue.price[rows] = prices_of(fields)
    catalogue.offered[rows] = flags_of(fields, "available", default=True)
    catalogue.stock[rows] = stock_of(fields)
    catalogue.available[rows] = catalogue.offered[rows] & (catalogue.stock[rows] != 0)
    catalogue.adult[rows] = flags_of(fields, "adult", default=False)
    catalogue.pictured[rows] = [bool(row.get("image_url")) for row in fields]
    coded: dict[str, Any] = {
        name: _recoded(getattr(catalogue, name), rows, [row.get(name) for row in fields]) for name in CODED
    }
    bodies = {row: body_of(said, currency) for row, said in zip(rows.tolist(), fields, strict=True)}
    return replace(catalogue, bodies={**catalogue.bodies, **bodies}, **coded)


def _recoded(codes: Codes, rows: Rows, texts: Sequence[str | None]) -> Codes:
    values = codes.values.extended(text for text in texts if text)
    codes.code[rows] = [values.row(text) if text else MISSING for text in texts]
    return replace(codes, values=values)
