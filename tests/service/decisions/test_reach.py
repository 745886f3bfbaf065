"""When, and on which channel, a customer is best reached."""

from dataclasses import replace
from datetime import UTC
from functools import reduce
from zoneinfo import ZoneInfo

import pytest

from models.actions import Channel
from models.profile import EMPTY, Event, fold
from service.decisions.ledger import Contact, Ledger
from service.decisions.person import Person
from service.decisions.reach import ANYHOW, Reach, reach
from service.people import facts as facts_of
from tests.worlds import tiny_tiers

NOW = 1_767_182_400  # 2025-12-31, noon UTC
HOUR_S = 3_600
BANGKOK = ZoneInfo("Asia/Bangkok")  # seven hours ahead
CHANNELS = {"website": Channel(), "email": Channel(outbound=True), "agent": Channel(), "sms": Channel(outbound=True)}


def happened(**counts: int):
    """A profile of so many events of each name, at 18:00 UTC."""
    events = [Event(name, NOW - 18 * HOUR_S + n, "a") for name, count in counts.items() for n in range(count)]
    return reduce(fold, events, EMPTY)


def contacts(channel: str, seen: int, answered: int = 0) -> list[Contact]:
    outcomes = [{"it": {"shown": NOW} | ({"clicked": NOW} if number < answered else {})} for number in range(seen)]
    return [
        Contact(f"{channel}{number}", channel, NOW - 1, None, counted=True, actions=("it",), outcomes=told)
        for number, told in enumerate(outcomes)
    ]


def reached(profile=EMPTY, *rows, channel="email", said=(), refused=(), tiers=None, zone=UTC, profiled=True) -> Reach:
    told = [("marketing", name, status) for name, status in {"email": "granted", **dict(said)}.items()]
    told += [] if profiled else [("profiling", facts_of.EVERY, "denied")]
    consents = [
        {"purpose": purpose, "channel": name, "status": status, "at": NOW - 9} for purpose, name, status in told
    ]
    facts = {**facts_of.load(None), "consents": consents, "do_not_contact": dict.fromkeys(refused, "bounced")}
    hours = tiers.hours_of("gold") if tiers is not None else ()
    return reach(channel, CHANNELS, Person("c", facts, profile, Ledger(tuple(rows))), hours, zone=zone, now=NOW)


@pytest.mark.parametrize(
    ("profile", "rows", "asked", "better"),
    [
        (EMPTY, [], {}, None),
        (happened(view_item=9), [], {}, None),  # nothing says that a mail would not do
        (happened(view_item=9), contacts("email", 10), {}, "website"),
        (happened(view_item=9), contacts("email", 10, answered=8), {}, None),
        (happened(view_item=9, email_sent=10), [], {}, "website"),
        (happened(view_item=9, email_sent=10, email_open=9), [], {}, None),
        (EMPTY, contacts("email", 10), {}, None),  # she knows no other channel
        (EMPTY, [*contacts("agent", 4, answered=4), *contacts("website", 9, answered=3)], {}, "agent"),
        (EMPTY, [*contacts("agent", 4, answered=4), *contacts("website", 9, answered=3)], {"refused": ["agent"]}, "website"),
        (EMPTY, contacts("sms", 4, answered=4), {}, None),  # she never said yes to that
        (EMPTY, contacts("sms", 4, answered=4), {"said": {"sms": "granted"}}, "sms"),
        (happened(view_item=1), [], {"said": {"email": "withdrawn"}}, "website"),
        (happened(view_item=1), [], {"said": {"email": "withdrawn", "website": "denied"}}, None),
        (happened(view_item=1), contacts("email", 10), {"channel": "website"}, None),
    ],
)  # fmt: skip
def test_another_channel_is_better_where_she_answers_more_and_may_be_spoken_to(profile, rows, asked, better):
    assert reached(profile, *rows, **asked).better == better


def test_the_hour_is_hers_on_her_clock():
    assert reached(happened(view_item=3)).hour == 18
    assert reached(happened(view_item=3), zone=BANGKOK).hour == 1
    assert reached(EMPTY).hour is None


def test_of_who_did_little_the_hour_is_that_of_people_of_her_tier():
    evening = [0.0] * 24
    evening[20] = 1.0
    tiers = replace(tiny_tiers(), hours=(tuple([1 / 24] * 24), tuple([1 / 24] * 24), tuple(evening)))
    assert reached(EMPTY, tiers=tiers).hour == 20
    assert reached(happened(view_item=3), tiers=tiers).hour == 20
    assert reached(happened(view_item=60), tiers=tiers).hour == 18


def test_who_comes_to_us_is_not_waited_for():
    assert reached(happened(view_item=3), channel="agent") == ANYHOW


def test_who_refused_to_be_profiled_is_not_looked_at():
    assert reached(happened(view_item=3), *contacts("agent", 4, answered=4), profiled=False) == ANYHOW
