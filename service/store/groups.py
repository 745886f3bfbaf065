"""Calls of Store.record that come at the same time, made as one: while one thread writes, others queue; who comes next writes what all brought.

So a busy process takes the write lock and commits once for many calls (of Redis: asks twice), and no call waits for more than the write
under way and its own.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import chain, groupby, islice

from models.errors import InputError, StoreUnavailable
from service.store import Entry, Fold, Sift, Status

Record = Callable[[Sequence[Entry], Fold, Sift | None], Sequence[Status]]


@dataclass(frozen=True)
class Call:
    """What Store.record was called with, and what came of it."""

    entries: Sequence[Entry]
    fold: Fold
    sift: Sift | None
    done: Future[list[Status]] = field(default_factory=Future)


def together(calls: Sequence[Call], record: Record) -> list[list[Status]]:
    """What came of each call; those that fold in the same way are recorded as one."""
    told: list[list[Status]] = []
    for (fold, sift), alike in groupby(calls, key=lambda call: (call.fold, call.sift)):
        parts = [call.entries for call in alike]
        statuses = iter(record(list(chain.from_iterable(parts)), fold, sift))
        told += [list(islice(statuses, len(part))) for part in parts]
    return told


class Groups:
    """The queue of one store's calls in one process; `write` makes some of them as one, and says of each what came of it."""

    def __init__(self, write: Callable[[Sequence[Call]], list[list[Status]]]) -> None:
        self._write_all = write
        self._start()

    def record(self, entries: Sequence[Entry], fold: Fold, sift: Sift | None) -> list[Status]:
        """The statuses, once it is written; raises what writing raises. It may be written again, and by another thread."""
        if self._pid != os.getpid():
            self._start()
        call = Call(entries, fold, sift)
        self._waiting.append(call)
        with self._turn:
            if not call.done.done():
                self._write([self._waiting.popleft() for _ in range(len(self._waiting))])
        return call.done.result()

    def _start(self) -> None:
        """Begin with nobody waiting: at the start, and in the child of a fork."""
        self._pid = os.getpid()
        self._waiting: deque[Call] = deque()
        self._turn = threading.Lock()

    def _write(self, calls: Sequence[Call]) -> None:
        """All of them, or none; where one brought what cannot be kept, each alone."""
        try:
            found = self._write_all(calls)
        except (InputError, StoreUnavailable) as error:
            if isinstance(error, InputError) and len(calls) > 1:
                for call in calls:
                    self._write([call])
            else:
                for call in calls:
                    call.done.set_exception(error)
        else:
            for call, one in zip(calls, found, strict=True):
                call.done.set_result(one)
        finally:
            for call in calls:  # whatever else broke, nobody waits for ever
                call.done.cancel()
