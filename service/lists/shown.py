"""What lists showed of late: how often each item, counted by all workers of a machine in memory that was mapped before they were forked.

Two tables take turns, a window each, so that what is read is of the last one to two windows. Rows are the live bundle's: when another
answers, the first worker that has it begins anew, and those that have it not yet do not count. Two workers that count one item at once may
lose one of the count.
"""

from __future__ import annotations

import mmap
from zlib import crc32

import numpy as np

from models.bundle import Bundle, Models
from models.drift import Bought, Drift, drift
from service.lists.recommend import Answer

MOST = 1 << 20  # items that are counted; 4 bytes each and window, and only touched pages count
WINDOW_S = 12 * 3_600
NEW, OVER = 0, -1  # in the place of a window's number: nothing was counted yet; what was counted is of no more use
WHOSE, WINDOWS = 0, 1  # places of the head: the mark of the bundle whose rows are counted; the window of each table


class Shown:
    """Made before the fork, it is one for all workers; made by each worker, each has its own."""

    def __init__(self) -> None:
        self._tables = [memoryview(mmap.mmap(-1, MOST * 4)).cast("i") for _ in range(2)]
        self._head = memoryview(mmap.mmap(-1, mmap.PAGESIZE)).cast("q")
        self._version, self._mark = "", 0  # of the bundle that this worker answered from last
        self._kept: tuple[Models, Bought] | None = None

    def show(self, answer: Answer, version: str, *, now: int) -> None:
        """Count the items of an answer from the bundle of this version; `now` in seconds since 1970 UTC."""
        if version != self._version:
            self._begin(version)
        if self._head[WHOSE] != self._mark:
            return  # another worker has the next bundle already
        number = now // WINDOW_S
        if self._head[WINDOWS + number % 2] != number:
            self._open(number)
        table = self._tables[number % 2]
        for row in answer.rows:
            if row < MOST:
                table[row] += 1

    def drift(self, bundle: Bundle, *, now: int) -> Drift:
        """What was shown in the last one to two windows, beside what was bought."""
        if self._kept is None or self._kept[0] is not bundle.models:
            self._kept = (bundle.models, Bought.of(bundle.models))
        shown = np.zeros(len(bundle.models.catalogue), dtype=np.int64)
        if self._head[WHOSE] == _mark(bundle.version):
            for number, table in enumerate(self._tables):
                if 0 <= now // WINDOW_S - self._head[WINDOWS + number] <= 1:
                    shown[:MOST] += np.asarray(table)[: len(shown)]
        return drift(shown, self._kept[1])

    def _begin(self, version: str) -> None:
        """Count rows of this version from now on, if no other worker does so already."""
        self._version, self._mark = version, _mark(version)
        whose = self._head[WHOSE]
        if whose != self._mark:
            self._head[WHOSE] = self._mark
            if whose:
                self._head[WINDOWS] = self._head[WINDOWS + 1] = OVER

    def _open(self, number: int) -> None:
        """Begin a window with an empty table."""
        if self._head[WINDOWS + number % 2] != NEW:
            np.asarray(self._tables[number % 2]).fill(0)
        self._head[WINDOWS + number % 2] = number


def _mark(version: str) -> int:
    return crc32(version.encode()) + 1
