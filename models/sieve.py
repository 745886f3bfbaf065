"""The sieve: which of many conditions fail, found for all of them at once.

Every value that conditions compare has a slot in one array: numbers as they are, texts as their place among the texts that they are compared
with, questions of texts as 1 or 0, formulas reckoned from the slots of their sides. A test then asks whether a slot lies between two bounds,
or outside of them; what is met is folded to clauses, and clauses to conditions: 200 conditions take twenty calls of numpy, not 200 questions.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, groupby
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.clauses import Clauses, Test
from models.formulas import Formula, Literal, Side, Value, depth, parts, reckons, teller

Bits = int
Slots = NDArray[np.intp]
Teller = Callable[[Mapping[str, Value]], Value]
OPERATIONS: Mapping[str, Any] = {
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
}
ABREAST = 8  # sets of values; as many sieves are kept for them, each as long as the sets are many
NEVER = Test(Formula("/", Literal(math.nan), Literal(1.0)), "==", 0.0)  # what an empty clause asks


class Step(NamedTuple):
    """Formulas of one sign that are reckoned at once."""

    reckon: Any
    left: Slots
    right: Slots
    to: slice

    def abreast(self, n: int) -> Step:
        """The step of so many sieves."""
        left, right = ((slots[:, None] * n + np.arange(n)).ravel() for slots in (self.left, self.right))
        return Step(self.reckon, left, right, slice(self.to.start * n, self.to.stop * n))


@dataclass(frozen=True)
class Tests:
    """int[tests], the slot that each asks of; float64[tests], between which bounds, both included, it is met, or is not, where it is negated."""

    slots: Slots
    least: NDArray[np.float64]
    most: NDArray[np.float64]
    negated: NDArray[np.bool_]

    def met(self, slots: NDArray[np.float64]) -> NDArray[np.bool_]:
        """bool[tests]. What is unknown (NaN) lies between no bounds."""
        value = slots[self.slots]
        return np.asarray(((value >= self.least) & (value <= self.most)) ^ self.negated)

    def abreast(self, n: int) -> Tests:
        """The tests of so many sieves."""
        slots = (self.slots * n + np.arange(n)[:, None]).ravel()
        return Tests(slots, np.tile(self.least, n), np.tile(self.most, n), np.tile(self.negated, n))


@dataclass(frozen=True)
class Sieve:
    """Conditions by number.

    size      above all numbers, a multiple of 8
    names     all that they read
    numbers   names of numbers and flags, in the first slots
    texts     what tells a text, in the next ones, each with the texts that it is compared with, ascending
    asked     what answers a question of texts, in the next ones
    slots     float64[slots]; the numbers that formulas write out stand there already
    clauses   int[clauses], the first test of each
    owners    int[clauses], of which condition each is
    """

    size: int
    names: frozenset[str]
    numbers: Sequence[str]
    texts: Sequence[tuple[Teller, Sequence[Value]]]
    asked: Sequence[Teller]
    slots: NDArray[np.float64]
    steps: Sequence[Step]
    tests: Tests
    clauses: Slots
    owners: Slots

    def failing(self, several: Sequence[Mapping[str, Value]]) -> list[Bits]:
        """Those that fail, with each of some values by name; ABREAST are asked at once."""
        if not len(self.owners):
            return [0] * len(several)
        if len(several) > ABREAST:
            return [*self.failing(several[:ABREAST]), *self.failing(several[ABREAST:])]
        wide, size = self.abreast(len(several)), self.size // 8
        missed = ~np.logical_or.reduceat(wide.tests.met(wide.filled(several)), wide.clauses)
        failing = np.zeros(wide.size, dtype=np.bool_)
        failing[wide.owners[missed]] = True
        packed = np.packbits(failing, bitorder="little").tobytes()
        return [int.from_bytes(packed[first : first + size], "little") for first in range(0, len(packed), size)]

    def filled(self, several: Sequence[Mapping[str, Value]]) -> NDArray[np.float64]:
        """All slots: each with the first values, then with the next ones."""
        slots = self.slots.copy()
        told = list(chain.from_iterable(zip(*map(self._told, several), strict=True)))
        slots[: len(told)] = told
        if self.steps:
            with np.errstate(all="ignore"):
                for step in self.steps:
                    slots[step.to] = step.reckon(slots[step.left], slots[step.right])
        return slots

    def abreast(self, n: int) -> Sieve:
        """So many sieves as one: theirs are the slots of a value one after the other, but all tests of the first before those of the second."""
        if n not in self._abreast:
            nth = np.arange(n)[:, None]
            self._abreast[n] = replace(
                self,
                size=self.size * n,
                slots=np.repeat(self.slots, n),
                steps=[one.abreast(n) for one in self.steps],
                tests=self.tests.abreast(n),
                clauses=(self.clauses + len(self.tests.slots) * nth).ravel(),
                owners=(self.owners + self.size * nth).ravel(),
            )
        return self._abreast[n]

    @cached_property
    def _abreast(self) -> dict[int, Sieve]:
        """What was asked for so far."""
        return {1: self}

    def _told(self, values: Mapping[str, Value]) -> list[Value]:
        """What the first slots hold."""
        told = [values[name] for name in self.numbers]
        told += [_place(text(values), edges) for text, edges in self.texts]
        return told + [answer(values) for answer in self.asked]


def sieve(conditions: Mapping[int, Clauses], size: int) -> Sieve:
    """The sieve of these conditions; a condition without clauses never fails."""
    every = [(number, clause or (NEVER,)) for number, clauses in conditions.items() for clause in clauses]
    tests = [test for _, clause in every for test in clause]
    places = _Places(tests)
    return Sieve(
        size=-(-size // 8) * 8,
        names=frozenset(part for test in tests for part in parts(test.name) if isinstance(part, str)),
        numbers=places.numbers,
        texts=[(teller(side), edges) for side, edges in places.texts.items()],
        asked=[teller(side) for side in places.asked],
        slots=places.begun(),
        steps=places.steps,
        tests=places.tests(tests),
        clauses=np.cumsum([0, *(len(clause) for _, clause in every)], dtype=np.intp)[:-1],
        owners=np.array([number for number, _ in every], dtype=np.intp),
    )


def _place(text: Value, edges: Sequence[Value]) -> int:
    """Where a text stands between its edges: 1, 3, … at them, 0, 2, … beside them."""
    place = bisect_left(edges, text)
    return 2 * place + (place < len(edges) and edges[place] == text)


def _bounds(sign: str, value: float) -> tuple[float, float]:
    """Between which bounds what meets a sign lies; for !=, what does not."""
    if (sign, value) in (("<", -math.inf), (">", math.inf)):
        return math.nan, math.nan  # nothing lies beyond
    if sign in ("<", "<="):
        return -math.inf, math.nextafter(value, -math.inf) if sign == "<" else value
    if sign in (">", ">="):
        return math.nextafter(value, math.inf) if sign == ">" else value, math.inf
    return value, value


class _Places:
    """Where the values of some tests stand."""

    def __init__(self, tests: Sequence[Test]) -> None:
        compared = {test.name: isinstance(test.value, str) for test in tests if _is_text(test)}
        nodes = list(dict.fromkeys(part for test in tests if test.name not in compared for part in parts(test.name)))
        self.numbers = [node for node in nodes if isinstance(node, str)]
        self.texts = {
            side: sorted({test.value for test in tests if test.name == side}) for side in compared if compared[side]
        }
        self.asked = [side for side in compared if not compared[side]]
        self._literals = [node for node in nodes if isinstance(node, Literal)]
        formulas = sorted((node for node in nodes if isinstance(node, Formula)), key=_turn)
        sides = (*self.numbers, *self.texts, *self.asked, *self._literals, *formulas)
        self._slots: dict[Side, int] = {side: slot for slot, side in enumerate(sides)}
        self.steps = [self._step(list(those)) for _, those in groupby(formulas, _turn)]

    def begun(self) -> NDArray[np.float64]:
        """The slots, with the literals in theirs."""
        slots = np.full(len(self._slots), np.nan)
        for literal in self._literals:
            slots[self._slots[literal]] = literal.value
        return slots

    def tests(self, tests: Sequence[Test]) -> Tests:
        """The tests, each with its slot and bounds."""
        bounds = np.array([_bounds(one.sign, self._number(one)) for one in tests]).reshape(-1, 2)
        negated = np.array([one.sign == "!=" for one in tests], dtype=np.bool_)
        return Tests(self._at([one.name for one in tests]), bounds[:, 0].copy(), bounds[:, 1].copy(), negated)

    def _number(self, test: Test) -> float:
        """What a test compares with; of a text its place among the texts."""
        texts = self.texts.get(test.name)
        return float(test.value) if texts is None else 2.0 * texts.index(test.value) + 1.0

    def _step(self, formulas: Sequence[Formula]) -> Step:
        first = self._slots[formulas[0]]
        left, right = self._at([one.left for one in formulas]), self._at([one.right for one in formulas])
        return Step(OPERATIONS[formulas[0].sign], left, right, slice(first, first + len(formulas)))

    def _at(self, sides: Sequence[Side]) -> Slots:
        return np.array([self._slots[side] for side in sides], dtype=np.intp)


def _turn(formula: Formula) -> tuple[int, str]:
    """When it is reckoned: after its sides, with those of its sign."""
    return depth(formula), formula.sign


def _is_text(test: Test) -> bool:
    """Whether a text is compared, or what is asked of one: also two names with each other, which may be texts."""
    if isinstance(test.name, Formula) and reckons(test.name):
        return False
    return isinstance(test.value, str) or (isinstance(test.name, Formula) and isinstance(test.value, bool))
