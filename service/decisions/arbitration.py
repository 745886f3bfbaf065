"""Arbitration: which of the actions that may be chosen is worth most.

    priority = propensity · value · context · lever · fatigue · recency − cost

Every factor stands in the answer, so that anybody can recompute the priority. The form is that of the field (propensity × context × value ×
levers), with what tires the customer and what has just happened as factors of their own. All candidates are priced at once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.action_catalogue import rows_of
from models.actions import Action
from models.propensity import Floats
from models.tariff import Rows, Tariff, of_tier
from service.decisions import budgets
from service.decisions.funnel import Look, Passage

Mask = NDArray[np.bool_]


class Factors(NamedTuple):
    """What makes a priority. fatigue is at most 1, recency at least 1; value and cost are in the catalogue's unit."""

    propensity: float
    value: float
    context: float
    lever: float
    fatigue: float
    recency: float
    cost: float


class Candidate(NamedTuple):
    """An action that may be chosen, with its price."""

    action: Action
    factors: Factors
    priority: float


@dataclass(frozen=True)
class Ranking:
    """The candidates, best first; equal ones by id, so that the order is always the same.

    passage   who they are, and what is believed of each
    rows      int[candidates], of the catalogue         priority  float64[candidates]
    factors   float64[factors, actions], of the whole catalogue
    """

    seen: Look
    passage: Passage
    rows: Rows
    factors: Floats
    priority: Floats

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, place: int) -> Candidate:
        row = int(self.rows[place])
        return Candidate(
            self.seen.index.actions[row], Factors(*self.factors[:, row].tolist()), float(self.priority[place])
        )

    @property
    def tariff(self) -> Tariff:
        """The catalogue's."""
        return self.seen.index.tariff

    @property
    def slope(self) -> Floats:
        """float64[actions]: what a chance of 1 would be worth, before the cost."""
        return np.asarray(np.multiply.reduce(self.factors[1:6]))

    @property
    def cost(self) -> Floats:
        """float64[actions]."""
        return np.asarray(self.factors[6])


def ranked(passage: Passage, seen: Look) -> Ranking:
    """Price all, and order those who came through."""
    tariff, at = seen.index.tariff, seen.at
    lift = at.actions.policy.complaint_lift if at.complaint else 1.0
    factors = tariff.fixed(at.picture.tiers, at.context, lift=lift, levers=at.arm != "no_levers").copy()
    factors[0] = passage.belief.mean
    if seen.unanswered:
        factors[4][~tariff.serving] = _fatigue(seen)
    _recall(factors[5], seen)
    priority = np.multiply.reduce(factors[:6]) - factors[6]
    rows = rows_of(passage.passed, len(seen.index.actions))
    rows = rows[np.lexsort((tariff.order[rows], -priority[rows]))]
    return Ranking(seen, passage, rows, factors, priority[rows])


def _fatigue(seen: Look) -> float:
    policy = seen.at.actions.policy
    return math.exp(-of_tier(policy.fatigue, policy.fatigue_by_tier, seen.at.picture.tiers) * seen.unanswered)


def _recall(recency: Floats, seen: Look) -> None:
    """Set what counts more just after something. Without numpy's powers: they differ from machine to machine, and a replay must not."""
    for fact, curves in seen.index.tariff.recent.items():
        age = seen.at.picture.numbers.get(fact)
        if age is not None:
            for rows, boost, half_life in curves:
                recency[rows] = 1.0 + boost * 2.0 ** (-age / half_life)


def too_little(ranking: Ranking) -> Mapping[str, Mask]:
    """bool[candidates] by code: who falls short of the price of a scarce budget, or of a chance. None is silence; the first code counts."""
    seen, rows, short = ranking.seen, ranking.rows, dict[str, Mask]()
    at, tariff = seen.at, ranking.tariff
    if not at.allotted and ranking.passage.passed & seen.index.paid:
        least = budgets.least(at.channel, at.actions, at.levels, now=at.now)
        if least is not None:
            short["BUDGET"] = tariff.paid[rows] & (ranking.priority < least[rows])
    if at.actions.policy.min_propensity > 0:
        short["MIN_PROPENSITY"] = ranking.factors[0, rows] < at.actions.policy.min_propensity
    return {code: falls & ~tariff.silent[rows] for code, falls in short.items()}
