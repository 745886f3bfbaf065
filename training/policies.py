"""Policies that a log of decisions can value: for each decision, with which chance they would have put each action first."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from models.off_policy import Rounds, ragged
from training.decision_log import Decided

EVIDENCE = 50.0  # decisions that the mean reward weighs as much as, in the reward of an action on a channel
SEED = 0  # of the halves
SILENCE = ""  # no action: the log never tried it where it had something to say

Chances = Mapping[str, float]
Policy = Callable[[Decided], Chances]
Reward = Callable[[Decided], float]


def as_logged(one: Decided) -> Chances:
    """What was done."""
    return one.chances


def uniform(one: Decided) -> Chances:
    """Every action that had a chance, alike."""
    return dict.fromkeys(one.chances, 1 / len(one.chances))


def likeliest(one: Decided) -> Chances:
    """No exploration: the action that had the best chance; of equals the first by id."""
    return {min(one.chances, key=lambda action: (-one.chances[action], action)): 1.0}


def always(action: str) -> Policy:
    """This action wherever it had a chance; elsewhere what was done."""
    return lambda one: {action: 1.0} if action in one.chances else one.chances


def without(actions: Collection[str]) -> Policy:
    """What was done, but for these actions: their chance goes to the others in proportion."""

    def left(one: Decided) -> Chances:
        kept = {action: chance for action, chance in one.chances.items() if action not in actions}
        whole = sum(kept.values())
        return {action: chance / whole for action, chance in kept.items()} if whole else {SILENCE: 1.0}

    return left


def recast(one: Decided) -> Chances:
    """What a changed catalogue would have done (training.recast)."""
    return one.recast


def answers(one: Decided) -> float:
    """1 where the customer took it up."""
    return float(one.answered)


def worth(one: Decided) -> float:
    """The value of the action where the customer took it up, less its cost: what arbitration maximises, in its unit."""
    return one.value * one.answered - one.cost


def seen_by(policy: Policy, decided: Sequence[Decided], reward: Reward = answers) -> Rounds:
    """The log as a policy sees it, a customer a unit."""
    wanted = [policy(one) for one in decided]
    rows = [
        (row, action, one.chances.get(action, 0.0), own.get(action, 0.0))
        for row, (one, own) in enumerate(zip(decided, wanted, strict=True))
        for action in sorted(one.chances.keys() | own.keys())
    ]
    row = np.array([nth for nth, *_ in rows], dtype=np.int64)
    cells = _numbered([(action, decided[nth].channel) for nth, action, *_ in rows])
    taken = np.flatnonzero([decided[nth].taken == action for nth, action, *_ in rows])
    rewards = np.array([reward(one) for one in decided], dtype=np.float64)
    unit = _numbered([one.customer_id for one in decided])
    return ragged(
        reward=rewards,
        row=row,
        taken=taken,
        logged=np.array([logged for *_, logged, _ in rows], dtype=np.float64),
        target=np.array([own for *_, own in rows], dtype=np.float64),
        model=_model(cells, taken, rewards, unit, row),
        unit=unit,
    )


def _model(
    cells: NDArray[np.int64],
    taken: NDArray[np.int64],
    reward: NDArray[np.float64],
    unit: NDArray[np.int64],
    row: NDArray[np.int64],
) -> NDArray[np.float64]:
    """float64[candidates]: the mean reward of the action on the channel among the other half of the customers, shrunk to their mean."""
    half = (np.random.default_rng(SEED).permutation(int(unit.max(initial=-1)) + 1) % 2)[unit]
    many = int(cells.max(initial=-1)) + 1
    means = []
    for other in (1, 0):
        some = half == other
        tried = np.bincount(cells[taken[some]], minlength=many)
        brought = np.bincount(cells[taken[some]], reward[some], minlength=many)
        mean = float(reward[some].mean()) if some.any() else 0.0
        means.append((brought + EVIDENCE * mean) / (tried + EVIDENCE))
    return np.stack(means)[half[row], cells]


def _numbered(values: Sequence[object]) -> NDArray[np.int64]:
    """int64[values]: equal values have equal numbers, from 0 in the order in which they come."""
    number = {value: nth for nth, value in enumerate(dict.fromkeys(values))}
    return np.array([number[value] for value in values], dtype=np.int64)
