from functools import reduce

import numpy as np
import orjson
import pytest

from models.lifetime import Lifetime
from models.profile import EMPTY, EVENTS, Event, describe, fold, rfc3339
from models.settings import DAY_S
from models.tiers import Tiers

NOW = 20_000 * DAY_S + 3_600
TIERS = Tiers(
    names=["bronze", "silver"], entry=np.array([0, 10_000]), maintenance=np.array([0, 8_000]), window_days=365, grace_days=30,
    recency_edges=np.array([10.0, 20, 30, 40]), frequency_edges=np.array([1.0, 2, 3, 4]), monetary_edges=np.array([100.0, 200, 300, 400]),
    interval_days=30.0, top_value=1_000_000,
)  # fmt: skip
LIFETIME = Lifetime(
    r=0.243, alpha=4.414, a=0.793, b=2.426, mbg_r=0.525, mbg_alpha=6.183, mbg_a=0.891, mbg_b=1.614,
    p=6.25, q=3.74, v=1544.0, mean_value=3_500.0, unit_s=7 * DAY_S,
)  # fmt: skip
KEYS = {
    "": "customer_id as_of tier lifecycle segment rfm orders expected intent fatigue satisfaction consents "
    "channels attributes segments cluster aliases "
    "degraded buys engagement person",
    "tier": "name since next missing counts keep",
    "rfm": "recency_days frequency monetary r f m",
    "orders": "count value currency first_at last_at mean_interval_days",
    "expected": "orders_6m orders_12m value_6m value_12m p_active next_order_at",
    "intent": "category colour price_band score_7d score_30d cart searches",
    "fatigue": "score parts",
    "satisfaction": "score parts",
}


def ago(days, name="purchase", item_id="a", amount=2_000, order_id=None):
    return Event(name, NOW - round(days * DAY_S), item_id, 1.0, amount, order_id)


def picture(*events, facts=None, now=NOW, lifetime=LIFETIME):
    profile = reduce(fold, events, EMPTY)
    return describe(
        profile, customer_id="c", facts=facts or {}, now=now, tiers=TIERS, lifetime=lifetime, currency="THB"
    )


@pytest.mark.parametrize("events", [(), (ago(5),), (ago(50), ago(20), ago(1))])
@pytest.mark.parametrize("lifetime", [None, LIFETIME])
def test_it_has_the_shape_of_the_contract_and_is_json(events, lifetime):
    found = picture(*events, lifetime=lifetime)
    for part, keys in KEYS.items():
        assert list(found[part] if part else found) == keys.split()
    orjson.dumps(found)


def test_of_a_stranger_little_is_known_and_nothing_invented():
    found = picture()
    assert found["tier"] == {
        "name": "bronze", "since": None, "next": "silver", "missing": 100.0, "counts": "spend",
        "keep": {"needed": 0.0, "short": None, "until": None},
    }  # fmt: skip
    assert (found["lifecycle"], found["segment"]) == ("visitor", None)
    assert found["orders"] == {
        "count": 0, "value": 0.0, "currency": "THB", "first_at": None, "last_at": None, "mean_interval_days": None,
    }  # fmt: skip
    assert set(found["expected"].values()) == {None}
    assert (found["fatigue"]["score"], found["satisfaction"]["score"]) == (0.0, 0.5)


