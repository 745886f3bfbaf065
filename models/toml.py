"""TOML into frozen dataclasses, typed and strict: an unknown key or a wrong value is an error that names file, line, key and cure.

Pure: a text comes in, a dataclass or an InputError goes out. `settings` and `actions` say what may stand in their files as dataclasses.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import operator
import re
import tomllib
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from types import UnionType
from typing import Any, Literal, TypeAlias, TypeVar

from models.errors import InputError

T = TypeVar("T")
DEEP = "lists or tables stand in one another too deep to be read; take some out."
_hints: Callable[[Any], dict[str, Any]] = functools.cache(
    typing.get_type_hints
)  # of ten classes, for 200 tables of actions
Readers: TypeAlias = "Mapping[Any, Callable[[Any, Place], Any]]"


def build(
    cls: type[T], text: str, source: str, *, readers: Readers | None = None, most: Mapping[str, int] | None = None
) -> T:
    """The dataclass `cls` from a TOML text; `source` names the text in errors. Raises InputError.

    A key is the field's name without a trailing underscore (`class` fills `class_`). A date or time without an offset is UTC.
    readers  for fields of these types, what makes them of the plain value
    most     how long the lists under these keys may be
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{source}: {error}. Mend the TOML there.") from error
    except RecursionError as error:
        raise InputError(f"{source}: {DEEP}") from error
    return _built(cls, document, Place(source, text, readers=readers or {}), most)


def construct(cls: type[T], document: Mapping[str, Any], source: str, *, most: Mapping[str, int] | None = None) -> T:
    """As `build`, of plain values that came another way, as JSON perhaps: times are texts there. Raises InputError that names the key."""
    return _built(cls, document, Place(source, "", readers={datetime: _written_moment}), most)


def _built(cls: type[T], document: Mapping[str, Any], place: Place, most: Mapping[str, int] | None) -> T:
    _check_lengths(document, most or {}, place)
    try:
        built: T = _build(cls, document, place)
    except RecursionError as error:  # of a wrong value, as messages show it
        raise InputError(f"{place.source}: {DEEP}") from error
    return built


def _check_lengths(document: Mapping[str, Any], most: Mapping[str, int], place: Place) -> None:
    for key, length in most.items():
        held = document.get(key)
        if isinstance(held, list) and len(held) > length:
            raise (place / key).error(f"{len(held):,} are too many; at most {length:,}")


def _written_moment(value: Any, place: Place) -> datetime:
    """A time in RFC 3339, as a text."""
    try:
        return _moment(datetime.fromisoformat(value) if isinstance(value, str) else value, place)
    except ValueError:
        raise place.error(f"{value!r} is not a time; write 2026-11-20T18:00:00+07:00") from None


@dataclass(frozen=True)
class Place:
    """Where in a text we are, for errors that can be found."""

    source: str
    text: str
    path: tuple[str, ...] = ()
    readers: Readers = field(default_factory=dict)

    def __truediv__(self, key: str) -> Place:
        return Place(self.source, self.text, (*self.path, key), self.readers)

    def error(self, message: str) -> InputError:
        """An InputError that names file, line and key."""
        return InputError(f"{self.source}{self._line() if self.text else ''}: {'.'.join(self.path)}: {message}")

    def _line(self) -> str:
        """The line of the last key: table by table, an element of a list of tables by its number; as far as it is found."""
        at, table, named = 0, "", [part for part in self.path if not part.isdigit()]
        for part, following in zip(self.path, (*self.path[1:], ""), strict=True):
            if part.isdigit():
                continue
            table = f"{table}.{part}" if table else part
            found = self._element(table, int(following), at) if following.isdigit() else None
            found = found if found is not None else self._key(part, at)
            if found is None:
                break
            at = found
        return f", line {self.text.count(chr(10), 0, at) + 1}" if named else ""

    def _element(self, table: str, number: int, start: int) -> int | None:
        headers = re.finditer(rf"^[ \t]*\[\[\s*{re.escape(table)}\s*\]\]", self.text[start:], re.M)
        return next((start + header.start() for index, header in enumerate(headers) if index == number), None)

    def _key(self, part: str, start: int) -> int | None:
        key = re.escape(part)
        found = re.compile(rf"^[ \t]*\[+[^\]\n]*\b{key}\b|^[ \t]*\"?{key}\"?\s*=|[{{,]\s*\"?{key}\"?\s*=", re.M).search(
            self.text, start
        )
        return None if found is None else found.start()


def _build(hint: Any, value: Any, place: Place) -> Any:
    """`value` as the type `hint` says, through dataclasses, tuples and mappings."""
    if hint in place.readers:
        return place.readers[hint](value, place)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if dataclasses.is_dataclass(hint):
        return _build_dataclass(typing.cast(type[Any], hint), value, place)
    if origin in (UnionType, typing.Union):
        present = [part for part in arguments if part is not type(None)]
        return _build(functools.reduce(operator.or_, present), value, place)
    if origin is tuple:
        if not isinstance(value, list):
            raise place.error(f"{value!r} is not a list; write [ … ]")
        return tuple(_build(arguments[0], part, place / str(index)) for index, part in enumerate(value))
    if origin is Mapping:
        if not isinstance(value, dict):
            raise place.error(f"{value!r} is not a table; write key = value pairs")
        return {key: _build(arguments[1], part, place / key) for key, part in value.items()}
    return _scalar(hint, value, place)


def _build_dataclass(cls: type[Any], value: Any, place: Place) -> Any:
    if not isinstance(value, dict):
        raise place.error(f"{value!r} is not a table; write key = value pairs")
    hints = _hints(cls)
    fields = {item.name.rstrip("_"): item for item in dataclasses.fields(cls)}
    for key in value:
        if key not in fields:
            raise (place / key).error(f"unknown; known here: {', '.join(sorted(fields))}")
    missing = [key for key, item in fields.items() if _required(item) and key not in value]
    if missing:
        raise place.error(f"{missing[0]} is missing")
    return cls(**{fields[key].name: _build(hints[fields[key].name], part, place / key) for key, part in value.items()})


def _required(item: dataclasses.Field[Any]) -> bool:
    return item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING


def _moment(value: Any, place: Place) -> datetime:
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if not isinstance(value, datetime):
        raise place.error(f"{value!r} is not a time; write 2026-11-20 or 2026-11-20T18:00:00+07:00, without quotes")
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def _scalar(hint: Any, value: Any, place: Place) -> Any:
    if typing.get_origin(hint) is Literal:
        if value not in typing.get_args(hint):
            raise place.error(f"{value!r} is none of {', '.join(map(str, typing.get_args(hint)))}")
        return value
    if hint is datetime:
        return _moment(value, place)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or (hint is int and isinstance(value, bool)):
        raise place.error(f"{value!r} is not {'a number' if hint in (int, float) else f'a {hint.__name__}'}")
    if isinstance(value, float) and not math.isfinite(value):
        raise place.error(f"{value!r} is not a finite number")
    return value
