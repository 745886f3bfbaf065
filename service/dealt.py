"""Who was dealt into which arm of decisions, and what she bought since: the ground of what deciding is worth.

    dealt   a customer's first decision, whatever was said then; her arm is the one that it was made in
    bought  her purchases within WITHIN_DAYS after it, whatever they came from: so the difference of two arms is what the decisions did

The records of decisions are read once, and with each event of the log that somebody else walks her purchases are noted. Memory grows with the
customers who were decided for, not with decisions or events.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import orjson

from models.arms import Arm
from service.decisions.ledger import DAY_S
from service.decisions.record import KIND, load
from service.store import Entry, Store

WITHIN_DAYS = 28
MARK = b'"purchase"'


@dataclass(slots=True)
class Dealt:
    """One customer: her first decision, its arm, and her purchases since; `spent` in minor units."""

    arm: Arm
    at: int
    orders: set[str] = field(default_factory=set)
    spent: int = 0


class Dealing:
    """Everybody who was dealt, by the id under which she is kept."""

    def __init__(self, store: Store) -> None:
        names = store.names()
        self.people: dict[str, Dealt] = {}
        for _, document in store.documents(KIND):
            record = load(document)
            name = names.get(record["customer_id"], record["customer_id"])
            known = self.people.get(name)
            if known is None or record["now"] < known.at:
                self.people[name] = Dealt(record["arm"], record["now"])

    def note(self, entry: Entry) -> None:
        """Count a purchase of somebody who was dealt."""
        one = self.people.get(entry.customer_id)
        if one is None or not 0 < entry.at - one.at <= WITHIN_DAYS * DAY_S or MARK not in entry.body:
            return
        event = orjson.loads(entry.body)
        if event["event"] == "purchase":
            one.orders.add(event.get("order_id") or str(entry.at))
            one.spent += event["amount"] or 0

    def of(self, arm: Arm) -> list[Dealt]:
        """The people of one arm."""
        return [one for one in self.people.values() if one.arm == arm]
