"""Together: what threads ask for at the same time, made as one by one of them.

While one thread makes, others queue; who comes next makes what all of them brought. So a busy process does once what it would do for each
(takes a lock, reads, commits, multiplies), a thread wakes once, and nobody waits for more than what is under way and her own. With
nobody beside it a call waits for nothing. Requests that one thread answers side by side queue, too (`turns`), before the first of them makes.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

from models.errors import StoreUnavailable
from service.store.turns import stand_aside

MOST = 64  # made as one

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
    """The queue of one process."""

    def __init__(self) -> None:
        self._start()

    def make(self, asked: Asked, make_all: MakeAll[Asked, Made]) -> Made:
        """What `make_all`, of this or of another caller, makes of it; raises what it raises. It may be asked again, and in another thread."""
        if self._pid != os.getpid():
            self._start()
        call: Call[Asked, Made] = Call(asked)
        self._waiting.append(call)
        stand_aside()
        with self._turn:
            while not call.done:
                self._make(make_all)
            if call.error is None:
                return call.made[0] if call.made else next(iter(make_all([asked])))
        raise call.error

    def _start(self) -> None:
        """Begin with nobody waiting: at the start, and in the child of a fork."""
        self._pid = os.getpid()
        self._waiting: deque[Call[Asked, Made]] = deque()
        self._turn = threading.Lock()

    def _make(self, make_all: MakeAll[Asked, Made]) -> None:
        """All that wait, or none: what one of them broke is made for each alone, where it shows whose it was."""
        calls = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST))]
        try:
            made = list(make_all([call.asked for call in calls]))
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
