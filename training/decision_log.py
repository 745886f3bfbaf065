"""The log of decisions, with what came of them: the ground of off-policy evaluation and of uplift.

A decision counts where it spoke, was seen, and is old enough for an answer; what stood first is the choice, the ranks below are not valued.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from models.response import traits
from models.settings import DAY_S
from service.decisions import ledger as ledger_of
from service.decisions.ledger import POSITIVE, Contact
from service.decisions.record import KIND, load
from service.store import Store

CHUNK = 400  # customers a round trip to the store
SETTLE_DAYS = 3
HOLDOUT, FULL = "holdout", "full"

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Decided:
    """One decision that counts.

    chances      action id -> the chance it had to stand first; they sum to 1    taken  the one that did
    value, cost  of the action taken, as arbitration priced it                    answered  whether the customer took it up
    recast       the chances that a changed catalogue would have given, where one was asked about (training.recast)
    group        of the action taken                                            base      what the counters alone believed of it, if known
    traits       of the customer and the moment (models.response)
    """

    customer_id: str
    channel: str
    at: int
    chances: Mapping[str, float]
    taken: str
    value: float
    cost: float
    answered: bool
    group: str = ""
    base: float | None = None
    traits: Mapping[str, float] = field(default_factory=dict)
    recast: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Dealt:
    """A customer's first decision: when, in which arm, and her tier then."""

    at: int
    arm: str
    tier: str


@dataclass(frozen=True)
class DecisionLog:
    """What can be learnt from. `left_out`: why -> how many decisions; `dealt`: customer -> her first decision, whatever was said."""

    decided: tuple[Decided, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)
    dealt: Mapping[str, Dealt] = field(default_factory=dict)


def read(
    store: Store,
    *,
    now: int,
    channel: str | None = None,
    since: int | None = None,
    settle_days: float = SETTLE_DAYS,
    recast: Callable[[Document], Mapping[str, float] | None] = lambda _: {},
) -> DecisionLog:
    """The log as of `now`, oldest first; of one channel, or since a time. `recast` sees what counts. Raises StoreUnavailable."""
    until = now - int(settle_days * DAY_S)
    left_out = Counter[str]()
    decided: list[Decided] = []
    dealt: dict[str, Dealt] = {}
    documents = (load(body) for _, body in store.documents(KIND))
    asked = (one for one in documents if channel in (None, one["channel"]) and _at(one) >= (since or 0))
    for customer_id, contact, one in _with_contacts(store, asked):
        _deal(dealt, customer_id, one)
        why = _unfit(one, contact, until)
        if why is not None or contact is None:
            left_out[why or "silent"] += 1
        elif (chances := recast(one)) is None:
            left_out["of a catalogue or release that is no longer known"] += 1
        else:
            decided.append(replace(_decided(customer_id, contact, one), recast=chances))
    decided.sort(key=lambda one: (one.at, one.customer_id))
    return DecisionLog(tuple(decided), dict(left_out), dealt)


def _with_contacts(store: Store, asked: Iterable[Document]) -> Iterator[tuple[str, Contact | None, Document]]:
    """Each decision with the id that its customer is kept under and its contact in her ledger; of the erased nothing is left."""
    asked = iter(asked)
    while chunk := list(islice(asked, CHUNK)):
        for one, customer in zip(chunk, store.customers([one["customer_id"] for one in chunk]), strict=True):
            if customer is not None:
                contacts = ledger_of.load(customer.ledger).contacts
                contact = next((each for each in contacts if each.decision_id == one["decision_id"]), None)
                yield customer.customer_id, contact, one


def _unfit(one: Document, contact: Contact | None, until: int) -> str | None:
    """Why a decision does not count; None where it does."""
    if "chances" not in one:
        return "logged without chances"
    if one["arm"] == HOLDOUT:
        return "of customers who are held out"
    if contact is None or not one["actions"]:
        return "silent"
    if _at(one) > until:
        return "too young for an answer"
    return "not seen, as far as is known" if contact.shown(_first(one)["action_id"]) is None else None


def _decided(customer_id: str, contact: Contact, one: Document) -> Decided:
    first = _first(one)
    outcomes = contact.outcomes.get(first["action_id"], {})
    return Decided(
        customer_id=customer_id,
        channel=one["channel"],
        at=_at(one),
        chances=one["chances"],
        taken=first["action_id"],
        value=first["value"],
        cost=first["cost"],
        answered=bool(POSITIVE & outcomes.keys()),
        group=next(iter(contact.groups), ""),
        base=first.get("base"),
        traits=_traits(one) if "base" in first else {},
    )


def _traits(one: Document) -> dict[str, float]:
    """As the service read them when it decided."""
    _, lifecycle, numbers, _ = one["picture"]
    return traits(
        numbers,
        tier=one["tier"],
        lifecycle=lifecycle,
        channel=one["channel"],
        unanswered=one["unanswered"],
        hour=datetime.fromtimestamp(one["now"], ZoneInfo(one["zone"])).hour,
    )


def _deal(dealt: dict[str, Dealt], customer_id: str, one: Document) -> None:
    at, known = _at(one), dealt.get(customer_id)
    if known is None or at < known.at:
        dealt[customer_id] = Dealt(at, one["arm"], one["tier"])


def _first(one: Document) -> dict[str, Any]:
    first: dict[str, Any] = one["actions"][0]
    return first


def _at(one: Document) -> int:
    return int(datetime.fromisoformat(one["at"]).timestamp())
