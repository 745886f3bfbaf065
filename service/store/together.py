"""Together: what threads ask for at the same time, made as one by one of them.

While one thread makes, others queue; who comes next makes what all of them brought. So a busy process does once what it would do for each
(takes a lock, reads, commits, multiplies), a thread wakes once, and nobody waits for more than what is under way and her own. With
nobody beside it a call waits for nothing.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

from models.errors import StoreUnavailable

MOST = 64  # made as one
BUSY = 4  # callers at the same time
GATHER_S = 0.0015  # what a busy thread takes to answer one request and read the next

Asked = TypeVar("Asked")
Made = TypeVar("Made")
MakeAll = Callable[[Sequence[Asked]], Iterable[Made]]  # something for each, in their order


class Call(Generic[Asked, Made]):
    """What one thread asks for. Once it is done: what was made of it, or the error; neither where it is to be made alone.

    Looked at by who has the turn, or had it since: a future, which has a lock of its own, takes a twentieth of a small request.
    """

    __slots__ = ("asked", "done", "error", "made")

    def __init__(self, asked: Asked) -> None:
        self.asked, self.done = asked, False
        self.made: list[Made] = []
        self.error: StoreUnavailable | None = None


class Together(Generic[Asked, Made]):
    """The queue of one process.

    gather_s  how long each of those is waited for who were there the last two times: under load they come again, and twice as many are made
              as one; where they were fewer than BUSY, nobody is waited for
    """

    def __init__(self, *, gather_s: float = 0.0) -> None:
        self._gather_s = gather_s
        self._start()

    def make(self, asked: Asked, make_all: MakeAll[Asked, Made]) -> Made:
        """What `make_all`, of this or of another caller, makes of it; raises what it raises. It may be asked again, and in another thread."""
        if self._pid != os.getpid():
            self._start()
        call: Call[Asked, Made] = Call(asked)
        self._waiting.append(call)
        if len(self._waiting) >= min(self._there):
            self._complete.set()
        with self._turn:
            while not call.done:
                self._gather()
                self._make(make_all)
            if call.error is None:
                return call.made[0] if call.made else next(iter(make_all([asked])))
        raise call.error

    def _start(self) -> None:
        """Begin with nobody waiting: at the start, and in the child of a fork."""
        self._pid = os.getpid()
        self._waiting: deque[Call[Asked, Made]] = deque()
        self._turn = threading.Lock()
        self._there = (
            0,
            0,
        )  # how many there were the last two times: those that were made, and those that came meanwhile
        self._complete = threading.Event()

    def _gather(self) -> None:
        usual = min(self._there)
        missing = usual - len(self._waiting)
        if self._gather_s and usual >= BUSY and missing > 0:
            self._complete.clear()
            if len(self._waiting) < usual:
                self._complete.wait(missing * self._gather_s)

    def _make(self, make_all: MakeAll[Asked, Made]) -> None:
        """All that wait, or none: what one of them broke is made for each alone, where it shows whose it was."""
        calls = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST))]
        try:
            made = list(make_all([call.asked for call in calls]))
            self._there = self._there[1], len(calls) + len(self._waiting)
            for call, one in zip(calls, made, strict=True):
                call.made.append(one)
        except StoreUnavailable as error:  # for each alone it would be away, too
            for call in calls:
                call.error = error
        except Exception:
            if len(calls) == 1:
                raise
        finally:  # whatever else broke, nobody waits for ever
            for call in calls:
                call.done = True
