import numpy as np
import pytest

from models.profile import Event
from models.profile.habits import CHANNELS
from models.settings import DAY_S, TierRule, TierSettings
from tests.training.histories import history
from training.fit.tiers import INTERVAL_DAYS, fit, readable

NOW = 400 * DAY_S


def spenders(*amounts, day=399):
    return history(*((f"c{number:03}", "a", day, {"amount": amount}) for number, amount in enumerate(amounts)))


def test_the_shops_rules_are_in_minor_units_and_four_fifths_keep():
    rules = (TierRule("member"), TierRule("vip", 1_250.5, 900), TierRule("royal", 3_000))
    tiers = fit(spenders(1), TierSettings(window_days=180, grace_days=14, rules=rules), now=NOW)
    assert tiers.names == ["member", "vip", "royal"]
    assert tiers.entry.tolist() == [0, 125_050, 300_000]
    assert tiers.maintenance.tolist() == [0, 90_000, 240_000]
    assert (tiers.window_days, tiers.grace_days) == (180, 14)


def test_without_rules_thresholds_are_readable_quantiles_of_the_spend():
    tiers = fit(spenders(*(100 * (number + 1) for number in range(1_000))), TierSettings(), now=NOW)
    assert tiers.names == ["bronze", "silver", "gold", "platinum"]
    assert tiers.entry.tolist() == [0, 50_000, 80_000, 100_000]


def test_who_spent_long_ago_sets_no_threshold():
    rows = [(f"c{n}", "a", 399, {"amount": 1_000 * (n + 1)}) for n in range(50)] + [
        (f"d{n}", "a", 10, {"amount": 10**7}) for n in range(500)
    ]
    assert fit(history(*rows), TierSettings(), now=NOW).entry.max() < 100_000


@pytest.mark.parametrize("whole", [history(), spenders(0, 0, 0), spenders(500), spenders(500, 500, 500)])
def test_a_shop_without_enough_to_tell_customers_apart_has_tiers_that_rise(whole):
    tiers = fit(whole, TierSettings(), now=NOW)
    assert tiers.entry[0] == 0
    assert (np.diff(tiers.entry) > 0).all()
    assert tiers.interval_days == INTERVAL_DAYS
    assert tiers.rfm(0, 1, 0)


def test_edges_are_type_7_quintiles():
    rows = [(f"c{n}", "a", 399 - 10 * n, {"amount": 100 * n, "order": n}) for n in range(1, 12)]
    tiers = fit(history(*rows), TierSettings(), now=NOW)
    assert tiers.recency_edges.tolist() == pytest.approx([31, 51, 71, 91])
    assert tiers.monetary_edges.tolist() == pytest.approx([300, 500, 700, 900])
    assert tiers.frequency_edges.tolist() == [1, 1, 1, 1]


def test_the_shops_interval_is_the_median_of_its_customers_means():
    rows = (
        [("ann", "a", day) for day in (1, 11, 21)]
        + [("bob", "a", day) for day in (1, 41)]
        + [("cid", "a", day) for day in (5, 35)]
    )
    assert fit(history(*rows), TierSettings(), now=NOW).interval_days == 30


@pytest.mark.parametrize(
    ("value", "rounded"),
    [(0, 0), (-3, 0), (1, 1), (0.14, 0.15), (9.7, 10), (472.0, 500), (1_234, 1_000), (1_300, 1_500), (87_654, 80_000)],
)
def test_thresholds_are_numbers_one_can_say(value, rounded):
    assert readable(value) == pytest.approx(rounded)


def test_where_people_of_a_tier_do_what_they_do_leans_on_everybody():
    rows = [(f"c{n}", "a", 399, {"amount": 100 if n < 50 else 100_000}) for n in range(100)]
    seen = [(f"c{n}", "a", 398, {"event": "view_item"}) for n in range(50)]
    also = {f"c{n}": [Event("email_open", 398 * 86_400)] * 10 + [Event("poked", 1)] for n in range(50, 100)}
    rules = TierSettings(rules=(TierRule("basic", 0), TierRule("gold", 500)))
    tiers = fit(history(*rows, *seen), rules, now=NOW, also=also)
    basic, gold = (dict(zip(CHANNELS, tiers.channels_of(name), strict=True)) for name in ("basic", "gold"))
    assert gold["email"] > 0.9 > basic["email"] > 0.3
    assert basic["website"] > 0.3 > gold["website"] > 0
    assert sum(gold.values()) == pytest.approx(1, abs=1e-3)
    assert fit(history(*rows), rules, now=NOW).channels_of(None) == [0.0] * len(CHANNELS)
