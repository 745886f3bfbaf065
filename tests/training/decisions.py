"""A store with a log of decisions, as the service writes it: written directly, so that what is true of it is known."""

from __future__ import annotations

import numpy as np

from models.profile import rfc3339
from service.decisions import ledger as ledger_of
from service.decisions.ledger import Contact
from service.decisions.record import dump
from service.store import Store

NOW = 1_764_000_000
DAY = 86_400
RATES = {"sale": 0.3, "news": 0.1, "rare": 0.5}  # how often each is taken up
CHANCES = {"sale": 0.5, "news": 0.4, "rare": 0.1}


def write(store: Store, customer: str, key: str, **fields) -> None:
    """One decision: `chances`, `taken` (None: silent), `answered`, `seen`, `at`, `channel`, `arm`, `tier`, `value`, `cost`."""
    at, taken = fields.get("at", NOW - 10 * DAY), fields.get("taken")
    money = {"value": fields.get("value", 10.0), "cost": fields.get("cost", 1.0)}
    actions = [] if taken is None else [{"action_id": taken, **money}]
    document = {
        "decision_id": key,
        "customer_id": customer,
        "channel": fields.get("channel", "website"),
        "at": rfc3339(at),
        "tier": fields.get("tier", ""),
        "chances": fields.get("chances", CHANCES),
        "arm": fields.get("arm", "full"),
        "actions": actions,
    }
    if document["chances"] is None:
        del document["chances"]
    store.put("decision", key, dump(document), customer_id=customer)
    seen = {"shown": at} if fields.get("seen", True) else {}
    outcomes = seen | ({"clicked": at + 60} if fields.get("answered") else {})
    contact = Contact(key, document["channel"], at, at + 1_800, True, (taken or "",), {taken or "": outcomes})

    def change(ledger: bytes | None) -> bytes:
        known = ledger_of.load(ledger)
        return ledger_of.dump(ledger_of.reserve(known, contact, keep_s=400 * DAY) if taken else known)

    store.change(customer, "ledger", change)


def fill(store: Store, n: int = 1_000, seed: int = 0) -> None:
    """Decisions drawn from CHANCES, taken up as RATES say, two a customer."""
    rng = np.random.default_rng(seed)
    names = list(CHANCES)
    for nth in range(n):
        taken = names[rng.choice(3, p=list(CHANCES.values()))]
        write(store, f"c{nth // 2:04}", f"d{nth:05}", taken=taken, answered=rng.random() < RATES[taken])
