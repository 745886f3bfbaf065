"""The memory of a process that serves: one pool for all its threads, what a list took is kept for the next, what was loaded is let alone.

glibc gives each thread a pool of its own, which keeps what its largest list took, and gives large pieces back to the system: touching them
again costs a third of a list of 200,000 items. Other C libraries are left as they are.
"""

from __future__ import annotations

import ctypes
import gc

ARENA_MAX, MMAP_THRESHOLD, TRIM_THRESHOLD = -8, -3, -1  # names in malloc.h
OPTIONS = {
    ARENA_MAX: 1,  # pools
    MMAP_THRESHOLD: 32 << 20,  # bytes, the most that glibc takes: larger pieces are the system's
    TRIM_THRESHOLD: 128 << 20,  # bytes that are kept
}

COLLECTED = 10_000  # new lists, dicts and the like, and the collector looks through them; Python would after 700


def keep_freed() -> bool:
    """Set it for this process and those forked from it, before it has threads; whether the C library knows how."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and all(mallopt(option, value) == 1 for option, value in OPTIONS.items())


def keep_loaded() -> None:
    """Let Python's collector alone with all there is now, before workers are forked: to look through modules again and again costs a
    twentieth of a mailing, and writes into pages that the workers share. What comes later holds hardly any cycles: it is looked at seldom.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECTED)
