"""Rate limits that the workers of a machine share: one table in memory that was mapped before they were forked.

Each name (a key, an address) has two slots, chosen by two keyed hashes. A slot holds the time at which its bucket will be empty again: the
generic cell rate algorithm (ITU-T I.371), one number a bucket. A name is over its limit where both its slots say so, so that two names
share a fate only where both slots coincide (one in 4 · 10⁹ pairs). Two workers that write one slot at once may lose a request of the count.
Times are of the monotonic clock, which all processes of a machine share and nobody sets back.
"""

from __future__ import annotations

import mmap
import secrets
import struct
from functools import lru_cache
from hashlib import blake2b

SLOTS = 1 << 16
NUMBER_BYTES = 8


class Limits:
    """Buckets by name. Made before the fork, it is one for all workers; made by each worker, each has its own."""

    def __init__(self) -> None:
        # Shared with the children of a fork; only touched pages count
        self._memory = mmap.mmap(-1, SLOTS * NUMBER_BYTES)
        self._until = memoryview(self._memory).cast("d")
        self._secret = secrets.token_bytes(16)  # nobody can choose an address that shares another's slots
        self._slots = lru_cache(maxsize=4_096)(self._hashed)

    def wait(self, name: str, *, rate: float, burst: float, now: float) -> float:
        """Count one request of this name; 0 where it may pass, else the seconds after which the next one may.

        rate   requests a second that a name may make in the long run; 0: any number
        burst  requests that it may make at once
        now    seconds of the monotonic clock
        """
        if rate <= 0:
            return 0.0
        first, second = self._slots(name)
        until = min(self._until[first], self._until[second])
        until = max(until, now)
        late = until - now - (burst - 1) / rate
        if late > 0:
            return late
        for slot in (first, second):
            self._until[slot] = max(self._until[slot], until + 1 / rate)
        return 0.0

    def _hashed(self, name: str) -> tuple[int, int]:
        hashed = blake2b(name.encode("utf-8", "surrogatepass"), key=self._secret, digest_size=8).digest()
        first, second = struct.unpack("II", hashed)
        return first % SLOTS, second % SLOTS
