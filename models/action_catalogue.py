"""The catalogue as decisions use it: the actions of `actions.toml`, checked, with their conditions compiled and an index of who may be where.

    actions.toml (or what PUT /actions sent) → models.toml builds dataclasses → models.action_checks → models.action_rules → Catalogue

A decision asks the same of all actions, so the index answers for all at once: a set of actions is an int, one bit an action in the order of
the catalogue, and what is asked 200 times elsewhere is one `&` here.
"""

from __future__ import annotations

import dataclasses
import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from models.action_checks import check
from models.action_rules import NAMES, STAGES, Reads, Rules, compiled, needed, profiled
from models.actions import Action, Actions, Treatment
from models.budgets import Period, Pools
from models.clauses import Clauses
from models.formulas import Value
from models.rules import Names, Rule
from models.sieve import Sieve, sieve
from models.tariff import Rows, Tariff
from models.toml import Place, build, construct

MOST_ACTIONS = 2_000  # a decision looks at all of them

MOST_PLACES = 256  # whose forms are kept: names of placements come from outside

Set = int  # of actions: bit n is action n


@dataclass(frozen=True)
class Catalogue(Actions):
    """Actions that have passed all checks; `conditions` are theirs, ready to be asked, and `known` is what those may read."""

    conditions: Rules = field(default_factory=dict, compare=False, repr=False)
    known: Names = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def index(self) -> Index:
        """Which actions are what."""
        return Index(self)


@dataclass(frozen=True)
class Forms:
    """How actions look at one place, by the number of the action; `all`: which have a form there."""

    by_number: Mapping[int, Treatment]
    all: Set


class Index:
    """Sets of actions by what is asked of them. Made once a catalogue; forms of a place are made when it is first asked for."""

    def __init__(self, catalogue: Catalogue) -> None:
        actions = catalogue.actions
        self.actions = actions
        self.all: Set = (1 << len(actions)) - 1
        self.number = catalogue.rows
        self.active = self._where(lambda one: one.state == "active")
        self.serving = self._where(lambda one: one.serving)
        self.silent = self._where(lambda one: one.class_ == "silence")
        self.purposes = self._by(lambda one: [] if one.serving else [one.purpose])
        self.channels = self._by(lambda one: one.forms)
        self.groups = self._by(lambda one: [one.group])
        self.tariff = Tariff(catalogue)
        self.paid = self._where(lambda one: one.budget is not None or one.stock is not None)
        self.any_tier = self._where(lambda one: not one.tiers)
        self.tiers = self._by(lambda one: one.tiers)
        self.any_lifecycle = self._where(lambda one: not one.lifecycles)
        self.lifecycles = self._by(lambda one: one.lifecycles)
        self.limited = self._where(lambda one: bool(one.limits))
        self.closed = self._where(lambda one: any(limit.contacts == 0 for limit in one.limits))
        self.suppressing = frozenset(rest.outcome for rest in catalogue.suppressions)
        self.ramped = self._where(lambda one: one.ramp is not None)
        rules = {stage: catalogue.conditions.get(stage, {}) for stage in STAGES}
        reading = {name for asked in rules.values() for name, rule in asked.items() if profiled(rule)}
        self.profiled = self._where(lambda one: _reads_profile(one) or one.id in reading)
        self.sieve = self._sieve(rules)
        self.by_cel = {
            stage: {self.number[name]: rule for name, rule in asked.items() if rule.clauses is None}
            for stage, asked in rules.items()
        }
        asked = (rule for rules in self.by_cel.values() for rule in rules.values())
        self.read_by_cel = frozenset(name for rule in asked for name in rule.names)
        self.reads = Reads.of(self.sieve.names | self.read_by_cel, catalogue.known)
        self.draws: dict[str, Period] = {}  # by action, see service.decisions.budgets; made when first asked for
        self.pools: dict[str, Pools] = {}  # by channel, likewise
        self._forms: dict[tuple[str, str | None, str], Forms] = {}
        bounds = {bound for one in actions for bound in one.lifespan if math.isfinite(bound)}
        self._bounds = sorted(bounds)
        self._living = [self._alive(at) for at in (-math.inf, *self._bounds)]

    def living(self, now: int) -> Set:
        """The actions within their dates."""
        return self._living[bisect_right(self._bounds, now)]

    def forms(self, channel: str, placement: str | None, language: str) -> Forms:
        """How each action looks at a place, for those who read this language."""
        key = channel, placement, language
        found = self._forms.get(key)
        if found is None:
            there = {n: form for n, one in enumerate(self.actions) if (form := treatment(one, *key)) is not None}
            found = Forms(there, union(1 << number for number in there))
            if len(self._forms) >= MOST_PLACES:
                self._forms.clear()
            self._forms[key] = found
        return found

    def ids(self, chosen: Set) -> list[str]:
        """The ids of a set, in the order of the catalogue."""
        return [self.actions[number].id for number in numbers(chosen)]

    def _clauses(self, stage: str, asked: Mapping[str, Rule]) -> dict[int, Clauses]:
        """The plain conditions of a stage by the number of their action, `needs` among those of APPLICABILITY."""
        found = {self.number[name]: rule.clauses for name, rule in asked.items() if rule.clauses is not None}
        if stage == "APPLICABILITY":
            for number, action in enumerate(self.actions):
                found[number] = needed(action) + found.get(number, ())
        return found

    def _sieve(self, rules: Rules) -> Sieve:
        """The plain conditions of all stages: that of the n-th stage for action i stands at n · actions + i."""
        size = len(self.actions)
        found = {
            nth * size + number: clauses
            for nth, (stage, asked) in enumerate(rules.items())
            for number, clauses in self._clauses(stage, asked).items()
        }
        return sieve(found, size * len(rules))

    def failing(self, several: Sequence[Mapping[str, Value]]) -> list[dict[str, Set]]:
        """With each of some values by name: by stage, whose plain conditions do not hold."""
        size = len(self.actions)
        return [
            {stage: failed >> nth * size & self.all for nth, stage in enumerate(STAGES)}
            for failed in self.sieve.failing(several)
        ]

    def _alive(self, at: float) -> Set:
        return self._where(lambda one: one.lifespan[0] <= at < one.lifespan[1])

    def _where(self, holds: Callable[[Action], bool]) -> Set:
        return union(1 << number for number, action in enumerate(self.actions) if holds(action))

    def _by(self, names: Callable[[Action], Iterable[str]]) -> Mapping[str, Set]:
        found: dict[str, Set] = {}
        for number, action in enumerate(self.actions):
            for name in names(action):
                found[name] = found.get(name, 0) | 1 << number
        return found


