"""Writes that come at the same time, made as one: while one thread writes, others queue; who comes next writes what all of them brought.

So a busy process takes the write lock and commits once for many calls, and no call waits for more than the write under way and its own.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from models.errors import InputError, StoreUnavailable
from service.store.sqlite.file import SqliteFile

T = TypeVar("T")


@dataclass(frozen=True)
class _Call(Generic[T]):
    """What somebody wants written, and what came of it."""

    write: Callable[[sqlite3.Connection], T]
    done: Future[T] = field(default_factory=Future)


class Groups(Generic[T]):
    """The queue of one file's writes in one process."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file
        self._start()

    def write(self, write: Callable[[sqlite3.Connection], T]) -> T:
        """What `write` returns, once it is committed. It may be called again, and in another thread; raises what SqliteFile.writing raises."""
        if self._pid != os.getpid():
            self._start()
        call = _Call(write)
        self._waiting.append(call)
        with self._turn:
            if not call.done.done():
                self._write([self._waiting.popleft() for _ in range(len(self._waiting))])
        return call.done.result()

    def _start(self) -> None:
        """Begin with nobody waiting: at the start, and in the child of a fork."""
        self._pid = os.getpid()
        self._waiting: deque[_Call[T]] = deque()
        self._turn = threading.Lock()

    def _write(self, calls: Sequence[_Call[T]]) -> None:
        """All of them, or none; where one brought what cannot be kept, each alone."""
        try:
            with self._file.writing() as db:
                found = [call.write(db) for call in calls]
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
