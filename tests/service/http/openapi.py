"""Our OpenAPI document as a source of requests and as a judge of answers: what its schemas use, and no more."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hypothesis import strategies as st

Document = Mapping[str, Any]

KNOWN = (
    "DR-001",
    "SH-014",
    "NE-001",
    "ann",
    "session:s",
    "website",
    "agent",
    "email",
    "granted",
    "view_item",
    "purchase",
    "d-1",
    "20260101T000000-tiny",
)
TEXTS = (
    st.sampled_from(KNOWN)
    | st.text(max_size=12)
    | st.sampled_from(("", "\0", "ก" * 400, "../x", "%2F", "2026-01-01T00:00:00Z", "THB"))
)
NUMBERS = st.integers(-3, 120) | st.integers() | st.floats() | st.sampled_from((1e308, -0.0, 10**40))
JUNK = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


def resolved(schema: Document, document: Document) -> Document:
    """The schema itself, where it is a reference."""
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def types(schema: Document) -> tuple[str, ...]:
    """The types that a schema allows; () for any."""
    found = schema.get("type", ())
    return (found,) if isinstance(found, str) else tuple(found)


# --- requests ---------------------------------------------------------------------------------------------------------------------------


def values(schema: Document, document: Document, *, depth: int = 0) -> st.SearchStrategy[Any]:
    """What fits the schema, or nearly: one in some parts is something else."""
    schema = resolved(schema, document)
    if "anyOf" in schema:
        return st.one_of(*(values(part, document, depth=depth) for part in schema["anyOf"]))
    if "enum" in schema:
        return st.sampled_from(list(schema["enum"])) | _rarely()
    kinds = [_of_type(kind, schema, document, depth) for kind in types(schema)]
    return st.one_of(*kinds, _rarely()) if kinds else JUNK


def _rarely() -> st.SearchStrategy[Any]:
    return st.integers(0, 3).flatmap(lambda chance: JUNK if chance == 0 else TEXTS)


def _of_type(kind: str, schema: Document, document: Document, depth: int) -> st.SearchStrategy[Any]:
    if kind == "object":
        return objects(schema, document, depth=depth)
    if kind == "array":
        inner = values(schema.get("items", {}), document, depth=depth + 1) if depth < 4 else JUNK
        return st.lists(inner, max_size=3)
    if kind in ("integer", "number"):
        least, most = schema.get("minimum", -2), schema.get("maximum", 200)
        return st.integers(int(least), int(min(most, 1_000))) | NUMBERS
    return {"boolean": st.booleans(), "null": st.none()}.get(kind, TEXTS)


def objects(schema: Document, document: Document, *, depth: int = 0) -> st.SearchStrategy[dict[str, Any]]:
    """An object of some of the schema's fields; now and then without one that is required, or with one that is unknown."""
    fields = {name: values(part, document, depth=depth + 1) for name, part in schema.get("properties", {}).items()}
    required = {name: fields[name] for name in schema.get("required", ()) if name in fields}
    free = {name: value for name, value in fields.items() if name not in required}
    whole = st.fixed_dictionaries(required, optional=free)
    return st.one_of(whole, whole, st.fixed_dictionaries({}, optional=fields | {"unknown": JUNK}))


# --- answers ----------------------------------------------------------------------------------------------------------------------------


def offences(value: Any, schema: Document, document: Document, place: str = "$") -> list[str]:
    """Where a value breaks a schema."""
    schema = resolved(schema, document)
    if "anyOf" in schema:
        tried = [offences(value, part, document, place) for part in schema["anyOf"]]
        return min(tried, key=len)
    wrong = []
    if types(schema) and not any(_is_a(value, kind) for kind in types(schema)):
        return [f"{place}: {value!r:.60} is no {schema['type']}"]
    if "enum" in schema and value not in schema["enum"]:
        wrong.append(f"{place}: {value!r:.60} is not one of {schema['enum']}")
    if isinstance(value, int | float) and not isinstance(value, bool):
        wrong += [f"{place}: {value} is out of bounds" for _ in (1,) if not _within(value, schema)]
    if isinstance(value, str) and schema.get("format") == "date-time":
        wrong += [] if _is_time(value) else [f"{place}: {value!r:.60} is no time"]
    if isinstance(value, list) and "items" in schema:
        for index, part in enumerate(value):
            wrong += offences(part, schema["items"], document, f"{place}[{index}]")
    return wrong + (_offences_of(value, schema, document, place) if isinstance(value, dict) else [])


def _offences_of(value: Document, schema: Document, document: Document, place: str) -> list[str]:
    wrong = [f"{place}.{name} is missing" for name in schema.get("required", ()) if name not in value]
    fields, others = schema.get("properties", {}), schema.get("additionalProperties", True)
    for name, part in value.items():
        if name in fields:
            wrong += offences(part, fields[name], document, f"{place}.{name}")
        elif isinstance(others, dict):
            wrong += offences(part, others, document, f"{place}.{name}")
        elif fields and not others:
            wrong.append(f"{place}.{name} is not in the schema")
    return wrong


def _is_a(value: Any, kind: str) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return {
        "object": isinstance(value, dict),
        "array": isinstance(value, list),
        "string": isinstance(value, str),
        "boolean": isinstance(value, bool),
        "null": value is None,
        "number": number,
        "integer": number and float(value).is_integer(),
    }[kind]


def _within(value: float, schema: Document) -> bool:
    return schema.get("minimum", value) <= value <= schema.get("maximum", value)


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
