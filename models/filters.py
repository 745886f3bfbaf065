"""Filters over items: the filter grammar of the HTTP contract, from a JSON document to a mask over the catalogue.

    {"all": [filter, …]} · {"any": [filter, …]} · {"not": filter} · {"field": "price", "op": "lt", "value": 900}

`parse` checks a document without a catalogue; `mask` applies it. An item whose field is unknown fails every comparison but `ne`.
What filters may ask together is bounded: each condition is looked up for every item.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from models.catalogue import NO_PRICE, Catalogue, Codes
from models.errors import InputError

Mask = NDArray[np.bool_]
Kind = Literal["text", "id", "number", "flag", "presence"]

FIELDS: dict[str, Kind] = {
    "item_id": "id",
    "group_id": "id",
    "category": "text",  # a category holds what lies below it
    "brand": "text",
    "product_type": "text",
    "colour": "text",
    "color": "text",
    "gender": "text",
    "price": "number",
    "available": "flag",
    "adult": "flag",
    "image_url": "presence",
}
OPS: dict[Kind, tuple[str, ...]] = {
    "text": ("eq", "ne", "in", "contains", "exists"),
    "id": ("eq", "ne", "in", "exists"),
    "number": ("eq", "ne", "in", "lt", "le", "gt", "ge", "between", "exists"),
    "flag": ("eq", "ne", "exists"),
    "presence": ("exists",),
}
COMPARABLE = ("category", "brand", "product_type", "colour", "gender", "group_id")  # for `same` and `different`
ALIASES = {"color": "colour"}
COMPARE = {"eq": np.equal, "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal}
MINOR = 100  # minor units of money in a major one
MOST_PARTS = 100  # of one filter, and of all filters of a request
VALUES = 100  # of a list that count as one condition
MOST_DEPTH = 8


class FilterError(InputError):
    """A filter that cannot be; `place` is the way to the wrong part, like ("all", "0", "field")."""

    def __init__(self, place: Sequence[str], message: str) -> None:
        super().__init__(f"{'.'.join(place) or 'filter'}: {message}")
        self.place = tuple(place)
        self.message = message


@dataclass(frozen=True)
class Condition:
    """One comparison of one field."""

    field: str
    op: str
    value: Any


@dataclass(frozen=True)
class Group:
    """Some filters together; `not` has one part."""

    kind: Literal["all", "any", "not"]
    parts: tuple[Filter, ...]


Filter = Condition | Group


def parse(document: Any) -> Filter:
    """The filter of a JSON document; raises FilterError with the place of what is wrong."""
    parsed = _parse(document, ())
    _check_count(count(parsed))
    return parsed


def count(chosen: Filter) -> int:
    """How many conditions it asks; a long list counts as several, and a group without parts as one."""
    if isinstance(chosen, Group):
        return sum(map(count, chosen.parts)) or 1
    return 1 + len(chosen.value) // VALUES if chosen.op == "in" else 1


def mask(chosen: Filter, catalogue: Catalogue) -> Mask:
    """bool[items]: which items pass. An empty `all` passes everything, an empty `any` nothing."""
    if isinstance(chosen, Condition):
        return _compare(chosen, catalogue)
    if chosen.kind == "not":
        return np.asarray(~mask(chosen.parts[0], catalogue))
    passed = np.full(len(catalogue), chosen.kind == "all")
    for part in chosen.parts:
        (np.logical_and if chosen.kind == "all" else np.logical_or)(passed, mask(part, catalogue), out=passed)
    return passed


def column(catalogue: Catalogue, field: str) -> Codes:
    """The coded column of a comparable field, by its name or alias."""
    codes: Codes = getattr(catalogue, ALIASES.get(field, field))
    return codes


def minor(amount: float) -> int:
    """An amount of major units, as requests carry it, in minor units."""
    return round(amount * MINOR)


def _parse(document: Any, place: tuple[str, ...]) -> Filter:
    if not isinstance(document, dict):
        raise FilterError(place, f"{_named(document)} is not an object")
    if len(place) > 2 * MOST_DEPTH:
        raise FilterError(place, f"nested deeper than {MOST_DEPTH}")
    for kind in ("all", "any", "not"):
        if kind in document:
            return _parse_group(kind, document, place)
    return _parse_condition(document, place)


def _parse_group(kind: Literal["all", "any", "not"], document: dict[str, Any], place: tuple[str, ...]) -> Group:
    if len(document) > 1:
        raise FilterError(place, f"{kind!r} stands alone in its object")
    inner = document[kind]
    if kind == "not":
        return Group(kind, (_parse(inner, (*place, kind)),))
    if not isinstance(inner, list):
        raise FilterError((*place, kind), "must be a list of filters")
    parts: list[Filter] = []
    asked = 0
    for index, part in enumerate(inner):  # a megabyte of them is read no further than to the bound
        parts.append(_parse(part, (*place, kind, str(index))))
        asked += count(parts[-1])
        _check_count(asked)
    return Group(kind, tuple(parts))


def _check_count(asked: int) -> None:
    if asked > MOST_PARTS:
        said = f"more than {MOST_PARTS} conditions, and {VALUES} values of a list count as one"
        raise FilterError((), f"{said}; join those of one field with in")


def _parse_condition(document: dict[str, Any], place: tuple[str, ...]) -> Condition:
    for key in document:
        if key not in ("field", "op", "value"):
            raise FilterError((*place, str(key)), "unknown; a filter has all, any, not, or field, op and value")
    field, op = document.get("field"), document.get("op", "eq")
    if not isinstance(field, str) or field not in FIELDS:
        raise FilterError((*place, "field"), f"{_named(field)} is no field of items; known here: {', '.join(FIELDS)}")
    kind = FIELDS[field]
    if not isinstance(op, str) or op not in OPS[kind]:
        raise FilterError((*place, "op"), f"{_named(op)} does not work on {field}; it knows {', '.join(OPS[kind])}")
    if op == "exists":
        document = {"value": True, **document}
    if "value" not in document:
        raise FilterError((*place, "value"), "is missing")
    value = document["value"]
    if not _fits(kind, op, value):
        raise FilterError((*place, "value"), f"{_named(value)} is not {_wanted(kind, op)}")
    return Condition(ALIASES.get(field, field), op, value)


def _fits(kind: Kind, op: str, value: Any) -> bool:
    if op == "exists" or kind == "flag":
        return isinstance(value, bool)
    if op in ("in", "between"):
        return isinstance(value, list) and (op == "in" or len(value) == 2) and all(_is(kind, part) for part in value)
    return _is(kind, value)


def _is(kind: Kind, value: Any) -> bool:
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15
    return isinstance(value, str)


def _wanted(kind: Kind, op: str) -> str:
    if op == "exists" or kind == "flag":
        return "true or false"
    noun = "number" if kind == "number" else "text"
    return {"in": f"a list of {noun}s", "between": f"a list of two {noun}s, the lower first"}.get(op, f"a {noun}")


def _named(value: Any) -> str:
    """A value in a message, short; a list or an object (it may be deep) by its kind only."""
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    return f"{value!r:.80}"


def _compare(condition: Condition, catalogue: Catalogue) -> Mask:
    kind = FIELDS[condition.field]
    if kind == "number":
        return _compare_price(condition, catalogue)
    if kind == "flag":
        flags: Mask = getattr(catalogue, condition.field)
        if condition.op == "exists":  # all items say
            return np.full(len(flags), condition.value)
        return np.asarray(flags == (condition.value == (condition.op == "eq")))
    if kind == "presence":
        return np.asarray(catalogue.pictured == condition.value)
    if condition.field == "item_id":
        return _compare_ids(condition, catalogue)
    return _compare_text(condition, catalogue)


def _compare_price(condition: Condition, catalogue: Catalogue) -> Mask:
    op, value = condition.op, condition.value
    if op == "in":
        return catalogue.priced([minor(part) for part in value])
    prices = catalogue.price
    known = np.not_equal(prices, NO_PRICE)
    if op == "exists":
        return np.asarray(known == value)
    if op == "ne":
        return np.asarray(prices != minor(value))
    if op == "between":
        return known & (prices >= minor(value[0])) & (prices <= minor(value[1]))
    return np.asarray(known & COMPARE[op](prices, minor(value)))


def _compare_ids(condition: Condition, catalogue: Catalogue) -> Mask:
    if condition.op == "exists":
        return np.full(len(catalogue), condition.value)
    wanted = catalogue.items.rows(condition.value if condition.op == "in" else [condition.value])
    found = np.zeros(len(catalogue), dtype=np.bool_)
    found[wanted[wanted >= 0]] = True
    return ~found if condition.op == "ne" else found


def _compare_text(condition: Condition, catalogue: Catalogue) -> Mask:
    codes = column(catalogue, condition.field)
    op, value = condition.op, condition.value
    if op == "exists":
        return np.asarray((codes.code >= 0) == value)
    if op == "contains":
        return _containing(codes, value)
    wanted = value if op == "in" else [value]
    found = catalogue.within(wanted) if condition.field == "category" else codes.are(wanted)
    return ~found if op == "ne" else found


def _containing(codes: Codes, part: str) -> Mask:
    """Which items' texts hold this part, case ignored; each distinct text is looked at once."""
    lower = part.casefold()
    holding = [code for code, text in enumerate(codes.values.folded) if lower in text]
    return codes.among(np.array(holding, dtype=np.int32))
