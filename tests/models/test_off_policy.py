"""What a policy would have brought: exact on a log that holds every outcome as often as it is due, and refused where a log cannot say."""

from dataclasses import replace

import numpy as np
import pytest

from models.off_policy import (
    Rounds,
    direct,
    doubly_robust,
    effective_size,
    gain,
    ips,
    rounds,
    snips,
    switch,
    threshold,
    value,
)

Q = np.array([[0.1, 0.2, 0.3], [0.4, 0.1, 0.05]])  # what an action brings in each of two equally likely contexts
LOGGING = np.array([[0.5, 0.3, 0.2], [0.2, 0.3, 0.5]])
VALUED = np.array([[0.1, 0.1, 0.8], [0.8, 0.1, 0.1]])


def exact(model: float = 0.5, valued: np.ndarray = VALUED) -> Rounds:
    """A log of 400 rounds whose shares are the probabilities themselves; its model says `model` times the truth."""
    rows = [
        (x, a, reward)
        for x in range(2)
        for a in range(3)
        for nth in range(round(200 * LOGGING[x, a]))
        for reward in [float(nth < round(200 * LOGGING[x, a] * Q[x, a]))]
    ]
    x, a, reward = (np.array(column) for column in zip(*rows, strict=True))
    return rounds(reward=reward, action=a, logged=LOGGING[x], target=valued[x], model=model * Q[x])