def test_of_a_customer_the_numbers_are_those_of_her_orders():
    found = picture(ago(40, amount=7_000), ago(20, amount=2_000), ago(0, amount=1_000))
    assert found["orders"] == {
        "count": 3,
        "value": 100.0,
        "currency": "THB",
        "first_at": rfc3339(NOW - 40 * DAY_S),
        "last_at": rfc3339(NOW),
        "mean_interval_days": 20.0,
    }
    assert found["tier"] == {
        "name": "silver", "since": rfc3339(NOW // DAY_S * DAY_S), "next": None, "missing": None, "counts": "spend",
        "keep": {"needed": 80.0, "short": 70.0, "until": rfc3339((NOW // DAY_S - 40 + 365 + 30) * DAY_S)},
    }  # fmt: skip
    assert found["rfm"] == {"recency_days": 0, "frequency": 3, "monetary": 100.0, "r": 5, "f": 3, "m": 5}
    assert (found["lifecycle"], found["segment"]) == ("repeat", "potential_loyalist")


def test_what_depends_on_time_follows_the_clock_without_another_event():
    events = (ago(40, amount=11_000), ago(20))
    early, late = picture(*events), picture(*events, now=NOW + 800 * DAY_S)
    assert (early["tier"]["name"], late["tier"]["name"]) == ("silver", "bronze")
    assert (early["lifecycle"], late["lifecycle"]) == ("repeat", "lost")
    assert early["expected"]["p_active"] > late["expected"]["p_active"]
    assert early["rfm"]["recency_days"] + 800 == late["rfm"]["recency_days"]


def test_expected_orders_and_value_are_those_of_the_model():
    found = picture(ago(70, amount=3_000), ago(35, amount=3_000), ago(7, amount=5_000))["expected"]
    orders = LIFETIME.expected_orders(2, 9.0, 10.0, np.array([182.625, 365.25]) / 7)
    value = float(LIFETIME.expected_value(2, 4_000)) / 100
    assert [found["orders_6m"], found["orders_12m"]] == pytest.approx(orders.tolist())
    assert [found["value_6m"], found["value_12m"]] == pytest.approx((orders * value).tolist())
    assert found["p_active"] == pytest.approx(float(LIFETIME.p_active(2, 9.0, 10.0)))
    assert found["next_order_at"] > rfc3339(NOW)


def test_who_is_gone_has_no_next_order():
    assert picture(ago(3_000))["expected"]["next_order_at"] is None


def test_the_cart_has_its_value_and_age():
    cart = picture(ago(5), ago(1, "add_to_cart", "b", 500), ago(0.5, "add_to_cart", "c", 250))["intent"]["cart"]
    assert cart == {
        "items": [{"item_id": "b", "quantity": 1.0}, {"item_id": "c", "quantity": 1.0}],
        "value": 7.5,
        "updated_at": rfc3339(NOW - DAY_S // 2),
        "age_s": DAY_S // 2,
    }
    assert picture(ago(1, "add_to_cart", "b"), ago(0))["intent"]["cart"] is None


def test_searches_stand_newest_first_with_their_age_until_she_buys():
    def searched(days, term):
        return Event("search", NOW - round(days * DAY_S), extra={"search_term": term})

    found = picture(ago(5), searched(2, "hat"), searched(1, "Bag"))["intent"]["searches"]
    assert found == [
        {"term": "bag", "at": rfc3339(NOW - DAY_S), "age_s": DAY_S},
        {"term": "hat", "at": rfc3339(NOW - 2 * DAY_S), "age_s": 2 * DAY_S},
    ]
    assert picture(searched(1, "hat"), ago(0))["intent"]["searches"] == []
    assert picture(searched(1, "hat"), now=NOW - 2 * DAY_S)["intent"]["searches"] == []


@pytest.mark.parametrize(
    ("score", "worse", "better"),
    [
        (
            "fatigue",
            [ago(day, "email_sent", None) for day in range(5)],
            [ago(40 + day, "email_sent", None) for day in range(5)],
        ),
        ("fatigue", [ago(1, "email_sent", None)], [ago(1, "email_sent", None), ago(0, "email_open", None)]),
        ("fatigue", [ago(3, "unsubscribe", None)], []),
        ("fatigue", [ago(3, "complaint", None)], [ago(3, "complaint", None), ago(1, "complaint_resolved", None)]),
        ("satisfaction", [ago(3, "complaint", None)], [ago(3, "complaint", None), ago(1, "complaint_resolved", None)]),
        ("satisfaction", [ago(3, "complaint", None), ago(1, "complaint_resolved", None)], []),
        ("satisfaction", [ago(9), ago(3, "refund", "a", 10)], [ago(9)]),
        ("satisfaction", [], [ago(9)]),
    ],
)
def test_scores_tell_a_bad_time_from_a_good_one_and_are_made_of_their_parts(score, worse, better):
    bad, good = picture(*worse)[score], picture(*better)[score]
    assert (bad["score"] > good["score"]) == (score == "fatigue")
    for part in (bad, good):
        total = sum(part["parts"].values())
        assert part["score"] == pytest.approx(1 - np.exp(-total) if score == "fatigue" else 1 / (1 + np.exp(-total)))


def test_facts_are_shown_as_they_are_with_times_people_can_read():
    consent = {"purpose": "marketing", "channel": "email", "status": "granted", "at": NOW}
    found = picture(facts={"attributes": {"city": "กรุงเทพ"}, "consents": [consent], "aliases": ["c2"]})
    assert found["consents"] == [{**consent, "at": rfc3339(NOW)}]
    assert (found["attributes"], found["aliases"]) == ({"city": "กรุงเทพ"}, ["c2"])


@pytest.mark.parametrize("seed", range(20))
def test_no_life_however_odd_breaks_it(seed):
    rng = np.random.default_rng(seed)
    names = sorted(EVENTS)
    events = [
        Event(
            str(rng.choice(names)), int(rng.integers(0, 2 * NOW)), f"i{rng.integers(0, 5)}", float(rng.normal() * 5),
            int(rng.integers(-(10**9), 10**9)), rng.choice([None, "o1", "o2"]),
        )
        for _ in range(60)
    ]  # fmt: skip
    orjson.dumps(picture(*events))


@pytest.mark.parametrize(("at", "text"), [(0, "1970-01-01T00:00:00Z"), (10**18, None)])
def test_a_time_no_calendar_has_is_null(at, text):
    assert rfc3339(at) == text
