"""The tariff: what every action of a catalogue is worth, costs, and gains by the moment, as arrays, row for row of its actions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.actions import Action, Actions
from models.propensity import Floats

CONTEXT_RANGE = LEVER_RANGE = (0.1, 10.0)
MOST = 256  # kept: combinations of a tier and what is said of a moment
Rows = NDArray[np.intp]
Key = tuple[tuple[str, ...], tuple[tuple[str, str], ...], float, bool]


class Weights(NamedTuple):
    """Some rows and their factors."""

    rows: Rows
    factors: Floats


class Fading(NamedTuple):
    """Some rows whose factor fades with the age of a fact: 1 + boost · 2^(−age / half-life)."""

    rows: Rows
    boost: float
    half_life: float


class Tariff:
    """Of one catalogue. What depends on tier and moment is made when it is first asked for.

    levers  float64[actions]                serving, silent, caring  bool[actions]; caring: of the class `service`
    order   int[actions], by id             paid  bool[actions], by a budget or out of stock
    groups  int[actions], equal numbers for equal groups
    recent  fact -> the actions that count more just after it
    """

    def __init__(self, catalogue: Actions) -> None:
        actions = self._actions = catalogue.actions
        self.levers = _levers(catalogue)
        self.serving = np.array([one.serving for one in actions], dtype=np.bool_)
        self.silent = np.array([one.class_ == "silence" for one in actions], dtype=np.bool_)
        self.caring = np.array([one.class_ == "service" for one in actions], dtype=np.bool_)
        self.paid = np.array([one.budget is not None or one.stock is not None for one in actions], dtype=np.bool_)
        self.order = np.empty(len(actions), dtype=np.intp)
        self.order[sorted(range(len(actions)), key=lambda row: actions[row].id)] = np.arange(len(actions))
        self.groups = _numbered([one.group for one in actions])
        self.recent = _recent(actions)
        self._layers = _layers(actions)
        self._weighed = frozenset(pair for layer in self._layers for pair in layer)
        self._fixed: dict[Key, Floats] = {}

    def fixed(self, tiers: tuple[str, ...], said: Mapping[str, object], *, lift: float, levers: bool) -> Floats:
        """float64[7, actions]: the factors of a priority for who answers to these names of a tier, at a moment of which this is said.

        What hangs on more than that is 1: propensity (row 0), fatigue (4), recency (5). Value, context, lever and cost are 1, 2, 3, 6.
        lift  of service     levers  whether they count
        """
        pairs = tuple(pair for pair in ((key, text(value)) for key, value in said.items()) if pair in self._weighed)
        key = tiers, pairs, lift, levers
        found = self._fixed.get(key)
        if found is None:
            if len(self._fixed) >= MOST:
                self._fixed.clear()
            values = [of_tier(one.value, one.value_by_tier, tiers) for one in self._actions]
            costs = [of_tier(one.cost, one.cost_by_tier, tiers) for one in self._actions]
            ones = np.ones(len(self._actions))
            lever = self.levers if levers else ones
            found = np.array([ones, values, self._context(pairs, lift), lever, ones, ones, costs])
            self._fixed[key] = found
        return found

    def _context(self, pairs: Sequence[tuple[str, str]], lift: float) -> Floats:
        """The factors of what is said of the moment, in the order in which an action names them."""
        factor = np.ones(len(self._actions))
        for layer in self._layers:
            for pair in pairs:
                if pair in layer:
                    factor[layer[pair].rows] *= layer[pair].factors
        factor[self.caring] *= lift
        return np.minimum(np.maximum(factor, CONTEXT_RANGE[0]), CONTEXT_RANGE[1])


def of_tier(usual: float, by_tier: Mapping[str, float], tiers: Sequence[str]) -> float:
    """What holds for the first of these tiers that has something of its own, else what is usual."""
    return next((by_tier[tier] for tier in tiers if tier in by_tier), usual) if by_tier else usual


def text(value: object) -> str:
    """A value of the context as catalogues write it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _levers(catalogue: Actions) -> Floats:
    levers = catalogue.levers
    percent = [one.lever + levers.get(one.issue, 0.0) + levers.get(one.group, 0.0) for one in catalogue.actions]
    return np.clip(1.0 + np.array(percent) / 100.0, *LEVER_RANGE)


def _numbered(names: Sequence[str]) -> Rows:
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return np.array([numbers[name] for name in names], dtype=np.intp)


def _recent(actions: Sequence[Action]) -> Mapping[str, Sequence[Fading]]:
    facts = dict.fromkeys(one.recency.since for one in actions if one.recency is not None)
    found: dict[str, dict[tuple[float, float], list[int]]] = {fact: {} for fact in facts}
    for row, one in enumerate(actions):
        if one.recency is not None:
            curve = one.recency.boost, one.recency.half_life
            found[one.recency.since].setdefault(curve, []).append(row)
    return {
        fact: [Fading(np.array(rows, dtype=np.intp), *curve) for curve, rows in curves.items()]
        for fact, curves in found.items()
    }


def _layers(actions: Sequence[Action]) -> list[dict[tuple[str, str], Weights]]:
    """By the place at which an action names a pair, so that factors are multiplied in one order wherever they are."""
    found: list[dict[tuple[str, str], list[tuple[int, float]]]] = []
    for row, action in enumerate(actions):
        for place, (pair, weight) in enumerate(action.context.items()):
            key, _, value = pair.partition("=")
            while len(found) <= place:
                found.append({})
            found[place].setdefault((key, value), []).append((row, weight))
    return [
        {
            pair: Weights(np.array([row for row, _ in own], dtype=np.intp), np.array([weight for _, weight in own]))
            for pair, own in layer.items()
        }
        for layer in found
    ]
