"""A customer's items, as a document holds them: in columns. Models read these as arrays; objects are made where somebody asks for one."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import ItemsView, Iterable, Iterator, Mapping, Sequence, ValuesView
from functools import cached_property, partial
from itertools import accumulate, chain, repeat, takewhile
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.profile.state import Item

NUMBERS = (
    "pqfls"  # columns of a document: purchases, quantity, and places in its list of times: first_at, last_at, seen_at
)
TIMES = 2  # the first of these that is a time
# Its id, how often and when last it was bought, and the days with views, which is false where there are none
Deal = tuple[str, int, int, Sequence[Sequence[int]]]
NO_EVENTS: dict[str, int] = {}  # never changed
NO_ITEMS: tuple[tuple[Any, ...], ...] = ((),) * len(Item._fields)


class Columns(NamedTuple):
    """Items in their order.

    numbers  int64[5, items]  purchases, quantity, first_at, last_at, seen_at: see Item
    events   of each item the counts of events that are no purchases, (name, count)
    """

    item_ids: Sequence[str]
    numbers: NDArray[np.int64]
    events: Sequence[Iterable[tuple[str, int]]]


class Items(Mapping[str, Item]):
    """The items of a document."""

    def __init__(self, part: Mapping[str, Any]) -> None:
        self._part = part

    def seen_since(self, at: int) -> list[Deal]:
        """See the function of this name; no object is made."""
        part, first = self._part, bisect_left(self._part["s"], bisect_left(self._at, at))
        last_at = map(self._at.__getitem__, part["l"][first:])
        viewed = part["v"][first:] if "v" in part else repeat(())
        return [*zip(part["i"][first:], part["p"][first:], last_at, viewed, strict=False)][::-1]

    def newest_views(self) -> Iterator[tuple[int, Sequence[Sequence[int]]]]:
        """See the function of this name; no object is made."""
        part = self._part
        viewed = part.get("v") or [()] * len(part["i"])
        return zip(map(self._at.__getitem__, reversed(part["s"])), reversed(viewed), strict=True)

    @cached_property
    def _at(self) -> list[int]:
        return list(accumulate(self._part["t"]))

    @cached_property
    def _made(self) -> dict[str, Item]:
        part, ids = self._part, self._part["i"]
        at = self._at.__getitem__
        events = [dict(counts) if counts else NO_EVENTS for counts in part.get("e", ())] or repeat(NO_EVENTS, len(ids))
        viewed = [tuple(map(tuple, days)) if days else () for days in part.get("v", ())] or repeat((), len(ids))
        columns = (map(at, part[name]) for name in NUMBERS[TIMES:])
        rows = zip(part["p"], part["q"], *columns, events, viewed, strict=True)
        return dict(zip(ids, map(partial(tuple.__new__, Item), rows), strict=True))

    def __len__(self) -> int:
        return len(self._part["i"])

    def __iter__(self) -> Iterator[str]:
        return iter(self._part["i"])

    def __getitem__(self, item_id: str) -> Item:
        return self._made[item_id]

    def values(self) -> ValuesView[Item]:
        """All items, oldest first."""
        return self._made.values()

    def items(self) -> ItemsView[str, Item]:
        """All ids and items, oldest first."""
        return self._made.items()


def columns(several: Sequence[Mapping[str, Item]]) -> Columns:
    """Any items as columns, those of one customer after the other; of documents no object is made."""
    parts = [items._part for items in several if isinstance(items, Items)]
    if len(parts) == len(several):
        return _read(parts)
    if len(several) == 1:
        return _listed(several[0])
    item_ids, numbers, events = zip(*(columns([items]) for items in several), strict=True)
    return Columns(
        list(chain.from_iterable(item_ids)), np.concatenate(numbers, axis=1), list(chain.from_iterable(events))
    )


def _read(parts: Sequence[Mapping[str, Any]]) -> Columns:
    lists = chain.from_iterable([part[name] for name in NUMBERS for part in parts])
    numbers = np.fromiter(lists, dtype=np.int64).reshape(len(NUMBERS), -1)  # twice as quick as from a list of lists
    at = np.fromiter(chain.from_iterable([accumulate(part["t"]) for part in parts]), dtype=np.int64)
    begins = accumulate([len(part["t"]) for part in parts[:-1]], initial=0)
    numbers[TIMES:] += np.repeat([*begins], [len(part["i"]) for part in parts])
    numbers[TIMES:] = at.take(numbers[TIMES:])
    events = chain.from_iterable([part.get("e") or repeat((), len(part["i"])) for part in parts])
    return Columns(
        list(chain.from_iterable([part["i"] for part in parts])), numbers, [counts or () for counts in events]
    )


def _listed(items: Mapping[str, Item]) -> Columns:
    *numbers, events, _ = zip(*items.values(), strict=True) if items else NO_ITEMS
    return Columns(list(items), np.array(numbers, dtype=np.int64), [counts.items() for counts in events])


def newest_views(items: Mapping[str, Item]) -> Iterator[tuple[int, Sequence[Sequence[int]]]]:
    """When each was last seen and its days with views, false where there are none; newest first."""
    if isinstance(items, Items):
        return items.newest_views()
    return ((item.seen_at, item.viewed) for item in [*items.values()][::-1])


def seen_since(items: Mapping[str, Item], at: int) -> list[Deal]:
    """Those of which anything happened since, newest first."""
    if isinstance(items, Items):
        return items.seen_since(at)
    those = takewhile(lambda entry: entry[1].seen_at >= at, [*items.items()][::-1])
    return [(item_id, item.purchases, item.last_at, item.viewed) for item_id, item in those]
