"""A watch: something is looked at again and again in a thread of its own, off the request path.

Threads die at a fork: each process starts its own (gunicorn's post_fork), and it ends with the object that it looks for.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any
from weakref import WeakMethod


class Watch:
    """Calls a method every `every_s` seconds. The method must not raise: what went wrong is its own to report."""

    def __init__(self, look: Callable[[], Any], *, every_s: float, name: str) -> None:
        self._look = WeakMethod(look)
        self._every_s = every_s
        self._name = name
        self._watching: int | None = None  # the process whose thread watches
        self._stop = threading.Event()

    def start(self) -> None:
        """Start in this process; does nothing where a thread of this process watches already."""
        if self._watching == os.getpid():
            return
        self._watching = os.getpid()
        self._stop = threading.Event()
        arguments = (self._look, self._stop, self._every_s)
        threading.Thread(target=_watch, args=arguments, name=self._name, daemon=True).start()

    def stop(self) -> None:
        """Look no more."""
        self._stop.set()


def _watch(look: WeakMethod[Callable[[], Any]], stop: threading.Event, every_s: float) -> None:
    while not stop.wait(every_s):
        method = look()
        if method is None:
            return
        method()
        del method  # while it waits, nobody is kept alive
