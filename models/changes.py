"""Changes: what the shop said of its items since training, laid over the catalogue that training knew.

Items that training did not know, the newcomers, stand behind all others. What is large, ids and bodies, stays shared with the catalogue below.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.catalogue import CODED, Catalogue, Codes, body_of, catalogue_of, flags_of, prices_of, stock_of
from models.vocabulary import MISSING, Vocabulary

Rows = NDArray[np.int32]
Fields = Mapping[str, Any]


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
    return _with_rows(over, items, rows, fields, learnt=len(base), currency=currency)


def _counts(item_id: str, change: Change, over: Catalogue) -> bool:
    return (change.whole and not change.deleted) or over.items.row(item_id) != MISSING


def _with_rows(
    over: Catalogue, items: Vocabulary, rows: Rows, fields: Sequence[Fields], *, learnt: int, currency: str | None
) -> Changed:
    """The catalogue of `items` with some rows written anew. A column that stays as it is stays shared, too."""
    offered, stock = flags_of(fields, "available", default=True), stock_of(fields)
    columns: dict[str, Any] = {
        "price": prices_of(fields),
        "offered": offered,
        "stock": stock,
        "available": offered & (stock != 0),
        "adult": flags_of(fields, "adult", default=False),
        "pictured": np.array([bool(row.get("image_url")) for row in fields], dtype=np.bool_),
    }
    written = {name: _written(getattr(over, name), rows, values, len(items)) for name, values in columns.items()}
    coded = {name: _recoded(getattr(over, name), rows, [row.get(name) for row in fields], len(items)) for name in CODED}
    bodies = {row: body_of(said, currency) for row, said in zip(rows.tolist(), fields, strict=True)}
    return Changed(
        **{field.name: getattr(over, field.name) for field in dataclasses.fields(Catalogue)}
        | written
        | coded
        | {"items": items, "learnt": learnt, "bodies": {**(over.bodies if isinstance(over, Changed) else {}), **bodies}}
    )


def _written(column: NDArray[Any], rows: Rows, values: NDArray[Any], items: int) -> NDArray[Any]:
    """The column, of so many items, with some rows written anew; all rows beyond its end are among them."""
    more = items - len(column)
    if not more and np.array_equal(column[rows], values):
        return column
    changed = np.append(column, np.zeros(more, dtype=column.dtype))
    changed[rows] = values
    return changed


def _recoded(codes: Codes, rows: Rows, texts: Sequence[str | None], items: int) -> Codes:
    values = codes.values.extended(text for text in texts if text)
    found = np.array([values.row(text) if text else MISSING for text in texts], dtype=np.int32)
    return Codes(values, _written(codes.code, rows, found, items))
