from functools import reduce

import numpy as np
import pytest

from models.profile import EMPTY, Event, dump, fold, load, unanswered
from models.profile.fold import SHOWN, SHOWN_DAYS
from models.settings import DAY_S

TODAY = 100
NOW = TODAY * DAY_S + 1_000


def seen(*days, item_id="dress"):
    return [Event("view_item_list", int(day * DAY_S) + 500, item_id) for day in days]


def sent(day, item_id="dress"):
    return Event("email_sent", int(day * DAY_S) + 500, item_id)


def folded(events):
    return reduce(fold, events, EMPTY)


@pytest.mark.parametrize(
    ("events", "tired"),
    [
        (seen(98, 99, 100), True),
        (seen(94, 95, 97, 99), True),
        (seen(99, 100), False),
        (seen(100, 100, 100.001, 100.002), False),  # a page that is loaded again and again
        (seen(80, 81, 82), False),  # long ago
        (seen(93, 99, 100), False),  # one of them is a week old
        ([*seen(98, 99, 100), Event("select_item", NOW, "dress")], False),
        ([Event("view_item", 98 * DAY_S, "dress"), *seen(98, 99, 100)], False),
        ([Event("purchase", 97 * DAY_S, "dress"), *seen(98, 99, 100)], True),
        ([sent(95)], True),
        ([sent(93)], True),  # last week's mailing
        ([sent(91)], False),
        ([sent(95), Event("view_item", 96 * DAY_S, "dress")], False),
        ([sent(95), Event("view_item", 96 * DAY_S, "shoes")], True),
        (seen(101, 102, 103), False),  # later than now
    ],
)
def test_tired_is_what_was_shown_on_three_days_of_a_week_or_sent_and_not_answered(events, tired):
    assert unanswered(folded(events), now=NOW) == (["dress"] if tired else [])


def test_what_was_shown_is_bounded_and_the_newest():
    events = [event for day in range(90) for event in seen(day, item_id=f"i{day:03}")] + seen(
        *range(80, 90), item_id="x"
    )
    shown = folded(events).shown
    assert list(shown)[-2:] == ["i089", "x"]
    assert len(shown) == SHOWN
    assert shown["x"].days == tuple(range(90 - SHOWN_DAYS, 90))
    assert len(dump(folded(events))) < 4_000


@pytest.mark.parametrize("seed", range(20))
def test_events_that_come_late_give_the_same_profile(seed):
    rng = np.random.default_rng(seed)
    events = [
        Event(
            str(rng.choice(["view_item_list", "email_sent"])),
            int(rng.integers(0, 20)) * DAY_S // 2,
            f"i{rng.integers(9)}",
        )
        for _ in range(60)
    ]
    shuffled = folded([events[place] for place in rng.permutation(60)])
    assert dump(shuffled) == dump(folded(sorted(events, key=lambda event: event.at)))
    assert load(dump(shuffled)) == shuffled


def test_a_message_of_many_items_is_one_message():
    profile = folded([sent(99, item_id) for item_id in "abcdef"])
    assert profile.counts["email_sent"] == len(profile.recent) == 1
    assert unanswered(profile, now=NOW) == list("abcdef")


def test_a_profile_written_before_lists_were_noted_is_read():
    assert load(dump(folded([Event("login", 5)]))).shown == {}