def parse(text: str, source: str, *, known: Names = NAMES) -> Catalogue:
    """The catalogue in a TOML text; `source` names it in errors, `known` is what conditions may read. Raises InputError with line and cure."""
    place = Place(source, text)
    actions = build(Actions, text, source, most={"actions": MOST_ACTIONS})
    return _checked(actions, place, known)


def read(document: Mapping[str, Any], source: str, *, known: Names = NAMES) -> Catalogue:
    """The catalogue in a document, as Actions.document makes it. Raises InputError that names the key."""
    actions = construct(Actions, document, source, most={"actions": MOST_ACTIONS})
    return _checked(actions, Place(source, ""), known)


def _checked(actions: Actions, place: Place, known: Names) -> Catalogue:
    actions = dataclasses.replace(actions, actions=tuple(_named(action) for action in actions.actions))
    check(actions, place)
    parts = {part.name: getattr(actions, part.name) for part in dataclasses.fields(actions)}
    return Catalogue(**parts, conditions=compiled(actions, known, place), known=known)


def _named(action: Action) -> Action:
    """The action with a name for each treatment."""
    treatments = (
        treatment if treatment.id else dataclasses.replace(treatment, id=f"{action.id}_{treatment.channel}")
        for treatment in action.treatments
    )
    return dataclasses.replace(action, treatments=tuple(treatments))


def treatment(action: Action, channel: str, placement: str | None, language: str) -> Treatment | None:
    """The action's first treatment for this place: one made for the placement before one for the whole channel."""
    there = [one for one in action.forms.get(channel, ()) if not one.languages or language in one.languages]
    if placement is None:
        return there[0] if there else None
    made = (one for one in there if placement in one.placements)
    anywhere = (one for one in there if not one.placements)
    return next(made, None) or next(anywhere, None)


def numbers(chosen: Set) -> Iterator[int]:
    """The numbers of a set's actions, ascending."""
    while chosen:
        lowest = chosen & -chosen
        yield lowest.bit_length() - 1
        chosen ^= lowest


def rows_of(chosen: Set, actions: int) -> Rows:
    """The numbers of a set's actions, of so many, ascending, as an array."""
    packed = np.frombuffer(chosen.to_bytes((actions + 7) // 8, "little"), dtype=np.uint8)
    return np.unpackbits(packed, bitorder="little").nonzero()[0]


def union(sets: Iterable[Set]) -> Set:
    """All that are in one of them."""
    together = 0
    for one in sets:
        together |= one
    return together


def _reads_profile(action: Action) -> bool:
    by_tier = action.value_by_tier or action.cost_by_tier
    return bool(action.tiers or action.lifecycles or action.needs or by_tier or action.recency)
