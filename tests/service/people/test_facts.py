"""What is kept of what she said, however often it is said."""

from __future__ import annotations

from typing import Any

from service import events
from service.events import Rules
from service.people import facts
from service.store import Store
from tests.fakes import FakeStore
from tests.worlds import NOW

AT = 1_700_000_000


def said(at: int, status: str = "granted", purpose: str = "newsletter") -> dict[str, Any]:
    return {"purpose": purpose, "channel": "email", "status": status, "at": at, "source": f"form {at}"}


def test_of_a_history_that_is_too_long_the_newest_stay_and_before_them_the_last_word_on_each_purpose():
    old = [said(AT, "denied", "marketing"), said(AT, "granted", "profiling"), said(AT + 1, "denied", "profiling")]
    many = [said(AT + n) for n in range(2, 3 * facts.MOST_CONSENTS)]
    told = facts.load(facts.dump(facts.with_consents(facts.load(None), [*old, *many])))
    stands = [old[0], old[2]]
    assert told["consents"] == stands + many[-(facts.MOST_CONSENTS - len(stands)) :]
    assert facts.consent(told, "marketing", "email") == facts.consent(told, "profiling", "email") == "no"


def test_consents_of_one_call_are_written_once_and_in_their_order():
    store = FakeStore()
    rows = [
        {"event": "consent", "session_id": "s", "status": status, "source": f"{n}"}
        for n in range(200)
        for status in facts.STATUSES
    ]
    events.record(rows[:500], store=store, rules=Rules(), now=NOW, new_id=iter(map(str, range(999))).__next__)
    assert store.writes == 500 + 1  # an event each, and what she allows
    customer = store.customer("session:s")
    assert customer is not None
    kept = facts.load(customer.facts)["consents"]
    assert [(one["source"], one["status"]) for one in kept] == [(row["source"], row["status"]) for row in rows[:500]]


def test_a_visit_that_says_thousands_of_consents_keeps_some_hundreds(store: Store):
    for call in range(4):
        rows = [
            {"event": "consent", "session_id": "s", "status": "denied", "source": f"{call} {n}"} for n in range(500)
        ]
        events.record(rows, store=store, rules=Rules(), now=NOW, new_id=iter(map(str, range(999))).__next__)
    customer = store.customer("session:s")
    assert customer is not None
    assert len(facts.load(customer.facts)["consents"]) == facts.MOST_CONSENTS
