"""The tail of a document: the newest events behind a profile, a line of JSON each, folded in when it is read.

To unfold, fold and fold again what is kept of a customer costs ten times what an event says: so they wait there until they are MOST, and
then are folded in for good. A document without a tail is what `document.dump` wrote; one with a tail begins with

    its own format, the length of the document behind it · the document, empty for a new customer · the lines
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from models.profile import document
from models.profile.fold import EVENTS, OTHER, folded, order_key
from models.profile.searches import FIELDS, term_of
from models.profile.state import Event, Profile

FORMAT = 3  # the first byte; those of document are 2 and {
HEAD = 4  # bytes: the format, the length of the document
MOST = 16  # events: their lines are about as long as a profile of a few dozen items


def load(kept: bytes | None) -> Profile:
    """The profile after the events of the tail; EMPTY for None."""
    return _folded(*_parts(kept))


def with_events(kept: bytes | None, events: Iterable[Event]) -> bytes:
    """The document after some more events."""
    return with_lines(
        kept, (line(one.name, one.at, one.item_id, one.quantity, one.amount, one.order_id, one.extra) for one in events)
    )


def with_lines(kept: bytes | None, lines: Iterable[bytes]) -> bytes:
    """The document after some more lines."""
    base, tail = _parts(kept)
    tail += b"".join(lines)
    if not tail or tail.count(b"\n") > MOST:
        return document.dump(_folded(base, tail))
    return (len(base) << 8 | FORMAT).to_bytes(HEAD, "little") + base + tail


def _folded(base: bytes, tail: bytes) -> Profile:
    profile = document.load(base or None)
    return folded(profile, _events(tail)) if tail else profile


def _parts(kept: bytes | None) -> tuple[bytes, bytes]:
    """The document and its tail."""
    if kept is None or kept[0] != FORMAT:
        return kept or b"", b""
    end = HEAD + int.from_bytes(kept[1:HEAD], "little")
    return kept[HEAD:end], kept[end:]


def line(
    name: str,
    at: int,
    item_id: str | None,
    quantity: float,
    amount: int,
    order_id: str | None,
    extra: Mapping[str, Any],
) -> bytes:
    """All that the fold reads of an event."""
    known = name if name in EVENTS else OTHER
    read = (known, at, item_id, quantity, amount, order_key(order_id), term_of(extra))
    return orjson.dumps(read, option=orjson.OPT_APPEND_NEWLINE)


def _events(tail: bytes) -> Iterator[Event]:
    """What the lines say: parsed as one list, which takes a third of the time."""
    lines = orjson.loads(b"[%b]" % tail.rstrip().replace(b"\n", b","))
    for name, at, item_id, quantity, amount, order_id, term in lines:
        yield Event(name, at, item_id, quantity, amount, order_id, {} if term is None else {FIELDS[0]: term})
