"""Off-policy evaluation: what a policy would have brought, from the log of another that wrote down its probabilities.

    w = π_e(a|x) / π_b(a|x)    the weight of a round: how much likelier the valued policy e does what the logging policy b did
    q̂(x, a)                    a model's reward of an action; it must not be fitted on the rounds that it is used for
    q̂(x, π_e) = Σ_a π_e(a|x) q̂(x, a)

Rounds of one customer are not independent, so variances are of sums per unit, by the delta method (see models.lift.ratio). What can be
said depends on how alike the two policies are: `refusals` says when nothing can.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.lift import Estimate, ratio

LEAST_EFFECTIVE = 100.0  # units; below, one or two of them decide the estimate, and its own variance cannot be trusted
LEAST_REWARDED = 10  # rounds with a reward; below, no normal interval holds
MOST_UNSUPPORTED = 0.05  # of what the policy would do, the share that the log never could have tried
MOST_ASTRAY = 4.0  # standard errors between the mean weight and what it must be
THRESHOLDS = 25

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Rounds:
    """A log as a policy sees it; float64[rounds] each, and `unit` int64[rounds], numbered from 0: who was dealt.

    predicted  q̂(x, a) of the action that was taken
    expected   q̂(x, π_e)
    done       q̂(x, π_b)
    choices    float64[2, candidates of all rounds]: the weight of each, ∞ where the logging policy gave it no chance, and π_e of it
    """

    reward: Values
    weight: Values
    predicted: Values
    expected: Values
    done: Values
    choices: Values
    unit: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.reward)

    def beyond(self, tau: float) -> float:
        """The share of what the valued policy would do that has a weight above τ; above the largest number: that never had a chance."""
        weight, chance = self.choices
        return float(chance[weight > tau].sum()) / len(self)

    @property
    def unsupported(self) -> float:
        """The share of what the valued policy would do that never had a chance."""
        return self.beyond(sys.float_info.max) if len(self) else 0.0


def rounds(
    *,
    reward: Values,
    action: NDArray[np.int64],
    logged: Values,
    target: Values,
    model: Values | None = None,
    unit: NDArray[np.int64] | None = None,
) -> Rounds:
    """Rounds of tables float64[rounds, actions]: `logged` π_b, `target` π_e, `model` q̂ (None: 0). `unit` None: each round is its own.

    Raises ValueError as `ragged` does.
    """
    many, wide = target.shape
    return ragged(
        reward=reward,
        row=np.repeat(np.arange(many), wide),
        taken=np.arange(many) * wide + action,
        logged=logged.ravel(),
        target=target.ravel(),
        model=None if model is None else model.ravel(),
        unit=unit,
    )


def ragged(
    *,
    reward: Values,
    row: NDArray[np.int64],
    taken: NDArray[np.int64],
    logged: Values,
    target: Values,
    model: Values | None = None,
    unit: NDArray[np.int64] | None = None,
) -> Rounds:
    """The same of rounds with candidates of their own: `row` int64[candidates] is the round of each, `taken` int64[rounds] the candidate taken.

    Raises ValueError for a round whose action had no chance: then the log does not hold the probabilities of what it logs.
    """
    chance = logged[taken]
    if not (chance > 0).all():
        raise ValueError(f"round {int(np.argmin(chance > 0))} took an action that its log gave no chance")
    predicted = np.zeros_like(target) if model is None else model
    weight = np.divide(target, logged, out=np.full_like(target, np.inf), where=logged > 0)
    return Rounds(
        reward=reward,
        weight=weight[taken],
        predicted=predicted[taken],
        expected=np.bincount(row, weights=target * predicted, minlength=len(reward)).astype(np.float64),
        done=np.bincount(row, weights=logged * predicted, minlength=len(reward)).astype(np.float64),
        choices=np.stack((weight, target))[:, target > 0],
        unit=np.arange(len(reward)) if unit is None else np.unique(unit, return_inverse=True)[1],
    )


def ips(log: Rounds) -> Estimate | None:
    """Inverse propensity score, mean(w r). Horvitz & Thompson 1952; Dudík, Langford & Li 2011 (ICML), section 2.1."""
    return _mean(log, log.weight * log.reward)


def snips(log: Rounds) -> Estimate | None:
    """Self-normalised, Σ w r / Σ w; None where all weights are 0. Swaminathan & Joachims 2015 (NIPS), section 4."""
    return ratio(_sums(log, log.weight * log.reward), _sums(log, log.weight))


def direct(log: Rounds) -> Estimate | None:
    """Direct method, mean q̂(x, π_e); its variance knows nothing of the model's error. Dudík, Langford & Li 2011, section 2.1."""
    return _mean(log, log.expected)


def doubly_robust(log: Rounds) -> Estimate | None:
    """Mean[q̂(x, π_e) + w (r − q̂(x, a))]: right where the weights or the model are. Dudík, Langford & Li 2011, section 3."""
    return _corrected(log, log.weight)


def switch(log: Rounds, threshold: float) -> Estimate | None:
    """Switch-DR, mean[q̂(x, π_e) + w 1{w ≤ τ} (r − q̂(x, a))]: the model alone where weights are large.

    Wang, Agarwal & Dudík 2017 (ICML), section 4.
    """
    return _corrected(log, np.where(log.weight <= threshold, log.weight, 0.0))


