"""The ledger: what was said to a customer, on every channel, and what came of it. One JSON document a customer, newest last.

Deciding reserves a contact. An outbound one counts until `not_sent` comes; an inbound one is released at `until` unless it was shown.
Windows are true rolling ones: the contacts of the last so many seconds, whatever the calendar says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

DAY_S = 86_400
KEPT = 400
POSITIVE = frozenset(("clicked", "accepted", "converted"))
SEEN = POSITIVE | {"shown", "rejected", "maybe_later", "complaint", "unsubscribed", "no_response"}


class Contact(NamedTuple):
    """One decision, as a contact with the customer.

    at        seconds since 1970     until  when an unshown one is released, None never
    counted   whether limits count it (service messages do not count)
    actions   ids, best first        outcomes  action id -> outcome -> when
    groups    of its actions, in their order
    drawn     action id -> pool -> tokens that it took of budgets and stock
    reasons   action id -> why she rejected it
    """

    decision_id: str
    channel: str
    at: int
    until: int | None
    counted: bool
    actions: tuple[str, ...]
    outcomes: Mapping[str, Mapping[str, int]] = {}
    groups: tuple[str, ...] = ()
    drawn: Mapping[str, Mapping[str, int]] = {}
    reasons: Mapping[str, str] = {}

    def shown(self, action_id: str) -> int | None:
        """When the customer saw this action, None when as far as we know she did not."""
        outcomes = self.outcomes.get(action_id)
        if outcomes:
            if "not_sent" in outcomes:
                return None
            if seen := [at for outcome, at in outcomes.items() if outcome in SEEN]:
                return min(seen)
        return self.at if self.until is None else None

    def stands(self, now: int) -> bool:
        """Whether it is a contact: seen, or still reserved."""
        return self.reserved(now) or any(self.shown(action_id) is not None for action_id in self.actions)

    def reserved(self, now: int) -> bool:
        """Whether it may still be shown."""
        if self.until is None or now >= self.until:
            return False
        return not any("not_sent" in self.outcomes.get(action_id, {}) for action_id in self.actions)

    @property
    def answered(self) -> bool:
        """Whether the customer did anything good with it."""
        return any(not POSITIVE.isdisjoint(outcomes) for outcomes in self.outcomes.values())


ACTIONS, GROUPS = map(Contact._fields.index, ("actions", "groups"))


@dataclass(frozen=True)
class Ledger:
    """A customer's contacts, oldest first."""

    contacts: tuple[Contact, ...] = ()

    def without(self, decision_id: str) -> Ledger:
        """The ledger as if a decision had not been made."""
        return Ledger(tuple(contact for contact in self.contacts if contact.decision_id != decision_id))

    def find(self, decision_id: str) -> Contact | None:
        """The contact of a decision."""
        return next((contact for contact in self.contacts if contact.decision_id == decision_id), None)

    def counted(self, decision_id: str, action_id: str) -> tuple[int, int]:
        """(tried, taken), 0 or 1 each: what an action of a decision counts for learning, by what was told of it.

        Only what was told as seen is a try: neither a reservation, nor what was not sent.
        """
        told = [one.outcomes.get(action_id, {}).keys() for one in self.contacts if one.decision_id == decision_id]
        seen = any(outcomes & SEEN and "not_sent" not in outcomes for outcomes in told)
        return int(seen), int(seen and any(outcomes & POSITIVE for outcomes in told))


def load(document: bytes | None) -> Ledger:
    """The ledger in a document; empty where there is none. Older documents know no groups, tokens and reasons."""
    rows: list[list[Any]] = orjson.loads(document) if document else []
    return Ledger(tuple(map(_contact, rows)))


def _contact(row: list[Any]) -> Contact:
    if len(row) < len(Contact._fields):
        row += ((), {}, {})
    row[ACTIONS], row[GROUPS] = tuple(row[ACTIONS]), tuple(row[GROUPS])
    return Contact._make(row)


def dump(ledger: Ledger) -> bytes:
    """The document of a ledger."""
    return orjson.dumps([tuple(contact) for contact in ledger.contacts])


def reserve(ledger: Ledger, contact: Contact, *, keep_s: int) -> Ledger:
    """The ledger with a decision's contact; of the old ones, those that no window looks back to are dropped.

    Past KEPT contacts the oldest that count to no limit go first, so that service messages never wash a limit away.
    """
    contacts = [
        row for row in ledger.contacts if row.at > contact.at - keep_s and row.decision_id != contact.decision_id
    ]
    surplus = len(contacts) + 1 - KEPT
    if surplus > 0:
        order = sorted(range(len(contacts)), key=lambda row: (contacts[row].counted, contacts[row].at))
        dropped = set(order[:surplus])
        contacts = [row for number, row in enumerate(contacts) if number not in dropped]
    return Ledger((*contacts, contact))


def answer(
    ledger: Ledger, decision_id: str, action_id: str, outcome: str, at: int, *, reason: str | None = None
) -> Ledger:
    """The ledger with an outcome; told twice, it stands once, with its first time. An unknown decision changes nothing."""
    return Ledger(
        tuple(
            _answered(contact, action_id, outcome, at, reason) if contact.decision_id == decision_id else contact
            for contact in ledger.contacts
        )
    )


def _answered(contact: Contact, action_id: str, outcome: str, at: int, reason: str | None) -> Contact:
    outcomes = contact.outcomes.get(action_id, {})
    outcomes = {**outcomes, outcome: min(at, outcomes.get(outcome, at))}
    reasons = contact.reasons if reason is None else {**contact.reasons, action_id: reason}
    return contact._replace(outcomes={**contact.outcomes, action_id: outcomes}, reasons=reasons)
