"""Calls of Store.record that come at the same time, written as one: a busy process takes the write lock and commits once for many of them
(of Redis: asks twice)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain, groupby, islice

from service.store import Entry, Fold, Sift, Status

Record = Callable[[Sequence[Entry], Fold, Sift | None], Sequence[Status]]


@dataclass(frozen=True)
class Call:
    """What Store.record was called with."""

    entries: Sequence[Entry]
    fold: Fold
    sift: Sift | None


def recorded(calls: Sequence[Call], record: Record) -> list[list[Status]]:
    """What came of each call; those that fold in the same way are recorded as one."""
    told: list[list[Status]] = []
    for (fold, sift), alike in groupby(calls, key=lambda call: (call.fold, call.sift)):
        parts = [call.entries for call in alike]
        statuses = iter(record(list(chain.from_iterable(parts)), fold, sift))
        told += [list(islice(statuses, len(part))) for part in parts]
    return told
