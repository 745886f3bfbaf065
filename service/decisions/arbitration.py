"""Arbitration: which of the actions that may be chosen is worth most.

    priority = propensity · value · context · lever · fatigue · recency − cost

Every factor stands in the answer, so that anybody can recompute the priority. The form is that of the field (propensity × context × value ×
levers), with what tires the customer and what has just happened as factors of their own. All candidates are priced at once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.action_catalogue import Set, rows_of
from models.actions import Action
from models.propensity import Belief, Floats
from models.tariff import Rows, Tariff, of_tier
from service.decisions import budgets
from service.decisions.funnel import Look

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

    rows      int[candidates], of the catalogue         factors  float64[factors, candidates]
    priority  float64[candidates]                       belief   of the candidates
    """

    seen: Look
    rows: Rows
    factors: Floats
    priority: Floats

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, place: int) -> Candidate:
        action = self.seen.index.actions[self.rows[place]]
        return Candidate(action, Factors(*self.factors[:, place].tolist()), float(self.priority[place]))

    @property
    def tariff(self) -> Tariff:
        """The catalogue's."""
        return self.seen.index.tariff

    @cached_property
    def belief(self) -> Belief:
        """What is believed of the candidates."""
        return Belief(self.seen.belief.mean[self.rows], self.seen.belief.evidence[self.rows])

    @property
    def slope(self) -> Floats:
        """float64[candidates]: what a chance of 1 would be worth, before the cost."""
        return np.asarray(np.multiply.reduce(self.factors[1:6]))

    @property
    def cost(self) -> Floats:
        """float64[candidates]."""
        return np.asarray(self.factors[-1])


def ranked(passed: Set, seen: Look) -> Ranking:
    """Price and order them."""
    rows, tariff, at = rows_of(passed, len(seen.index.actions)), seen.index.tariff, seen.at
    lift = at.actions.policy.complaint_lift if at.complaint else 1.0
    factors = np.ones((len(Factors._fields), len(rows)))
    factors[0] = seen.belief.mean[rows]
    factors[[1, 2, 3, 6]] = tariff.fixed(at.picture.tiers, at.context, lift=lift, levers=at.arm != "no_levers")[:, rows]
    if seen.unanswered:
        factors[4][~tariff.serving[rows]] = _fatigue(seen)
    factors[5] = _recency(seen)[rows]
    priority = np.multiply.reduce(factors[:6]) - factors[6]
    order = np.lexsort((tariff.order[rows], -priority))
    return Ranking(seen, rows[order], factors[:, order], priority[order])


def _fatigue(seen: Look) -> float:
    policy = seen.at.actions.policy
    return math.exp(-of_tier(policy.fatigue, policy.fatigue_by_tier, seen.at.picture.tiers) * seen.unanswered)


def _recency(seen: Look) -> Floats:
    """float64[actions]. Without numpy's powers: they differ from machine to machine, and a replay must not."""
    factor = np.ones(len(seen.index.actions))
    for fact, curves in seen.index.tariff.recent.items():
        age = seen.at.picture.numbers.get(fact)
        if age is not None:
            for rows, boost, half_life in curves:
                factor[rows] = 1.0 + boost * 2.0 ** (-age / half_life)
    return factor


def too_little(ranking: Ranking) -> Mapping[str, Mask]:
    """bool[candidates] by code: who falls short of the price of a scarce budget, or of a chance. None is silence; the first code counts."""
    at, speaks = ranking.seen.at, ~ranking.tariff.silent[ranking.rows]
    short = {"MIN_PROPENSITY": speaks & (ranking.factors[0] < at.actions.policy.min_propensity)}
    paid = speaks & ranking.tariff.paid[ranking.rows]
    if at.allotted or not paid.any():
        return short
    least = budgets.least(at.channel, at.actions, at.levels, now=at.now)[ranking.rows]
    return {"BUDGET": paid & (ranking.priority < least), **short}
