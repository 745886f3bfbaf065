"""Arrivals: what has come on a connection so far, as bytes. Who reads it takes no thread before a whole request is there."""

from __future__ import annotations

import re
from enum import Enum, auto

LONGEST = 1 << 16  # bytes of a request that is waited for; what is longer is read by a thread of its own
# Answered in rounds: many, and quick
SHORT = frozenset({b"/recommend", b"/rank", b"/next-best-action", b"/events", b"/livez"})
_FRAMED = re.compile(rb"\n(?:content-length|transfer-encoding|expect)([^\n]*)", re.IGNORECASE)
_LENGTH = re.compile(rb": ?([0-9]{1,7})\r?")


class Arrival(Enum):
    """What to do with it."""

    MORE = auto()  # the rest is to come
    SHORT = auto()  # a whole request that is answered quickly
    ALONE = auto()  # anything else: read and answered by a thread of its own


def look(came: bytes) -> tuple[Arrival, int]:
    """What has come, and how many bytes of it are the first request where it is SHORT."""
    head, ended, body = came.partition(b"\r\n\r\n")
    if not ended:
        return (Arrival.ALONE if len(came) >= LONGEST or b"\n\n" in came else Arrival.MORE), 0
    length = _length(head)
    if length is None or len(head) + length > LONGEST:
        return Arrival.ALONE, 0
    if len(body) < length:
        return Arrival.MORE, 0
    if _path(head) not in SHORT:
        return Arrival.ALONE, 0
    return Arrival.SHORT, len(head) + len(ended) + length


def _length(head: bytes) -> int | None:
    """The bytes of the body; None where that is not said plainly."""
    framed = _FRAMED.findall(head)
    if not framed:
        return 0
    length = _LENGTH.fullmatch(framed[0]) if len(framed) == 1 else None
    return None if length is None else int(length[1])


def _path(head: bytes) -> bytes:
    _, _, rest = head.partition(b" ")
    return rest.partition(b" ")[0].partition(b"?")[0]
