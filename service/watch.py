"""A watch: something is looked at again and again in a thread of its own, off the request path.

Threads die at a fork: each process starts its own (gunicorn's post_fork), and it ends with the object that it looks for.
What workers read from the store in this way is `Watched`: one reference, replaced whole, that a request takes once.
"""

from __future__ import annotations

import os
import threading
import time
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any
from weakref import WeakMethod

import structlog

from models.errors import InputError, StoreUnavailable

log = structlog.get_logger(__name__)


class Watch:
    """Calls a method every `every_s` seconds. What went wrong is its own to report; what it raises is logged, and it is called again."""

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


class Watched(ABC):
    """What the store says, kept beside the request path. While the store is away, or says what cannot be read, what is known is kept."""

    def __init__(self, what: str, *, poll_s: float) -> None:
        self._what = what
        self._refreshing = threading.Lock()
        self._read_at = time.monotonic()
        self.away = False  # whether it could not be read when it was looked at last; said once, not at every look
        self._watch = Watch(self.refresh, every_s=poll_s, name=f"valet-{what}")

    def watch(self) -> None:
        """Start watching in this process."""
        self._watch.start()

    def stop(self) -> None:
        """Stop watching; what is known stays."""
        self._watch.stop()

    def refresh(self) -> None:
        """Look now, as the watch does."""
        with self._refreshing:
            try:
                self._look()
                self.away, self._read_at = False, time.monotonic()
            except (StoreUnavailable, InputError) as error:
                if not self.away:
                    log.warning(f"{self._what} cannot be read", error=str(error))
                self.away = True
            except Exception as error:  # noqa: BLE001  (whatever it is, what is known goes on, and it is looked at again)
                if not self.away:
                    log.error(f"{self._what} cannot be read", **unexpected(error))
                self.away = True

    @property
    def silent_s(self) -> float:
        """Seconds since it was read last."""
        return time.monotonic() - self._read_at

    @abstractmethod
    def _look(self) -> None:
        """Take what is new. Raises StoreUnavailable, or InputError for what cannot be read."""


def _watch(look: WeakMethod[Callable[[], Any]], stop: threading.Event, every_s: float) -> None:
    while not stop.wait(every_s):
        method = look()
        if method is None:
            return
        try:
            method()
        except Exception as error:  # noqa: BLE001  (a thread that ends is missed by nobody until it is needed)
            log.error("watch failed", watch=threading.current_thread().name, **unexpected(error))
        del method  # while it waits, nobody is kept alive


def unexpected(error: Exception) -> dict[str, Any]:
    """What a log says of an error that nobody reckoned with: its type and where; not what it said, which may quote what was read."""
    return {"error": type(error).__name__, "trace": traceback.format_tb(error.__traceback__)}
