"""Retention: events leave the log when they have been kept for `events_keep_days`; profiles keep what they told.

    the service looks once a day, whichever worker comes first; training looks at the whole log with each run

On Redis the log is capped too: of the events that training has drained to Parquet, the newest `events_keep_most` stay in the server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

import structlog

from models.errors import InputError, StoreUnavailable
from models.settings import DAY_S, Settings
from service.store import KEY_TTL_S, Entry, Store
from service.watch import Watch

PAGE = 500
LOOK_S = 600.0
SWEPT = "swept"  # the kind of document that says: somebody looked on this day

log = structlog.get_logger(__name__)


def key_ttl_s(settings: Settings) -> int:
    """How long a repeat is known: as long as the oldest event that is accepted, and some."""
    days = settings.event_max_age_days or settings.events_keep_days
    return max(KEY_TTL_S, (days + 10) * DAY_S)


def expire(store: Store, *, before: int, whole: bool = False) -> int:
    """Drop events that were received before a time; how many. It ends at the first page that holds none, unless the `whole` log is asked."""
    count = 0
    for page in pages(store.events()):
        old = [entry for entry in page if entry.received < before]
        if not old and not whole:
            break
        count += store.drop(old) if old else 0
    return count


def cap(store: Store, *, upto: int, most: int) -> int:
    """Drop events up to a sequence but for the newest `most` of the log; how many. Only of what is kept elsewhere by then."""
    last = min(upto, store.newest() - most)
    if last <= 0:
        return 0
    drained = (entry for entry in store.events() if entry.sequence <= last)
    return sum(store.drop(page) for page in pages(drained))


def pages(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Entries by the page."""
    rows = iter(entries)
    while page := list(islice(rows, PAGE)):
        yield page


class Retention:
    """Looks once a day, off the request path, in the first worker that comes to it."""

    def __init__(
        self, store: Store | None, *, keep_days: int, clock: Callable[[], int], look_s: float = LOOK_S
    ) -> None:
        self._store = store
        self._keep_days = keep_days
        self._clock = clock
        self._watch = Watch(self.look, every_s=look_s, name="valet-retention")

    def watch(self) -> None:
        """Start looking in this process."""
        if self._store is not None:
            self._watch.start()

    def stop(self) -> None:
        """Look no more."""
        self._watch.stop()

    def look(self) -> int:
        """Drop what has been kept long enough, where no worker did so today; how many."""
        if self._store is None:
            return 0
        now = self._clock()
        try:
            if not self._store.put(SWEPT, str(now // DAY_S), b"", expires_s=2 * DAY_S):
                return 0
            gone = expire(self._store, before=now - self._keep_days * DAY_S)
        except (StoreUnavailable, InputError) as error:
            log.warning("old events could not be dropped", error=str(error))
            return 0
        if gone:
            log.info("old events were dropped", events=gone)
        return gone
