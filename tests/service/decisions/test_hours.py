"""Hours: nothing goes out in quiet hours of her clock, wherever she lives, and what would be too old by then not at all."""

from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.actions import Channel
from service.decisions.hours import not_before, too_late, zone_of

BANGKOK, BERLIN = ZoneInfo("Asia/Bangkok"), ZoneInfo("Europe/Berlin")
NIGHT = Channel(outbound=True, valid_minutes=1_440, quiet=("21:00", "08:00"))


def at(text: str, zone: ZoneInfo) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp())


@settings(max_examples=300, deadline=None)
@given(
    st.integers(at("2025-01-01T00:00", BERLIN), at("2027-01-01T00:00", BERLIN)),
    st.sampled_from(["Asia/Bangkok", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "UTC"]),
    st.tuples(st.integers(0, 23), st.integers(0, 23)).filter(lambda hours: hours[0] != hours[1]),
    st.one_of(st.none(), st.integers(0, 23)),
)
def test_nothing_goes_out_in_quiet_hours_nor_before_it_was_decided(now, name, hours, hour):
    start, end = (f"{one:02}:00" for one in hours)
    zone = ZoneInfo(name)
    waits = not_before(Channel(outbound=True, valid_minutes=1_440, quiet=(start, end)), zone=zone, now=now, hour=hour)
    goes = now if waits is None else waits
    clock = datetime.fromtimestamp(goes, zone).time()
    first, last = time(hours[0]), time(hours[1])
    assert not (first <= clock < last if first < last else clock >= first or clock < last)
    assert goes >= now
    assert goes - now <= 49 * 3_600


@pytest.mark.parametrize(
    ("now", "hour", "goes"),
    [
        ("2025-11-24T12:00", None, None),
        ("2025-11-24T22:00", None, "2025-11-25T08:00"),
        ("2025-11-25T02:00", None, "2025-11-25T08:00"),
        ("2025-11-25T08:00", None, None),
        ("2025-11-24T12:00", 18, "2025-11-24T18:00"),
        ("2025-11-24T12:30", 12, None),
        ("2025-11-24T12:00", 23, "2025-11-25T08:00"),
        ("2025-11-24T22:00", 9, "2025-11-25T09:00"),
    ],
)
def test_it_waits_for_the_end_of_the_night_and_for_her_best_hour(now, hour, goes):
    waits = not_before(NIGHT, zone=BANGKOK, now=at(now, BANGKOK), hour=hour)
    assert waits == (None if goes is None else at(goes, BANGKOK))


def test_who_comes_to_us_waits_for_nothing():
    assert not_before(Channel(quiet=("00:00", "23:59")), zone=BANGKOK, now=0, hour=3) is None
    assert not too_late(Channel(quiet=("00:00", "23:59")), zone=BANGKOK, now=0)


@pytest.mark.parametrize(("valid", "late"), [(60, True), (600, True), (601, False)])
def test_what_would_be_out_of_date_in_the_morning_is_too_late(valid, late):
    way = Channel(outbound=True, valid_minutes=valid, quiet=("21:00", "08:00"))
    assert too_late(way, zone=BERLIN, now=at("2025-11-24T22:00", BERLIN)) is late
    assert not too_late(way, zone=BERLIN, now=at("2025-11-24T20:59", BERLIN))


@pytest.mark.parametrize(
    ("attributes", "zone"),
    [
        ({"time_zone": "Asia/Bangkok"}, BANGKOK),
        ({"timezone": "Europe/Berlin"}, BERLIN),
        ({"time_zone": "Mars/Olympus"}, UTC),
        ({"time_zone": "../../etc/passwd"}, UTC),
        ({"time_zone": 7}, UTC),
        ({}, UTC),
    ],
)
def test_her_zone_is_the_one_that_she_names_where_there_is_such_a_one(attributes, zone):
    assert zone_of(attributes, UTC) == zone
