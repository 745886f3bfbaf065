"""Planted propensities: simulated customers whose chances are known, so that what trying costs can be counted to the last one.

24 seeds, 20,000 decisions each, 12 actions in 3 groups × 4 tiers, every chance drawn for itself from Beta(2, 30), answered at once, nothing
changes. Regret is what the best action of the tier would have brought more, as a share of that. All policies learn the same way (the
product's counters and beliefs) from the same customers with the same luck; they differ in how they choose alone.

What the product chooses by (models.thompson.SHARPER, models.propensity.Learning.cell_evidence) was chosen on seeds 1000 to 1039, not on these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.rows import Row
from models.propensity import EPOCH, Belief, Count, Floats, Learning, Starts, believe, tallied
from models.thompson import closed_form, drawn, hope, shares, worths
from training import metrics

DATASET = "planted"
ACTIONS, GROUPS, TIERS = 12, 3, 4
SEEDS, DECISIONS = 24, 20_000
BLOCK = 80  # decisions between two looks at the counters, 20 a tier: the service looks twice a second
EPSILON = 0.1
STARTS = Starts.of([(f"a{action}", f"g{action % GROUPS}", 0.05, 20.0) for action in range(ACTIONS)])
LEARNING = Learning(half_life_days=3650)  # nothing changes
ONES, NOUGHTS = np.ones(ACTIONS), np.zeros(ACTIONS)

Policy = Callable[[Belief, np.random.Generator], Floats]  # float64[actions]: the chance of each to be chosen


def thompson(belief: Belief, rng: np.random.Generator) -> Floats:
    """Ours: the shares of draws in which each is the best."""
    rows, worth = worths(belief, ONES, NOUGHTS, int(rng.integers(1 << 63)))
    chances = np.zeros(ACTIONS)
    chances[rows] = shares(worth)
    return chances


def formula(belief: Belief, _: np.random.Generator) -> Floats:
    """Our closed form."""
    return closed_form(hope(belief, ONES, NOUGHTS, errors=1.0))


def greedy(belief: Belief, _: np.random.Generator) -> Floats:
    """The best as far as is known."""
    return np.asarray(np.eye(ACTIONS)[belief.mean.argmax()])


def epsilon_greedy(belief: Belief, rng: np.random.Generator) -> Floats:
    """The best, and in a tenth of the decisions any."""
    return (1 - EPSILON) * greedy(belief, rng) + EPSILON / ACTIONS


POLICIES: Mapping[str, Policy] = {
    "thompson": thompson,
    "closed form": formula,
    "epsilon-greedy 10 %": epsilon_greedy,
    "greedy": greedy,
}


@dataclass(frozen=True)
class World:
    """One seed's truth. chance: float64[tiers, actions]; tier: int[decisions]; luck: float64[decisions], taken where below the chance."""

    chance: Floats
    tier: NDArray[np.int64]
    luck: Floats


def world(seed: int, decisions: int) -> World:
    """The truth of a seed."""
    rng = np.random.default_rng(seed)
    return World(rng.beta(2, 30, (TIERS, ACTIONS)), rng.integers(TIERS, size=decisions), rng.random(decisions))


def regret(truth: World, policy: Policy, seed: int) -> float:
    """What the policy missed, as a share of what the best would have brought."""
    rng = np.random.default_rng([seed, 1])
    counts: dict[str, Count] = {}
    best = truth.chance.max(axis=1)
    missed = 0.0
    for start in range(0, len(truth.tier), BLOCK):
        tier, luck = truth.tier[start : start + BLOCK], truth.luck[start : start + BLOCK]
        chances = np.array([policy(_belief(counts, own), rng) for own in range(TIERS)])
        action = np.array([drawn(chances[own], point) for own, point in zip(tier, rng.random(len(tier)), strict=True)])
        missed += float((best[tier] - truth.chance[tier, action]).sum())
        _tell(counts, action, tier, luck < truth.chance[tier, action])
    return missed / float(best[truth.tier].sum())


def _belief(counts: Mapping[str, Count], tier: int) -> Belief:
    return believe(STARTS, counts, LEARNING, channel="website", tier=str(tier), now=EPOCH)


def _tell(
    counts: dict[str, Count], actions: NDArray[np.int64], tiers: NDArray[np.int64], taken: NDArray[np.bool_]
) -> None:
    tried = np.zeros((ACTIONS, TIERS, 2), dtype=np.int64)
    np.add.at(tried, (actions, tiers), np.column_stack([np.ones_like(actions), taken]))
    for action, tier in zip(*np.nonzero(tried[:, :, 0]), strict=True):
        added = tallied(
            LEARNING,
            action=STARTS.actions[action],
            group=STARTS.groups[STARTS.group[action]],
            channel="website",
            tier=str(tier),
            at=EPOCH,
            tried=int(tried[action, tier, 0]),
            taken=int(tried[action, tier, 1]),
        )
        for name, one in added.items():
            before = counts.get(name, Count())
            counts[name] = Count(before.tries + one.tries, before.positives + one.positives)


def run(*, seeds: int = SEEDS, decisions: int = DECISIONS) -> list[Row]:
    """The rows of the table: mean regret with its interval over seeds, and ours beside each other, paired by seed."""
    worlds = [world(seed, decisions) for seed in range(seeds)]
    found = {
        name: np.array([regret(truth, policy, seed) for seed, truth in enumerate(worlds)])
        for name, policy in POLICIES.items()
    }
    return [_row(name, regrets, found["thompson"], decisions) for name, regrets in found.items()]


def _row(name: str, regrets: Floats, ours: Floats, decisions: int) -> Row:
    paired = regrets - ours
    values, interval = {"regret": metrics.mean(regrets)}, {"regret": metrics.interval(regrets)}
    if name != "thompson":
        values["more than thompson"], interval["more than thompson"] = metrics.mean(paired), metrics.interval(paired)
    return Row(
        DATASET,
        name,
        values,
        ours=name == "thompson",
        interval=interval,
        note=f"{len(regrets)} seeds × {decisions:,} decisions; thompson lower in {int((paired > 0).sum())}"
        if name != "thompson"
        else f"{len(regrets)} seeds × {decisions:,} decisions",
    )
