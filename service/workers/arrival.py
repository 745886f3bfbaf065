"""Arrivals: what has come on a connection so far, as bytes. Who reads it takes no thread before a whole request is there."""

from __future__ import annotations

import re
from enum import Enum, auto

from service.http.load import LONGEST_ADDRESS, LONGEST_BODY

LONGEST_HEAD = LONGEST_ADDRESS + (1 << 15)
# Answered in rounds: many and quick, or open to everybody
SHORT = frozenset(b"/recommend /rank /next-best-action /events /livez /readyz /docs /openapi.json /valet.js".split())
_FRAMED = re.compile(rb"\n(?:content-length|transfer-encoding|expect)([^\n]*)", re.IGNORECASE)
_LENGTH = re.compile(rb": ?([0-9]{1,7})\r?")
_STREAM = re.compile(rb"\ncontent-type: ?application/x-ndjson", re.IGNORECASE)


class Arrival(Enum):
    """What to do with it."""

    MORE = auto()  # the rest is to come
    SHORT = auto()  # a whole request that is answered quickly
    ALONE = auto()  # any other whole request: answered by a thread of its own
    LONG = auto()  # a whole one whose answer is long: by a thread that may wait for the client to read it
    SLOW = auto()  # a long body, or an odd one: the rest is for a thread to read
    NONE = auto()  # no request: its head is too long, or a line of it ends in LF alone, where others may see its end


def look(came: bytes) -> tuple[Arrival, int]:
    """What has come; and how many bytes of it are the first request where that is SHORT, and will be where MORE is to come, as far as known."""
    head, ended, body = came.partition(b"\r\n\r\n")
    if head.count(b"\n") != head.count(b"\r\n"):
        return Arrival.NONE, 0
    if not ended:
        return (Arrival.MORE if len(came) < LONGEST_HEAD else Arrival.NONE), 0
    length = _length(head)
    if length is None or length > LONGEST_BODY:
        return Arrival.SLOW, 0
    whole = len(head) + len(ended) + length
    if len(body) < length:
        return Arrival.MORE, whole
    if _short(head):
        return Arrival.SHORT, whole
    return (Arrival.LONG if _STREAM.search(head) else Arrival.ALONE), 0


def _length(head: bytes) -> int | None:
    """The bytes of the body; None where that is not said plainly."""
    framed = _FRAMED.findall(head)
    if not framed:
        return 0
    length = _LENGTH.fullmatch(framed[0]) if len(framed) == 1 else None
    return None if length is None else int(length[1])


def _short(head: bytes) -> bool:
    words = head.partition(b"\r\n")[0].split(b" ")
    return len(words) == 3 and words[1].partition(b"?")[0] in SHORT and words[2] in (b"HTTP/1.1", b"HTTP/1.0")
