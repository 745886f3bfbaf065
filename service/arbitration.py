"""Arbitration: which of the actions that may be chosen is worth most.

    priority = propensity · value · context · lever · fatigue · recency − cost

Every factor stands in the answer, so that anybody can recompute the priority. The form is that of the field (propensity × context × value ×
levers), with what tires the customer and what has just happened as factors of their own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from models.actions import Action, Actions
from service.funnel import Look
from service.ledger import Answers

CONTEXT_RANGE = LEVER_RANGE = (0.1, 10.0)
NO_ANSWERS = Answers()


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


def factors(action: Action, seen: Look) -> Factors:
    """The factors of one action in this situation."""
    return Factors(
        propensity=propensity(action, seen.answers.get(action.id, NO_ANSWERS) if seen.at.profiled else NO_ANSWERS),
        value=_value(action, seen),
        context=_context(action, seen),
        lever=_lever(action, seen.at.actions),
        fatigue=_fatigue(action, seen),
        recency=_recency(action, seen),
        cost=action.cost,
    )


def propensity(action: Action, answers: Answers) -> float:
    """The chance that she takes it: where the action starts, shrunk towards her own answers as they come.

    p = (evidence · start + positives) / (evidence + tries), the mean of a Beta posterior.
    """
    return (action.evidence * action.propensity + answers.positives) / (action.evidence + answers.tries)


def _value(action: Action, seen: Look) -> float:
    if not action.value_by_tier:
        return action.value
    own = (action.value_by_tier[tier] for tier in seen.at.picture.tiers if tier in action.value_by_tier)
    return next(own, action.value)


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
    return 1.0 if action.serving else math.exp(-seen.at.actions.policy.fatigue * seen.unanswered)


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


def ranked(passed: list[Action], seen: Look) -> list[Candidate]:
    """The candidates, best first; equal ones by id, so that the order is always the same."""
    priced = [(action, factors(action, seen)) for action in passed]
    candidates = [Candidate(action, own, own.priority) for action, own in priced]
    return sorted(candidates, key=lambda candidate: (-candidate.priority, candidate.action.id))


def chosen(
    candidates: list[Candidate], *, n: int, distinct_groups: bool, min_value: float
) -> tuple[list[Candidate], Mapping[str, str]]:
    """The best n; and for each other candidate its drop code.

    Silence is chosen only where nothing is worth saying: it has no priority to compare, and no company.
    """
    best: list[Candidate] = []
    silent: list[Candidate] = []
    groups: set[str] = set()
    dropped: dict[str, str] = {}
    for one in candidates:
        if one.action.class_ == "silence":
            silent.append(one)
        elif one.priority <= min_value:
            dropped[one.action.id] = "MIN_VALUE"
        elif distinct_groups and one.action.group in groups:
            dropped[one.action.id] = "DUPLICATE"
        elif len(best) == n:
            dropped[one.action.id] = "ARBITRATION"
        else:
            best.append(one)
            groups.add(one.action.group)
    spared = 0 if best else 1
    return best or silent[:1], dropped | {one.action.id: "ARBITRATION" for one in silent[spared:]}
