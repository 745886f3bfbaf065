"""Outcomes: what became of what we decided or recommended.

Each is kept once, and folded into the customer's ledger, where limits and cool-offs read it; what it changes there is added to the counters of
the action's chance in the same transaction, so that an outcome told twice or out of order counts once. A complaint becomes an event, an
unsubscription takes back the consent. Folding comes first and may be repeated without harm; keeping comes last and says "accepted".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import orjson

from models.actions import OUTCOMES, Actions
from models.errors import InputError
from models.event_log import encode
from models.profile import Event
from models.propensity import Count, tallied
from service.decisions import budgets
from service.decisions import ledger as ledger_of
from service.decisions.decision_log import DECISIONS_KEPT_S, logged
from service.decisions.ledger import Ledger
from service.decisions.record import action_ids
from service.decisions.situation import AGENT
from service.event_forms import MOST_ROWS
from service.events import Receipt, Rules, fold
from service.fields import Fields, brief, digest, minor
from service.people import facts as facts_of
from service.people.consents import change, sift, withdrawal
from service.people.facts import MARKETING
from service.store import Entry, Move, Settlement, Store

FIELDS = (
    *("decision_id", "recommendation_id", "action_id", "item_id", "outcome"),
    *("reason", "value", "currency", "time", "event_id"),
)
LONGEST_REASON = 500


@dataclass(frozen=True)
class Outcome:
    """One outcome that can be kept. It is about actions of a decision (of this customer, on this channel), or about a recommendation."""

    name: str
    at: int
    known_as: str
    about: str
    action_ids: tuple[str, ...] = ()
    item_id: str | None = None
    customer_id: str | None = None
    channel: str | None = None
    tier: str = ""
    reason: str | None = None
    amount: int | None = None


def record(payload: Any, *, store: Store, rules: Rules, actions: Actions, now: int) -> list[Receipt]:
    """Keep what can be kept; a receipt a row. Raises InputError for what is no list of 1 to 500 rows, StoreUnavailable."""
    return [
        _receipt(row, index, store=store, rules=rules, actions=actions, now=now)
        for index, row in enumerate(_rows(payload))
    ]


def _rows(payload: Any) -> list[Any]:
    rows = payload["outcomes"] if isinstance(payload, dict) and "outcomes" in payload else payload
    rows = rows if isinstance(rows, list) else [rows]
    if not isinstance(payload, dict | list):
        raise InputError('write one outcome, a list of them, or {"outcomes": […]}')
    if not 1 <= len(rows) <= MOST_ROWS:
        raise InputError(f"{len(rows)} outcomes; send 1 to {MOST_ROWS} in one call")
    return rows


def _receipt(row: Any, index: int, *, store: Store, rules: Rules, actions: Actions, now: int) -> Receipt:
    if not isinstance(row, dict):
        return Receipt(index, "refused", None, {"outcome": [f"{brief(row)} is no object; write {{…}}"]})
    fields = Fields(row)
    outcome = _read(fields, store=store, rules=rules, now=now)
    if outcome is None or fields.errors:
        return Receipt(index, "refused", fields.text("event_id"), fields.errors)
    if store.get("outcome", outcome.known_as) is not None:
        return Receipt(index, "repeated", outcome.known_as)
    _fold(outcome, store, actions, now)
    document, whose = orjson.dumps(outcome), outcome.customer_id
    new = store.put("outcome", outcome.known_as, document, expires_s=DECISIONS_KEPT_S, customer_id=whose)
    return Receipt(index, "accepted" if new else "repeated", outcome.known_as)


def _read(fields: Fields, *, store: Store, rules: Rules, now: int) -> Outcome | None:
    for name in fields.row.keys() - set(FIELDS):
        fields.wrong(name, f"is unknown; known here: {', '.join(FIELDS)}")
    name = fields.text("outcome") or ""
    if name not in OUTCOMES:
        fields.wrong("outcome", f"{brief(name)} is none of {', '.join(OUTCOMES)}")
    decision_id, recommendation_id = fields.text("decision_id"), fields.text("recommendation_id")
    if (decision_id is None) == (recommendation_id is None):
        fields.wrong("decision_id", "say what it is about: decision_id or recommendation_id, one of them")
    at = fields.time("time", now=now)
    fields.currency(rules.currency)
    value = fields.money("value")
    outcome = Outcome(
        name=name,
        at=now if at is None else at,
        known_as=fields.text("event_id") or "",
        about=decision_id or recommendation_id or "",
        item_id=fields.text("item_id"),
        reason=fields.text("reason", longest=LONGEST_REASON),
        amount=None if value is None else minor(value),
    )
    action_id = fields.text("action_id")
    if fields.errors:
        return None
    outcome = outcome if decision_id is None else _of_decision(outcome, fields, store, action_id)
    known_as = outcome.known_as or digest([outcome.about, action_id, outcome.item_id, outcome.name])
    return replace(outcome, known_as=known_as)


def _of_decision(outcome: Outcome, fields: Fields, store: Store, action_id: str | None) -> Outcome:
    """The outcome with what its decision says: whose it is, on which channel, and which of its actions are meant."""
    decision = logged(store, outcome.about)
    if decision is None:
        fields.wrong("decision_id", f"{brief(outcome.about)} is unknown, or its decision has expired")
        return outcome
    decided = tuple(action_ids(decision))
    meant = (action_id,) if action_id is not None else decided
    if not set(meant) <= set(decided):
        fields.wrong(
            "action_id", f"{brief(action_id)} is not in this decision; it has {', '.join(decided) or 'no action'}"
        )
    if len(meant) > 1 and outcome.name not in ("shown", "not_sent", "no_response"):
        fields.wrong("action_id", f"is missing; the decision has {', '.join(decided)}")
    if decision["channel"] == AGENT and outcome.name == "rejected" and outcome.reason is None:
        fields.wrong(
            "reason", "is missing; say why she rejected it, like price, already_has, bad_moment, not_relevant, trust"
        )
    return replace(
        outcome,
        action_ids=meant,
        customer_id=decision["customer_id"],
        channel=decision["channel"],
        tier=decision["tier"],
    )


def _fold(outcome: Outcome, store: Store, actions: Actions, now: int) -> None:
    if outcome.customer_id is None:
        return
    store.settle(outcome.customer_id, lambda document: _settled(document, outcome, actions), now=now)
    if outcome.name == "unsubscribed":
        tells = withdrawal(MARKETING, outcome.channel or facts_of.EVERY, outcome.at, source="outcome")
        change(store, outcome.customer_id, tells)
    if outcome.name == "complaint":
        event = Event("complaint", outcome.at, extra={"decision_id": outcome.about, "reason": outcome.reason})
        body = encode(event, event_id=outcome.known_as)
        entry = Entry(outcome.customer_id, (f"outcome:{outcome.known_as}",), outcome.at, body)
        store.record([entry], fold, sift)


def _settled(document: bytes | None, outcome: Outcome, actions: Actions) -> Settlement:
    """The ledger with the outcome; the tokens of budgets and stock that it keeps or gives back; and what it adds to the counters: what the
    action counts now, less what it counted before.
    """
    ledger, moves = ledger_of.load(document), list[Move]()
    counts: dict[str, Count] = {}
    for action_id in outcome.action_ids:
        before = ledger.counted(outcome.about, action_id)
        moves += budgets.moves(ledger, outcome.about, action_id, outcome.name)
        ledger = ledger_of.answer(ledger, outcome.about, action_id, outcome.name, outcome.at, reason=outcome.reason)
        tried, taken = ledger.counted(outcome.about, action_id)
        for name, more in _counts(outcome, action_id, ledger, tried - before[0], taken - before[1], actions):
            so_far = counts.get(name, Count())
            counts[name] = Count(so_far.tries + more.tries, so_far.positives + more.positives)
    return Settlement(ledger_of.dump(ledger), tuple(moves), counts)


def _counts(
    outcome: Outcome, action_id: str, ledger: Ledger, tried: int, taken: int, actions: Actions
) -> Iterable[tuple[str, Count]]:
    """What one answer adds, at the weight of the decision's own time, so that the order of outcomes is no matter."""
    row = actions.rows.get(action_id)
    if row is None or not (tried or taken):  # no longer in the catalogue, or nothing new
        return ()
    return tallied(
        actions.learning,
        action=action_id,
        group=actions.actions[row].group,
        channel=outcome.channel or "",
        tier=outcome.tier,
        at=next(contact.at for contact in ledger.contacts if contact.decision_id == outcome.about),
        tried=tried,
        taken=taken,
    ).items()
