"""What deciding is worth, on customers of whom it is known."""

import numpy as np
import pytest

from tests.training.histories import history
from training.decision_log import FULL, HOLDOUT, Dealt
from training.holdouts import WITHIN_DAYS, gather, scores, worth

DAY = 86_400
DECIDED = 100  # the day of everybody's first decision
MOVED = {"gold": 0.4, "new": 0.0}  # by how much decisions move a tier


def shop(n: int = 2_000, *, held_out: float = 0.5, seed: int = 0):
    """(dealt, history): a tenth buys anyhow, for 20.00; of gold customers decisions move four tenths more."""
    rng = np.random.default_rng(seed)
    dealt, rows = {}, [("nobody", "A", 200)]
    for nth in range(n):
        tier, arm = ("gold", "new")[nth % 2], HOLDOUT if rng.random() < held_out else FULL
        dealt[f"c{nth:04}"] = Dealt(DECIDED * DAY, arm, tier)
        if rng.random() < 0.1 + MOVED[tier] * (arm == FULL):
            rows.append((f"c{nth:04}", "A", DECIDED + 3, {"amount": 2_000, "order": nth}))
    return dealt, history(*rows)


def test_the_uplift_is_told_by_tier_with_intervals_that_hold_the_truth():
    held = []
    for seed in range(30):
        told = worth(*shop(400, seed=seed))
        bought = {one.group: one.difference for one in told.bought}
        assert list(bought) == ["all", "gold", "new"]
        for tier, due in {"all": 0.2, **MOVED}.items():
            low, high = bought[tier].interval
            held.append(low <= due <= high)
    assert 0.88 <= np.mean(held) <= 0.99


def test_the_uplift_of_spend_is_that_of_what_was_paid():
    told = worth(*shop())
    for bought, spend in zip(told.bought, told.spend, strict=True):
        assert spend.difference.value == pytest.approx(20 * bought.difference.value)


def test_the_curve_finds_whom_decisions_move_and_guesses_where_they_move_nobody():
    told = worth(*shop())
    assert told.curve.interval[0] > 0
    assert told.manifest["qini"]["gained"][-1] == pytest.approx(told.bought[0].difference.value, abs=1e-3)
    dealt, bought = shop()
    everybody = {who: Dealt(one.at, (FULL, HOLDOUT)[int(who[1:]) // 2 % 2], one.tier) for who, one in dealt.items()}
    low, high = worth(everybody, bought).curve.interval
    assert low < 0 < high


def test_a_customer_is_scored_by_the_others():
    people = gather(*shop(400))
    gold = np.array([tier == "gold" for tier in people.tiers])
    assert scores(people)[gold].mean() > scores(people)[~gold].mean() + 0.1


def test_only_what_was_bought_in_the_weeks_after_the_first_decision_counts():
    dealt = {name: Dealt(DECIDED * DAY, arm, "") for name, arm in (("a", FULL), ("b", HOLDOUT), ("c", "random"))}
    dealt["late"] = Dealt(190 * DAY, FULL, "")
    people = gather(
        dealt,
        history(
            ("a", "A", DECIDED - 1, {"order": 1, "amount": 100}),
            ("a", "A", DECIDED + WITHIN_DAYS + 1, {"order": 2, "amount": 100}),
            ("b", "A", DECIDED + WITHIN_DAYS, {"order": 3, "amount": 250}),
            ("nobody", "A", 200),
        ),
    )
    assert people.treated.tolist() == [True, False]
    assert people.bought.tolist() == [0, 1]
    assert people.spend.tolist() == [0, 2.5]
    assert people.before.tolist() == [1, 0]


def test_with_few_held_out_nothing_is_told_but_how_to_hold_out():
    told = worth(*shop(200, held_out=0.01))
    assert told.curve is None
    assert "50 of each are needed. Hold some out: arms.holdout in actions.toml." in told.refusal
    assert told.manifest["tiers"] == []


def test_a_history_without_times_cannot_tell():
    dealt, _ = shop(200)
    assert worth(dealt, history(("a", "A", 1), times=False)).refusal is not None