def threshold(log: Rounds) -> float:
    """τ of `switch` with the least bound of its squared error, among quantiles of the weights. Wang, Agarwal & Dudík 2017, section 4.1.

    The bound is its variance + (max |r| · the share of π_e with w > τ)²: what the model may miss where it stands alone.
    """
    most = float(np.abs(log.reward).max(initial=0.0))

    def bound(tau: float) -> float:
        found = switch(log, tau)
        missed = most * log.beyond(tau)
        return missed**2 + (0.0 if found is None else found.variance)

    grid = np.unique(np.quantile(log.weight, np.linspace(0, 1, THRESHOLDS)))
    return float(min(grid, key=lambda tau: bound(float(tau))))


def effective_size(weight: Values) -> float:
    """(Σ w)² / Σ w²: as many equal weights would say as much. Kish 1965; 0 where all weights are 0."""
    squares = float((weight**2).sum())
    return float(weight.sum()) ** 2 / squares if squares else 0.0


def gain(log: Rounds) -> Estimate | None:
    """How much more than the logging policy, both doubly robust and paired by round, so that what they share cancels."""
    return _mean(log, log.expected - log.done + (log.weight - 1) * (log.reward - log.predicted))


@dataclass(frozen=True)
class Valuation:
    """What a log says of a policy.

    effective  the effective sample size, in units    tau       of Switch-DR
    refusals   why nothing is said, in words          values    estimator -> estimate; empty where anything is refused
    done       what the logging policy brought        gain      of the valued policy over that; None where refused
    """

    rounds: int
    units: int
    effective: float
    mean_weight: float
    largest_weight: float
    unsupported: float
    refusals: tuple[str, ...]
    done: Estimate | None
    values: Mapping[str, Estimate]
    tau: float | None = None
    gain: Estimate | None = None


def value(log: Rounds) -> Valuation:
    """All estimators, or why none is told."""
    reasons = tuple(refusals(log))
    tau = None if reasons else threshold(log)
    found = {} if tau is None else {name: estimator(log) for name, estimator in estimators(tau).items()}
    return Valuation(
        rounds=len(log),
        units=int(log.unit.max(initial=-1)) + 1,
        effective=effective_size(_sums(log, log.weight)),
        mean_weight=float(log.weight.mean()) if len(log) else 0.0,
        largest_weight=float(log.weight.max(initial=0.0)),
        unsupported=log.unsupported,
        refusals=reasons,
        done=_mean(log, log.reward),
        values={name: estimate for name, estimate in found.items() if estimate is not None},
        tau=tau,
        gain=None if reasons else gain(log),
    )


def estimators(tau: float) -> dict[str, Callable[[Rounds], Estimate | None]]:
    """Estimator by name, as reports list them."""
    return {"IPS": ips, "SNIPS": snips, "DM": direct, "DR": doubly_robust, "Switch-DR": lambda log: switch(log, tau)}


def refusals(log: Rounds) -> Iterator[str]:
    """Why a log can say nothing of this policy; nothing where it can."""
    if len(log) == 0:
        yield "there is no round to value it on"
        return
    unsupported = log.unsupported
    if unsupported > MOST_UNSUPPORTED:
        yield f"{unsupported:.1%} of what it would do never had a chance in this log (at most {MOST_UNSUPPORTED:.0%}): explore first"
    effective = effective_size(_sums(log, log.weight))
    if effective < LEAST_EFFECTIVE:
        yield (
            f"the effective sample size is {effective:.1f} of {len(log):,} rounds (at least {LEAST_EFFECTIVE:.0f}): "
            "the log did too little of what it would do; wait, or value a policy nearer to the one that was used"
        )
    rewarded = int((log.reward != 0).sum())
    if rewarded < LEAST_REWARDED:
        yield f"{rewarded} rounds had a reward (at least {LEAST_REWARDED}): wait for outcomes"
    if effective >= LEAST_EFFECTIVE and (astray := _astray(log, 1 - unsupported)) > MOST_ASTRAY:
        yield (
            f"the mean weight is {log.weight.mean():.3f} where {1 - unsupported:.3f} is due, {astray:.1f} standard errors off: "
            "the logged probabilities are not those that the decisions were drawn with"
        )


def _astray(log: Rounds, due: float) -> float:
    """How many standard errors the mean weight lies off what it must be, E_b[w] = 1 − the unsupported share."""
    found = _mean(log, log.weight)
    if found is None:
        return 0.0
    off = abs(found.value - due)
    return 0.0 if off < 1e-9 else off / max(found.variance, 1e-18) ** 0.5


def _corrected(log: Rounds, weight: Values) -> Estimate | None:
    return _mean(log, log.expected + weight * (log.reward - log.predicted))


def _mean(log: Rounds, values: Values) -> Estimate | None:
    return ratio(_sums(log, values), np.bincount(log.unit).astype(np.float64))


def _sums(log: Rounds, values: Values) -> Values:
    """float64[units]"""
    return np.bincount(log.unit, weights=values).astype(np.float64)
