"""Consents: what she allows, by purpose and channel, as a history; in force with the next request on every worker.

What events say of it is told here too. Where she refuses to be profiled, nothing is kept for it: of her log stays what the shop owes her by law
or contract (DUTIES), of her profile her open complaints; what she does from then on counts for the items, as a visit that leads to nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, reduce
from typing import Any

import orjson

from models.event_log import decode, fold_in
from service.fields import Fields, digest
from service.people import facts as facts_of
from service.people.customers import SESSION
from service.people.facts import MARKETING, Facts, may_profile
from service.store import Entry, Store

SERVICE = frozenset(("complaint", "complaint_resolved", "support_contact"))
DUTIES = SERVICE | frozenset(("purchase", "refund", "call", "consent", "unsubscribe", "email_bounce", "login"))
Tells = Callable[[Facts], Facts]


def change(store: Store, customer_id: str, tells: Tells) -> None:
    """Change what she allows, and what is kept with it."""
    allowed: list[bool] = []

    def changed(document: bytes | None) -> bytes:
        before = facts_of.load(document)
        after = tells(before)
        allowed[:] = [may_profile(before), may_profile(after)]
        return facts_of.dump(after)

    store.change(customer_id, "facts", changed)
    if allowed[0] != allowed[1]:
        reprofile(store, customer_id)


def in_turn(several: Sequence[Tells]) -> Tells:
    """All of some changes as one: what she allows is read, and written, once."""
    return lambda facts: reduce(lambda so_far, tells: tells(so_far), several, facts)


def reprofile(store: Store, customer_id: str) -> None:
    """Make her profile anew, of what may be kept of her log; what may not leaves the log."""
    customer = store.customer(customer_id)
    refuses = customer is not None and not may_profile(facts_of.load(customer.facts))
    if refuses:
        store.drop([entry for entry in store.events(customer_id=customer_id) if decode(entry.body).name not in DUTIES])

    def again(_: bytes | None) -> bytes:
        bodies = (entry.body for entry in store.events(customer_id=customer_id))
        return fold_in(None, (body for body in bodies if not refuses or decode(body).name in SERVICE))

    store.change(customer_id, "profile", again)


def refusing(store: Store, customer_ids: Sequence[str]) -> dict[str, str]:
    """Those who refused to be profiled, and under which id each is kept; one round trip."""
    asked = list(dict.fromkeys(customer_ids))
    found = zip(asked, store.customers(asked) if asked else [], strict=True)
    return {name: one.customer_id for name, one in found if one and not may_profile(facts_of.load(one.facts))}


def sift(facts: bytes, entry: Entry) -> Entry:
    """The store's Sift: an entry as it may be kept. Of who refused to be profiled what is no duty is nobody's, and of that little is folded."""
    if _allows(facts):
        return entry
    name = decode(entry.body).name
    if name not in DUTIES:
        return _of_nobody(entry)
    return entry if name in SERVICE else entry._replace(folded=False)


@lru_cache(maxsize=1)  # the entries of a call are mostly one customer's
def _allows(facts: bytes) -> bool:
    return may_profile(facts_of.load(facts))


def _of_nobody(entry: Entry) -> Entry:
    """An event of who refused to be profiled: it is not hers, but of a visit of its own, and says nothing personal."""
    event = orjson.loads(entry.body)
    event["extra"] = facts_of.impersonal(event.get("extra", {}))
    name = digest([entry.keys, entry.body.decode()])
    return entry._replace(customer_id=f"{SESSION}{name}", body=orjson.dumps(event))


# --- what an event says of her facts ----------------------------------------------------------------------------------------------------


def told(fields: Fields, name: str, at: int) -> Tells | None:
    """An unsubscription withdraws her consent, a consent is kept, a bounced address is used no more; other events tell nothing."""
    if name == "unsubscribe":
        return withdrawal(MARKETING, fields.text("channel") or "email", at, source="unsubscribe")
    if name == "email_bounce" and fields.row.get("bounce_type") != "soft":
        return lambda facts: facts_of.with_do_not_contact(facts, "email", "bounced")
    if name == "consent":
        return _consent(fields, at)
    return None


def _consent(fields: Fields, at: int) -> Tells:
    status = fields.text("status")
    if status not in facts_of.STATUSES:
        fields.wrong("status", f"{status!r} is none of {', '.join(facts_of.STATUSES)}")
    consent: dict[str, Any] = {
        "purpose": fields.text("purpose") or MARKETING,
        "channel": fields.text("channel") or facts_of.EVERY,
        "status": status,
        "at": at,
        "source": fields.text("source") or "event",
    }
    consent |= {name: said for name in ("lawful_basis", "proof") if (said := fields.text(name)) is not None}
    return lambda facts: facts_of.with_consents(facts, [consent])


def withdrawal(purpose: str, channel: str, at: int, *, source: str) -> Tells:
    """The change of facts that takes back a consent."""
    consent = {"purpose": purpose, "channel": channel, "status": "withdrawn", "at": at, "source": source}
    return lambda facts: facts_of.with_consents(facts, [consent])
