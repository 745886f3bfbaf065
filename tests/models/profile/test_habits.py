"""Where, when and how she deals with us, and what she buys."""

from functools import reduce

import pytest

from models.profile import EMPTY, Event, fold
from models.profile.habits import CHANNELS, buys, channel, engagement, hour, person
from tests.worlds import tiny_models

AT_9 = 1_767_258_000  # 2026-01-01 09:00 UTC
NIGHT = [0.0] * 22 + [0.5, 0.5]


def profile(*names, at=AT_9, item_id=None):
    return reduce(fold, [Event(name, at, item_id) for name in names], EMPTY)


def test_one_open_of_one_message_is_no_rate_of_one():
    found = engagement(profile("email_sent", "email_open", "referral", "review", "review"))
    assert (found["sent"], found["opened"], found["referrals"], found["reviews"]) == (1, 1, 1, 2)
    assert 0.2 < found["open_rate"] < 0.5
    assert engagement(EMPTY)["open_rate"] is None


@pytest.mark.parametrize(
    ("deeds", "reachable", "wanted"),
    [
        (["email_open", "call", "call"], ["email", "agent"], "agent"),
        (["email_open", "call", "call"], ["email", "sms"], "email"),  # never one that may not be used
        ([], ["sms", "email"], "sms"),
        (["email_open"], [], None),
    ],
)
def test_the_channel_is_the_reachable_one_that_she_uses_most(deeds, reachable, wanted):
    assert channel(profile(*deeds), reachable) == wanted


@pytest.mark.parametrize(
    ("deeds", "reachable", "wanted"),
    [
        ([], ["email", "agent"], "agent"),
        (["email_open"], ["email", "agent"], "agent"),  # one says less than her tier
        (["email_open"] * 6, ["email", "agent"], "email"),
        ([], ["sms", "line"], "sms"),  # of which her tier says nothing
    ],
)
def test_the_channel_leans_on_her_tier_as_long_as_little_is_known(deeds, reachable, wanted):
    shares = {"website": 0.9, "email": 0.01, "agent": 0.09}
    tier_channels = [shares.get(name, 0.0) for name in CHANNELS]
    assert channel(profile(*deeds), reachable, tier_channels=tier_channels) == wanted


@pytest.mark.parametrize(
    ("deeds", "zone", "prior", "wanted"),
    [
        (["view_item"], "UTC", (), 9),
        (["view_item"], "Asia/Bangkok", (), 16),
        (["view_item"], "nowhere", (), 9),
        (["view_item"], "UTC", NIGHT, 22),  # one view says less than her tier
        (["view_item"] * 20, "UTC", NIGHT, 9),
        (["email_sent"] * 20, "UTC", (), None),  # what we did is no habit of hers
        ([], "UTC", NIGHT, 22),
    ],
)
def test_the_hour_is_hers_in_her_zone_leaning_on_her_tier_as_long_as_little_is_known(deeds, zone, prior, wanted):
    assert hour(profile(*deeds), zone=zone, now=AT_9, tier_hours=prior) == wanted


def test_favourite_categories_are_those_of_what_she_kept():
    catalogue = tiny_models().catalogue
    rows = [row for row in range(len(catalogue)) if catalogue.category.code[row] >= 0 and catalogue.price[row] > 0]
    kept, back = (catalogue.items.text(row) for row in (rows[0], rows[-1]))
    bought = [Event("purchase", AT_9 + n, kept, 1, 100, f"o{n}") for n in range(3)]
    returned = [Event("purchase", AT_9, back, 1, 100, "o9"), Event("refund", AT_9 + 9, back, 1, 100, "o9")]
    found = buys(reduce(fold, [*bought, *returned], EMPTY), catalogue)
    assert found["favourite_categories"] == [{"category": catalogue.category.text(rows[0]), "share": 1.0}]
    assert (found["breadth"], found["price_band"] in ("low", "middle", "high", "top")) == (1, True)
    assert buys(EMPTY, catalogue) == buys(EMPTY, None) == {"favourite_categories": [], "breadth": 0, "price_band": None}


def test_a_person_is_her_attributes_and_null_where_nobody_said():
    assert person({"city": "Bangkok", "shoe_size": 38})["city"] == "Bangkok"
    assert person({})["persona"] is None
