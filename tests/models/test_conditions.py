"""Conditions of tiers: the same by replaying a life from its profile as by asking every day what was known on that day."""

from functools import reduce
from pathlib import Path

import numpy as np
import pytest

from models.conditions import NAMES, parse
from models.errors import InputError
from models.profile import DAY_S, EMPTY, Event, fold
from models.tiers import Tiers
from models.toml import Place

DAYS, WINDOW, GRACE = 420, 120, 10
EVENTS = ("purchase", "refund", "complaint", "complaint_resolved", "email_open")


def life(seed):
    """What a customer did: few enough that her profile forgets nothing."""
    rng = np.random.default_rng(seed)
    names = rng.choice(EVENTS, 24, p=[0.5, 0.1, 0.15, 0.1, 0.15])
    days = np.sort(rng.integers(20, DAYS - 60, 24))
    return [
        Event(
            str(name),
            int(day) * DAY_S + 60,
            f"i{rng.integers(0, 9)}",
            1.0,
            int(rng.integers(1, 90)) * 100,
            f"o{number}",
        )
        for number, (name, day) in enumerate(zip(names, days, strict=True))
    ]


def known(events, day):
    """What was known at the end of a day, straight from the events."""
    past = [(event.name, event.at // DAY_S, event) for event in events if event.at // DAY_S <= day]

    def spent(days):
        sign = {"purchase": 1, "refund": -1}
        return sum(sign.get(name, 0) * event.amount for name, on, event in past if on > day - days) / 100

    def count(wanted, days=10_000):
        return float(sum(name == wanted and on > day - days for name, on, _ in past))

    def since(wanted):
        found = [on for name, on, _ in past if name == wanted]
        return float(day - found[-1]) if found else float("nan")

    bought = {on for name, on, _ in past if name == "purchase"}
    return {
        "spend": max(spent(WINDOW), 0),
        "orders": float(sum(on > day - WINDOW for on in bought)),
        "refunds": count("refund", WINDOW),
        "complaints": count("complaint", WINDOW),
        "ever": spent(10_000),
        "order_days": float(len(bought)),
        "items": float(len({event.item_id for name, _, event in past if name == "purchase"})),
        "open": max(count("complaint") - count("complaint_resolved"), 0.0),
        "age": float(day - min(bought)) if bought else float("nan"),
        "away": since("purchase"),
        "spent": spent,
        "since": since,
    }


KNOWN = (  # a condition, and the same in Python over what was known
    ("customer.days_since_order <= 30.0", lambda of: of["away"] <= 30),
    ("customer.days_since_order < 20.5 || spend > 250.0", lambda of: of["away"] < 20.5 or of["spend"] > 250),
    ("!(customer.days_since_first_order < 40.0)", lambda of: of["age"] >= 40),
    ("customer.open_complaints == 0.0 && orders >= 1.0", lambda of: of["open"] == 0 and of["orders"] >= 1),
    ("complaints < 2.0 && refunds <= 1.0 && orders > 0.0", lambda of: of["complaints"] < 2 and of["refunds"] <= 1 and of["orders"]),
    ("spent(30) > 40.0", lambda of: of["spent"](30) > 40),
    ("spent(30) + spent(60) > 80.0", lambda of: of["spent"](30) + of["spent"](60) > 80),
    ("customer.items >= 4.0 && days_since('email_open') < 50.0", lambda of: of["items"] >= 4 and of["since"]("email_open") < 50),
    ("customer.spent > 30.0 * customer.order_days && orders > 0.0", lambda of: of["ever"] > 30 * of["order_days"] and of["orders"]),
    ("days_since('complaint') != 7.0 && customer.order_days > 2.0", lambda of: of["since"]("complaint") != 7 and of["order_days"] > 2),
)  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("condition", "truth"), KNOWN, ids=[condition for condition, _ in KNOWN])
def test_a_tier_by_any_condition_is_what_asking_every_day_would_have_made_of_it(condition, truth, seed):
    events = life(seed)
    profile, tiers = reduce(fold, events, EMPTY), tiers_by(condition)
    tier, below, differing = "member", None, []
    for day in range(DAYS):
        if truth(known(events, day)):
            tier, below = "gold", None
        elif tier == "gold":
            below = day if below is None else below
            if day >= below + GRACE:
                tier, below = "member", None
        if tiers.standing(profile, today=day).name != tier:
            differing.append(day)
    assert not differing


@pytest.mark.parametrize("seed", range(3))
def test_says_on_which_day_a_condition_on_an_age_lets_her_fall(seed):
    profile, tiers = reduce(fold, life(seed), EMPTY), tiers_by("customer.days_since_order <= 30.0")
    last = profile.bought_on[-1]
    until = tiers.standing(profile, today=last).until
    assert until == last + 31 + GRACE
    assert [tiers.standing(profile, today=day).name for day in (until - 1, until)] == ["gold", "member"]


def tiers_by(condition):
    parse(condition, Place("valet.toml", ""))
    edges = np.zeros(4)
    return Tiers(
        names=["member", "gold"], entry=np.zeros(2, int), maintenance=np.zeros(2, int), window_days=WINDOW, grace_days=GRACE,
        recency_edges=edges, frequency_edges=edges, monetary_edges=edges, interval_days=30.0, top_value=0, when=["", condition],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        (
            'attributes.city == "Trang"',
            "'attributes.city' is not known as of every day: an attribute is kept as it is now",
        ),
        ("consents.email == 'yes'", "a consent says what she allows now"),
        ("cart.total > 5.0", "a cart is kept as it is now"),
        ('views("shoes", 7) > 1.0', "of views only the newest days are kept"),
        ('searched("shoes", 7) > 1.0', "of searches only those since"),
        ('spend > 1.0 && days_since("view") < 5.0', "only the newest is kept"),
        ("customer.spnt > 5.0", "'customer.spnt' is unknown; known here: .*customer.spent"),
        ("spent(999) > 5.0", "whole days from 1 to 365"),
        ("customer.days_since_order / 2.0 < 5.0", "compare it with a number alone"),
        ("spend", "compare it"),
    ],
)
def test_what_is_not_known_as_of_every_day_is_refused_with_the_reason(condition, told):
    text = f"[[tiers.rules]]\nname = 'gold'\nwhen = '''{condition}'''\n"
    with pytest.raises(InputError, match=told) as raised:
        parse(condition, Place("valet.toml", text, ("tiers", "rules", "0", "when")))
    assert "valet.toml, line 3" in str(raised.value)


def test_every_name_is_in_the_page_that_says_what_may_be_read():
    page = Path("docs/profile.md").read_text(encoding="utf-8")
    assert [name for name in NAMES if f"`{name}`" not in page] == []