def drawn(seed: int, n: int = 2_000, *, per_unit: int = 1, valued: np.ndarray = VALUED) -> Rounds:
    rng = np.random.default_rng(seed)
    unit = np.repeat(np.arange(n // per_unit), per_unit)
    x = rng.integers(0, 2, n // per_unit)[unit]
    a = (rng.random(n)[:, None] > np.cumsum(LOGGING[x], axis=1)).sum(axis=1)
    reward = (rng.random(n) < Q[x, a]).astype(float)
    return rounds(reward=reward, action=a, logged=LOGGING[x], target=valued[x], model=0.5 * Q[x], unit=unit)


@pytest.mark.parametrize(
    ("estimator", "due"),
    [
        (ips, 0.3025),
        (snips, 0.3025),
        (direct, 0.15125),
        (doubly_robust, 0.3025),
        (lambda log: switch(log, 0.0), 0.15125),
        (lambda log: switch(log, 1.0), 0.1625),
        (lambda log: switch(log, 2.0), 0.1625),
        (lambda log: switch(log, 4.0), 0.3025),
    ],
)
def test_the_expectations_of_the_worked_example_hold_to_nine_digits(estimator, due):
    assert estimator(exact()).value == pytest.approx(due, abs=1e-9)


def test_the_effective_share_and_the_logging_policys_own_value_are_those_of_the_worked_example():
    log = exact()
    assert effective_size(log.weight) / len(log) == pytest.approx(0.30737705, abs=5e-9)
    assert log.reward.mean() == pytest.approx(0.1525, abs=1e-9)
    assert gain(log).value == pytest.approx(0.15, abs=1e-9)


def test_a_right_model_alone_is_enough():
    assert direct(exact(model=1.0)).value == pytest.approx(0.3025, abs=1e-9)
    assert switch(exact(model=1.0), 0.0).value == pytest.approx(0.3025, abs=1e-9)


def test_the_policy_that_was_used_is_worth_what_it_brought_with_no_gain():
    log = exact(valued=LOGGING)
    assert set(log.weight.round(12)) == {1.0}
    assert ips(log).value == pytest.approx(0.1525, abs=1e-9)
    assert gain(log).variance == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("per_unit", [1, 5])
def test_ninety_five_percent_intervals_hold_the_truth_that_often(per_unit):
    estimators = (ips, snips, doubly_robust, gain)
    due = np.array([0.3025, 0.3025, 0.3025, 0.15])
    logs = [drawn(seed, 1_000, per_unit=per_unit) for seed in range(200)]
    bounds = np.array([[estimator(log).interval for estimator in estimators] for log in logs])
    held = ((bounds[:, :, 0] <= due) & (due <= bounds[:, :, 1])).mean(axis=0)
    assert (held >= 0.91).all()
    assert (held <= 0.99).all()


def test_what_a_customer_does_twice_is_said_once():
    log = drawn(1, 500)
    twice = rounds(
        reward=np.repeat(log.reward, 2),
        action=np.zeros(1_000, dtype=np.int64),
        logged=np.full((1_000, 1), 0.5),
        target=np.ones((1_000, 1)),
        unit=np.repeat(np.arange(500), 2),
    )
    once = rounds(
        reward=log.reward, action=np.zeros(500, dtype=np.int64), logged=np.full((500, 1), 0.5), target=np.ones((500, 1))
    )
    assert ips(twice).variance == pytest.approx(ips(once).variance)


def test_the_threshold_switches_off_a_weight_that_would_decide_alone_and_no_other():
    log = drawn(3)
    assert threshold(log) == log.weight.max()  # 4 at most: nothing to gain by switching
    n, often, seldom = (
        1_000,
        [0.5, 0.5],
        [1e-4, 1 - 1e-4],
    )  # ten rounds of a context where one action is hardly ever tried
    logged = np.array([often] * (n - 10) + [seldom] * 10)
    target = np.array([[0.6, 0.4]] * (n - 10) + [[0.1, 0.9]] * 10)
    action = np.append(np.arange(n - 10) % 2, [0] + [1] * 9)  # and was, by chance
    assert threshold(rounds(reward=np.ones(n), action=action, logged=logged, target=target)) <= 1.2


def test_a_policy_like_the_log_is_valued_by_every_estimator():
    told = value(drawn(4))
    assert told.refusals == ()
    assert list(told.values) == ["IPS", "SNIPS", "DM", "DR", "Switch-DR"]
    assert told.values["DR"].value == pytest.approx(0.3025, abs=0.05)
    assert told.gain.interval[0] > 0


def test_nothing_is_told_where_a_few_weights_decide():
    log = drawn(5)
    weight = np.full(len(log), 1e-3)
    weight[7] = 20_000.0
    told = value(replace(log, weight=weight))
    assert told.values == {}
    assert told.gain is None
    assert "effective sample size is 1.0 of 2,000 rounds" in told.refusals[0]


def test_many_rounds_of_a_few_customers_are_few():
    assert "effective sample size" in " ".join(value(drawn(5, per_unit=50)).refusals)


def test_what_the_log_never_tried_is_not_valued():
    logged = np.tile([0.5, 0.5, 0.0], (500, 1))
    target = np.tile([0.4, 0.4, 0.2], (500, 1))
    action = np.arange(500) % 2
    log = rounds(reward=np.ones(500), action=action, logged=logged, target=target)
    assert "20.0% of what it would do never had a chance" in value(log).refusals[0]


def test_probabilities_that_were_not_drawn_with_are_found():
    log = drawn(6)
    wrong = rounds(
        reward=log.reward,
        action=np.zeros(len(log), dtype=np.int64),
        logged=np.tile([0.2, 0.8], (len(log), 1)),
        target=np.tile([0.5, 0.5], (len(log), 1)),
    )
    assert "not those that the decisions were drawn with" in " ".join(value(wrong).refusals)


def test_too_few_rewards_are_no_ground():
    log = drawn(7)
    assert value(replace(log, reward=np.zeros(len(log)))).refusals == (
        "0 rounds had a reward (at least 10): wait for outcomes",
    )


def test_an_empty_log_says_so():
    none = np.zeros((0, 1))
    told = value(rounds(reward=none[:, 0], action=np.zeros(0, dtype=np.int64), logged=none, target=none))
    assert told.refusals == ("there is no round to value it on",)
    assert told.units == 0


def test_an_action_that_had_no_chance_is_an_error_of_the_log():
    one = np.ones((1, 1))
    with pytest.raises(ValueError, match="round 0 took an action that its log gave no chance"):
        rounds(reward=np.ones(1), action=np.zeros(1, dtype=np.int64), logged=0 * one, target=one)
