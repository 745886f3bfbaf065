"""Contact limits and suppressions: windows that truly roll, over random times, channels and outcomes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.actions import Suppression
from service.decisions import ledger as ledger_of
from service.decisions import policy
from service.decisions.ledger import SEEN, Contact, Ledger
from service.decisions.past import Past, past
from tests.service.decisions.worlds import DAY, HOUR, NOW, World, action, catalogue, chosen

YES = ("marketing", "email", "granted")
LIMITS = """
[[limits]]
contacts = 2
days = 7
[[limits]]
contacts = 1
days = 2
channel = "email"
[[limits]]
contacts = 1
days = 3
group = "gifts"
"""
MOMENTS = st.lists(
    st.tuples(
        st.integers(1, 60 * HOUR),  # since the one before
        st.sampled_from(["email", "website", "agent"]),
        st.sampled_from(["shown", "not_sent", "clicked", None]),
    ),
    min_size=3,
    max_size=15,
)


def standing(
    contacts: list[Contact], *, now: int, days: float, channel: str | None = None, group: str | None = None
) -> int:
    """The contacts of the last so many days, counted without the code under test."""
    return sum(
        now - days * DAY < one.at <= now
        and one.counted
        and one.stands(now)
        and channel in (None, one.channel)
        and group in (None, *one.groups)
        for one in contacts
    )


@settings(max_examples=25, deadline=None)
@given(MOMENTS)
def test_at_no_moment_are_there_more_contacts_in_any_window_than_its_limit(moments):
    world = World(catalogue(action("gift", group="gifts", value=200), action("news"), more=LIMITS))
    world.said(YES, at=NOW - 9 * DAY)
    now = NOW
    for wait, channel, outcome in moments:
        now += wait
        answer = world.decide(channel, n=1, now=now)
        if outcome is not None and chosen(answer) != ["silence"]:
            ledger = ledger_of.load(world.store.people["anna"].ledger)
            told = ledger_of.answer(ledger, answer["decision_id"], chosen(answer)[0], outcome, now)
            world.contacted(*told.contacts)
        contacts = list(ledger_of.load(world.store.people["anna"].ledger).contacts)
        assert standing(contacts, now=now, days=7) <= 2
        assert standing(contacts, now=now, days=2, channel="email") <= 1
        assert standing(contacts, now=now, days=3, group="gifts") <= 1


@settings(max_examples=25, deadline=None)
@given(MOMENTS)
def test_nobody_is_stopped_who_is_below_every_limit(moments):
    world = World(catalogue(action("news"), more="[[limits]]\ncontacts = 2\ndays = 7\n"))
    world.said(YES, at=NOW - 9 * DAY)
    now = NOW
    for wait, channel, _ in moments:
        now += wait
        before = list(ledger_of.load(world.store.people["anna"].ledger).contacts)
        stopped = chosen(world.decide(channel, n=1, now=now)) == ["silence"]
        assert stopped == (standing(before, now=now, days=7) >= 2)


def rejected(*times: int, reason: str = "price", name: str = "news") -> Past:
    rows = [
        Contact(f"d{at}", "agent", at, None, True, (name,), {name: {"rejected": at}}, (name,), reasons={name: reason})
        for at in times
    ]
    return past(Ledger(tuple(rows)), since=0, now=NOW, asked=SEEN)


@pytest.mark.parametrize(
    ("rule", "times", "stops"),
    [
        (Suppression("rejected", 10), [9.9], ["news"]),
        (Suppression("rejected", 10), [10], []),
        (Suppression("rejected", 10, times=2, days=5), [1], []),
        (Suppression("rejected", 10, times=2, days=5), [1, 5.9], ["news"]),
        (Suppression("rejected", 10, times=2, days=5), [1, 6], []),
        (Suppression("rejected", 10, reason="price"), [1], ["news"]),
        (Suppression("rejected", 10, reason="bad_moment"), [1], []),
        (Suppression("rejected", 10, channel="email"), [1], []),
        (Suppression("accepted", 10), [1], []),
        (Suppression("rejected", 10, rests="group"), [1], ["news", "letter"]),
        (Suppression("rejected", 10, rests="all"), [1], ["news", "letter", "gift"]),
    ],
)
def test_what_rests_after_outcomes_how_long_and_what_else_with_it(rule, times, stops):
    actions = catalogue(
        action("news"), action("letter", group="news"), action("gift"), action("parcel", **{"class": "service"})
    )
    object.__setattr__(actions, "suppressions", (rule,))
    told = rejected(*(NOW - round(days * DAY) for days in times))
    assert actions.index.ids(policy.resting(told, actions, channel="agent", now=NOW)) == stops


def test_what_an_agent_was_told_no_about_rests_from_the_newest_outcomes_only():
    actions = catalogue(action("news"))
    object.__setattr__(actions, "suppressions", (Suppression("rejected", 3, times=2, days=30),))
    assert policy.resting(rejected(NOW - 20 * DAY, NOW - 2 * DAY), actions, channel="agent", now=NOW)
    assert not policy.resting(rejected(NOW - 20 * DAY, NOW - 4 * DAY), actions, channel="agent", now=NOW)
