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

A = TypeVar("A")
T = TypeVar("T")


@dataclass(frozen=True)
class _Call(Generic[A, T]):
    """What somebody wants written, and what came of it."""

    what: A
    done: Future[T] = field(default_factory=Future)


class Groups(Generic[A, T]):
    """The queue of one file's writes of one kind in one process; `write` writes some of them, and says of each what came of it."""

    def __init__(self, file: SqliteFile, write: Callable[[sqlite3.Connection, Sequence[A]], Sequence[T]]) -> None:
        self._file = file
        self._write_all = write
        self._start()

    def write(self, what: A) -> T:
        """What came of it, once it is committed; raises what SqliteFile.writing raises. It may be written again, and by another thread."""
        if self._pid != os.getpid():
            self._start()
        call = _Call[A, T](what)
        self._waiting.append(call)
        with self._turn:
            if not call.done.done():
                self._write([self._waiting.popleft() for _ in range(len(self._waiting))])
        return call.done.result()

    def _start(self) -> None:
        """Begin with nobody waiting: at the start, and in the child of a fork."""
        self._pid = os.getpid()
        self._waiting: deque[_Call[A, T]] = deque()
        self._turn = threading.Lock()

    def _write(self, calls: Sequence[_Call[A, T]]) -> None:
        """All of them, or none; where one brought what cannot be kept, each alone."""
        try:
            with self._file.writing() as db:
                found = self._write_all(db, [call.what for call in calls])
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
