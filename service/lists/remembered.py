"""Lists in which no customer has a part, remembered: what goes with an item is the same for everybody, as long as the same models answer.

A query that comes again is not even read again. Nothing that names anybody is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

from models.bundle import Models
from service.lists.request import Request
from service.lists.selection import Wishes

MOST = 4_000  # lists of ten that are kept, about 5 kB each, and queries; when there are more, it begins anew
MOST_EXCLUDED = 20  # ids; a longer request is not likely to come again
LONGEST = 400  # bytes of a query, alike

Made = TypeVar("Made")


class Remembered(Generic[Made]):
    """One reference to (models, lists), replaced whole when other models answer: readers need no lock."""

    def __init__(self) -> None:
        self._kept: tuple[Models | None, dict[object, Made]] = (None, {})
        self._read: dict[bytes, Request] = {}
        self._turn = Lock()
        self.made: Callable[[], object] = lambda: None  # called when a list is made

    def answer(self, request: Request, make: Callable[[], Made], *, models: Models, wishes: Wishes) -> Made:
        """What `make` answers, or answered before to the same request, of these models, with the same rules fired."""
        if not everybodys(request):
            return self._made(make)
        kept_of, kept = self._kept
        if kept_of is not models:
            kept = {}
            self._kept = (models, kept)
        key = (request, *wishes.rules.items())
        found = kept.get(key)
        if found is None:
            found = self._made(make)
            _keep(kept, key, found)
        return found

    def _made(self, make: Callable[[], Made]) -> Made:
        """One list at a time: each operation on an array would let another thread begin its own, and that costs more than the list."""
        self.made()
        with self._turn:
            return make()

    def read(self, query: bytes, load: Callable[[], Request]) -> Request:
        """The request that this query string says; `load` reads one that is new."""
        found = self._read.get(query)
        if found is None:
            found = load()
            if len(query) <= LONGEST and everybodys(found):
                _keep(self._read, query, found)
        return found


Key = TypeVar("Key")
Value = TypeVar("Value")


def _keep(kept: dict[Key, Value], key: Key, value: Value) -> None:
    if len(kept) >= MOST:
        kept.clear()
    kept[key] = value


def everybodys(request: Request) -> bool:
    """Whether it names nobody, explores nothing and can be told from others by its plain parts: then time and customers change nothing."""
    return (
        request.customer_id is None
        and request.session_id is None
        and request.send_id is None
        and request.filter is None
        and not (request.exploration or request.debug or request.boost or request.promotions)
        and len(request.exclude) <= MOST_EXCLUDED
    )
