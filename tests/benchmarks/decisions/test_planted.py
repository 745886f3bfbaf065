"""Simulated customers, cut small: who tries misses less than who does not, and the same seed gives the same."""

import numpy as np
import pytest

from benchmarks.decisions import planted
from benchmarks.decisions.planted import POLICIES, regret, run, world

SMALL = 8_000


def test_thompson_misses_less_than_greedy_and_than_a_tenth_at_random():
    worlds = [world(seed, SMALL) for seed in range(6)]
    means = {
        name: np.mean([regret(truth, POLICIES[name], seed) for seed, truth in enumerate(worlds)])
        for name in ("thompson", "epsilon-greedy 10 %", "greedy")
    }
    assert means["thompson"] < min(means["epsilon-greedy 10 %"], means["greedy"])


def test_the_same_seed_gives_the_same_and_regret_is_a_share():
    truth = world(3, 800)
    found = regret(truth, planted.thompson, 3)
    assert found == regret(truth, planted.thompson, 3)
    assert 0 < found < 1
    oracle = [regret(world(3, 800), lambda *_: np.eye(planted.ACTIONS)[0], 3)]
    assert oracle[0] > 0


def test_the_table_says_how_many_seeds_and_compares_by_seed():
    rows = run(seeds=2, decisions=400)
    assert [row.method for row in rows] == list(POLICIES)
    assert rows[0].ours
    assert rows[3].values["more than thompson"] == pytest.approx(rows[3].values["regret"] - rows[0].values["regret"])
