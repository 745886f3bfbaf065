"""Sends: a mailing is noted once, when it is first named; from then on its lists are made of what was known at its start.

So the same send, customer and placement get the same list as long as the bundle is the same and the products are in stock, however often
a broken mailing is taken up again: events that came since, this send's own `email_sent` among them, change the next send, not this one.
Consent is no part of it: a refusal counts at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import orjson

from models.errors import StoreUnavailable
from models.event_log import decode
from models.profile.undo import before
from service.people.customers import Known
from service.store import Store

KIND = "send"
KEPT_S = 40 * 86_400
REMEMBERED = 1_000


@dataclass(frozen=True)
class Send:
    """A mailing's start: seconds since 1970 UTC, and the newest event in the log by then."""

    at: int
    sequence: int


class Sends:
    """The sends of one store. What is noted once never changes, so that a worker asks for each only once."""

    def __init__(self, store: Store | None) -> None:
        self._store = store
        self._begun: dict[str, Send] = {}

    def begun(self, send_id: str, *, now: int) -> Send | None:
        """The start of a send, which is now where nobody named it before; None without a store, or while it is away."""
        if self._store is None:
            return None
        found = self._begun.get(send_id)
        try:
            found = found or _noted(self._store, send_id, now)
        except StoreUnavailable:
            return None
        if len(self._begun) >= REMEMBERED:
            self._begun.clear()
        self._begun[send_id] = found
        return found


def _noted(store: Store, send_id: str, now: int) -> Send:
    """The send as the store has it, noted now where it is new."""
    noted = store.get(KIND, send_id)
    if noted is None:
        fresh = Send(now, store.newest())
        if store.put(KIND, send_id, orjson.dumps([fresh.at, fresh.sequence]), expires_s=KEPT_S):
            return fresh
        noted = store.get(KIND, send_id)  # another worker was first
    return Send(now, store.newest()) if noted is None else Send(*orjson.loads(noted))


def as_of(known: Known, send: Send, *, store: Store, customer_id: str) -> Known:
    """The customer as the send began; read from the log only where something came since."""
    if known.sequence <= send.sequence:
        return known
    try:
        logged = list(store.events(customer_id=customer_id))
    except StoreUnavailable:
        return replace(known, degraded=True)
    earlier = [decode(entry.body) for entry in logged if entry.sequence <= send.sequence]
    later = [decode(entry.body) for entry in logged if entry.sequence > send.sequence]
    return replace(known, profile=before(known.profile, later, earlier=earlier))
