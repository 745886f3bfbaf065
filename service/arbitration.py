"""Arbitration: which of the actions that may be chosen is worth most.

    priority = propensity · value · context · lever · fatigue · recency − cost

Every factor stands in the answer, so that anybody can recompute the priority. The form is that of the field (propensity × context × value ×
levers), with what tires the customer and what has just happened as factors of their own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from models.action_catalogue import Set, numbers
from models.actions import Action, Actions
from service import budgets
from service.funnel import Look

CONTEXT_RANGE = LEVER_RANGE = (0.1, 10.0)


class Factors(NamedTuple):
    """What makes a priority. fatigue is at most 1, recency at least 1; value and cost are in the catalogue's unit."""

    propensity: float
    value: float
    context: float
    lever: float
    fatigue: float
    recency: float
    cost: float

    @property
    def priority(self) -> float:
        """The product, less the cost."""
        return self.propensity * self.value * self.context * self.lever * self.fatigue * self.recency - self.cost

    @property
    def slope(self) -> float:
        """What a chance of 1 would be worth, before the cost."""
        return self.value * self.context * self.lever * self.fatigue * self.recency


def factors(action: Action, seen: Look) -> Factors:
    """The factors of one action in this situation."""
    return Factors(
        propensity=float(seen.belief.mean[seen.at.actions.rows[action.id]]),
        value=of_tier(action.value, action.value_by_tier, seen),
        context=_context(action, seen),
        lever=1.0 if seen.at.arm == "no_levers" else _lever(action, seen.at.actions),
        fatigue=_fatigue(action, seen),
        recency=_recency(action, seen),
        cost=of_tier(action.cost, action.cost_by_tier, seen),
    )


def of_tier(usual: float, by_tier: Mapping[str, float], seen: Look) -> float:
    """What holds for her tier, where something of its own does."""
    if not by_tier:
        return usual
    own = (by_tier[tier] for tier in seen.at.picture.tiers if tier in by_tier)
    return next(own, usual)


def _context(action: Action, seen: Look) -> float:
    factor = 1.0
    for pair, weight in action.context.items():
        key, _, value = pair.partition("=")
        if key in seen.at.context and _text(seen.at.context[key]) == value:
            factor *= weight
    if seen.at.complaint and action.class_ == "service":
        factor *= seen.at.actions.policy.complaint_lift
    return _within(factor, CONTEXT_RANGE)


def _lever(action: Action, actions: Actions) -> float:
    percent = action.lever + actions.levers.get(action.issue, 0.0) + actions.levers.get(action.group, 0.0)
    return _within(1.0 + percent / 100.0, LEVER_RANGE)


def _fatigue(action: Action, seen: Look) -> float:
    if action.serving or not seen.unanswered:
        return 1.0
    policy = seen.at.actions.policy
    return math.exp(-of_tier(policy.fatigue, policy.fatigue_by_tier, seen) * seen.unanswered)


def _recency(action: Action, seen: Look) -> float:
    if action.recency is None:
        return 1.0
    age = seen.at.picture.numbers.get(action.recency.since)
    return 1.0 if age is None else 1.0 + action.recency.boost * 2.0 ** (-age / action.recency.half_life)


def _within(factor: float, bounds: tuple[float, float]) -> float:
    return min(max(factor, bounds[0]), bounds[1])


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


class Candidate(NamedTuple):
    """An action that may be chosen, with its price."""

    action: Action
    factors: Factors
    priority: float


def ranked(passed: Set, seen: Look) -> list[Candidate]:
    """The candidates, best first; equal ones by id, so that the order is always the same."""
    actions = seen.index.actions
    priced = [(actions[number], factors(actions[number], seen)) for number in numbers(passed)]
    candidates = [Candidate(action, own, own.priority) for action, own in priced]
    return sorted(candidates, key=lambda candidate: (-candidate.priority, candidate.action.id))


def too_little(candidates: Sequence[Candidate], seen: Look) -> dict[str, str]:
    """Who falls short of the price of a scarce budget or of a chance, by action id, with the code."""
    short = ((one.action.id, _too_little(one, seen)) for one in candidates if one.action.class_ != "silence")
    return {action_id: code for action_id, code in short if code is not None}


def _too_little(one: Candidate, seen: Look) -> str | None:
    at = seen.at
    paid = one.action.budget is not None or one.action.stock is not None
    if paid and not at.allotted and budgets.too_dear(one.action, at.actions, at.levels, bid=one.priority, now=at.now):
        return "BUDGET"
    return "MIN_PROPENSITY" if one.factors.propensity < at.actions.policy.min_propensity else None
