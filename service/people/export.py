"""The export: all that is kept of a customer, as one document for machines (GDPR 20) and as one page for people (GDPR 15)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

import orjson

from models.profile import money, rfc3339
from service.decisions import ledger as ledger_of
from service.decisions import record as record_of
from service.nesting import cut
from service.people import facts as facts_of
from service.people.shared import known
from service.store import Customer, Entry, Store

ARCHIVED = (
    " Older ones may lie in the shop's archive, which names nobody: each stands there under a keyed hash, without personal fields; "
    "ask the shop for them."
)
KINDS = {"decision": "decisions", "outcome": "outcomes", "answer": "answers"}  # of documents that name her
LEVELS = (
    32  # shown as they stand: all that is taken in; what other writers of the store nested deeper is shown as a text
)
ABOUT: Mapping[str, str] = {
    "names": "Other names under which you are known here: visits to the site before you said who you are.",
    "picture": "What is computed from all below, as every department sees it.",
    "attributes": "What you or the shop said of you.",
    "do_not_contact": "Channels that are not used, and why.",
    "consents": "What you allowed and refused, with date, source, lawful basis and proof.",
    "events": "What happened, as it was told to us.",
    "contacts": "When we said or offered something to you, and what came of it.",
    "decisions": "What we decided, as it was logged.",
    "answers": "What was answered to whoever asked for a decision by a name of its own.",
    "outcomes": "What became of it, as it was told to us.",
}


def of_whom(store: Store, customer_id: str) -> Customer | None:
    """Her of whom anything is kept, decisions alone as well; None where there is nothing."""
    found = store.customer(customer_id) or Customer(customer_id)
    kept = known(found) or ledger_of.load(found.ledger).contacts or store.papers(found.customer_id)
    return found if kept else None


def export(store: Store, customer: Customer, *, picture: Mapping[str, Any], now: int) -> dict[str, Any]:
    """All that the store keeps of her; `picture` is the shared one."""
    facts = facts_of.load(customer.facts)
    papers: dict[str, list[Any]] = {name: [] for name in KINDS.values()}
    for kind, _, document in store.papers(customer.customer_id):
        read = record_of.load if kind == record_of.KIND else orjson.loads
        papers.setdefault(KINDS.get(kind, kind), []).append(read(document))
    whole = {
        "customer_id": customer.customer_id,
        "exported_at": rfc3339(now),
        "about": {**ABOUT, "events": ABOUT["events"] + (ARCHIVED if store.capped else "")},
        "names": store.names_of(customer.customer_id),
        "picture": dict(picture),
        "attributes": facts["attributes"],
        "do_not_contact": facts["do_not_contact"],
        "consents": [{**consent, "at": rfc3339(consent["at"])} for consent in facts["consents"]],
        "events": [told(entry) for entry in store.events(customer_id=customer.customer_id)],
        "contacts": [
            {**contact._asdict(), "at": rfc3339(contact.at)} for contact in ledger_of.load(customer.ledger).contacts
        ],
        **papers,
    }
    return {name: cut(part, LEVELS) for name, part in whole.items()}


def told(entry: Entry) -> dict[str, Any]:
    """An event as it was told to us."""
    body = orjson.loads(entry.body)
    times = {"at": rfc3339(entry.at), "received_at": rfc3339(entry.received)}
    return {**body, **times, "amount": money(body.get("amount", 0))}


# --- for people -------------------------------------------------------------------------------------------------------------------------

HEAD = """<!doctype html><html lang="en"><meta charset="utf-8"><title>What is kept of you</title>
<style>body{font:16px system-ui;max-width:70em;margin:2em auto;padding:0 1em}table{border-collapse:collapse;width:100%}
td,th{border:1px solid #ccc;padding:.3em .5em;text-align:left;vertical-align:top;overflow-wrap:anywhere}</style>"""


def page(document: Mapping[str, Any]) -> str:
    """The export as a page that needs nothing from elsewhere; a section for each part, with what it is."""
    parts = [f"<h1>{_text(document['customer_id'])}</h1><p>As of {_text(document['exported_at'])}.</p>"]
    for name, value in document.items():
        if name in ("customer_id", "exported_at", "about"):
            continue
        title = escape(name.replace("_", " ").capitalize())
        parts.append(f"<h2>{title}</h2><p>{escape(document['about'].get(name, ''))}</p>{_shown(value)}")
    return HEAD + "".join(parts)


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return _table((name, part) for name, part in value.items()) if value else "<p>Nothing.</p>"
    if isinstance(value, list | tuple):
        return _table(enumerate(value, start=1)) if value else "<p>Nothing.</p>"
    return _text(value)


def _table(rows: Iterable[tuple[Any, Any]]) -> str:
    return f"<table>{''.join(f'<tr><th>{_text(name)}<td>{_shown(value)}' for name, value in rows)}</table>"


def _text(value: Any) -> str:
    return "–" if value is None else escape(str(value))
