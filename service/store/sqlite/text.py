"""Lists of values in the text of a statement."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

T = TypeVar("T")
PAGE = 500  # values a statement, rows a page


def marks(values: Sequence[object]) -> str:
    """A question mark for each."""
    return ",".join("?" * len(values))


def by_pages(values: Iterable[T]) -> Iterator[list[T]]:
    """The values in parts of a length that a statement takes."""
    left = iter(values)
    while part := list(islice(left, PAGE)):
        yield part
