"""Tiers by any condition: training says of everybody what the service says of each."""

from collections import Counter
from functools import reduce

import numpy as np
import pytest

from models.profile import DAY_S, EMPTY, Event, describe, dump, fold, load
from models.settings import TierRule, TierSettings
from tests.training.histories import history
from training.census import census
from training.fit.tiers import fit
from training.profile_rows import rows_of
from training.profiles import Names, events_of, profiles

NOW = 400 * DAY_S
CONDITION = (
    "customer.days_since_order < 60.0 && customer.open_complaints == 0.0 && refunds <= 1.0 && customer.items >= 2.0"
)


def shop(seed):
    """A till, and the complaints that no till knows."""
    rng = np.random.default_rng(seed)
    rows = [
        (f"c{rng.integers(0, 30)}", f"i{rng.integers(0, 6)}", int(rng.integers(200, 390)), {
            "event": str(rng.choice(["purchase", "refund"], p=[0.8, 0.2])), "amount": int(rng.integers(1, 50)) * 100, "order": number,
        })
        for number in range(150)
    ]  # fmt: skip
    also = {f"c{number}": [Event("complaint", int(rng.integers(250, 390)) * DAY_S)] for number in range(0, 30, 3)}
    return history(*rows), also


def told_one_by_one(till, also):
    """Everybody's profile as the service makes it: every event folded in as it comes, and stored."""
    rows = rows_of(till, now=NOW)
    names = Names.of(rows)
    told: dict[str, list[Event]] = {customer_id: list(events) for customer_id, events in also.items()}
    for row, event in enumerate(events_of(rows, names)):
        told.setdefault(names.customers[int(rows.customer[row])], []).append(event)
    return {
        customer_id: load(dump(reduce(fold, sorted(events, key=lambda event: event.at), EMPTY)))
        for customer_id, events in told.items()
    }


def tier(profile, tiers):
    shown = describe(profile, customer_id="", facts={}, now=NOW, tiers=tiers, lifetime=None, currency=None)
    return shown["tier"]


@pytest.mark.parametrize("seed", range(3))
def test_a_tier_by_a_condition_is_the_same_in_training_and_in_the_service(seed):
    till, also = shop(seed)
    tiers = fit(till, TierSettings(rules=(TierRule("member"), TierRule("gold", when=CONDITION))), now=NOW, also=also)
    trained = {customer_id: load(document) for customer_id, document in profiles(till, now=NOW, also=also)}
    served = told_one_by_one(till, also)
    assert {name: tier(profile, tiers) for name, profile in trained.items()} == {
        name: tier(profile, tiers) for name, profile in served.items()
    }
    counted = Counter(tier(profile, tiers)["name"] for profile in served.values() if profile.bought_on)
    assert census(till, tiers, now=NOW, also=also).tiers == {name: counted[name] for name in ("member", "gold")}
    assert min(counted.values()) > 0
