"""The sieve: which of many conditions fail, found for all of them at once.

Every value that conditions compare has a slot in one array: numbers as they are, texts as their place among the texts that they are compared
with, formulas reckoned from the slots of their sides. All tests are then six comparisons of arrays, one a sign; what they meet is folded to
clauses, and clauses to conditions: 200 conditions take twenty calls of numpy, not 200 questions.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.clauses import Clauses, Test
from models.formulas import Formula, Literal, Side, Value, depth, parts, reckons

Bits = int
Slots = NDArray[np.intp]
SIGNS: Mapping[str, Any] = {
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}
OPERATIONS: Mapping[str, Any] = {**SIGNS, "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide}
NEVER = Test(Formula("/", Literal(float("nan")), Literal(1.0)), "==", 0.0)  # what an empty clause asks


class Step(NamedTuple):
    """Formulas of one sign that are reckoned at once."""

    reckon: Any
    left: Slots
    right: Slots
    to: slice


class Compared(NamedTuple):
    """Tests of one sign."""

    meets: Any
    slots: Slots
    values: NDArray[np.float64]


@dataclass(frozen=True)
class Sieve:
    """Conditions by number, all below `size`.

    names     all that they read
    numbers   names of numbers and flags, in the first slots
    texts     names, and formulas of texts, in the next ones, each with the texts that it is compared with, ascending
    slots     float64[slots]; the numbers that formulas write out stand there already
    clauses   int[tests], of which clause each is, in the order of `compared`
    owners    int[clauses], of which condition each is
    """

    size: int
    names: frozenset[str]
    numbers: Sequence[str]
    texts: Sequence[tuple[str | Formula, Sequence[Value]]]
    slots: NDArray[np.float64]
    steps: Sequence[Step]
    compared: Sequence[Compared]
    clauses: Slots
    owners: Slots

    def failing(self, asked: Bits, values: Mapping[str, Value]) -> Bits:
        """Those of `asked` that fail."""
        if not len(self.owners):
            return 0
        slots = self.slots.copy()
        told = [values[name] for name in self.numbers]
        slots[: len(told) + len(self.texts)] = told + [_place(text, edges, values) for text, edges in self.texts]
        with np.errstate(all="ignore"):
            for step in self.steps:
                slots[step.to] = step.reckon(slots[step.left], slots[step.right])
        met = np.concatenate([one.meets(slots[one.slots], one.values) for one in self.compared])
        missed = np.ones(len(self.owners), dtype=np.bool_)
        missed[self.clauses[met]] = False
        failing = np.zeros(self.size, dtype=np.bool_)
        failing[self.owners[missed]] = True
        return int.from_bytes(np.packbits(failing, bitorder="little").tobytes(), "little") & asked


def sieve(conditions: Mapping[int, Clauses], size: int) -> Sieve:
    """The sieve of these conditions; a condition without clauses never fails."""
    every = [(number, clause or (NEVER,)) for number, clauses in conditions.items() for clause in clauses]
    tests = [(nth, test) for nth, (_, clause) in enumerate(every) for test in clause]
    by_sign = {sign: [(nth, test) for nth, test in tests if test.sign == sign] for sign in SIGNS}
    places = _Places([test for _, test in tests])
    return Sieve(
        size=size,
        names=frozenset(part for _, test in tests for part in parts(test.name) if isinstance(part, str)),
        numbers=places.numbers,
        texts=list(places.texts.items()),
        slots=places.begun(),
        steps=places.steps,
        compared=[places.compared(sign, [test for _, test in those]) for sign, those in by_sign.items() if those],
        clauses=np.array([nth for those in by_sign.values() for nth, _ in those], dtype=np.intp),
        owners=np.array([number for number, _ in every], dtype=np.intp),
    )


def _place(text: str | Formula, edges: Sequence[Value], values: Mapping[str, Value]) -> int:
    """Where a text stands between its edges: 1, 3, … at them, 0, 2, … beside them."""
    value = text.of(values) if isinstance(text, Formula) else values[text]
    return bisect_left(edges, value) + bisect_right(edges, value)


class _Places:
    """Where the values of some tests stand."""

    def __init__(self, tests: Sequence[Test]) -> None:
        texts = dict.fromkeys(test.name for test in tests if _is_text(test))
        nodes = list(dict.fromkeys(part for test in tests if test.name not in texts for part in parts(test.name)))
        self.numbers = [node for node in nodes if isinstance(node, str)]
        self.texts = {text: sorted({test.value for test in tests if test.name == text}) for text in texts}
        self._literals = [node for node in nodes if isinstance(node, Literal)]
        formulas = sorted((node for node in nodes if isinstance(node, Formula)), key=_turn)
        sides = (*self.numbers, *self.texts, *self._literals, *formulas)
        self._slots: dict[Side, int] = {side: slot for slot, side in enumerate(sides)}
        self.steps = [self._step(list(those)) for _, those in groupby(formulas, _turn)]

    def begun(self) -> NDArray[np.float64]:
        """The slots, with the literals in theirs."""
        slots = np.full(len(self._slots), np.nan)
        for literal in self._literals:
            slots[self._slots[literal]] = literal.value
        return slots

    def compared(self, sign: str, tests: Sequence[Test]) -> Compared:
        """The tests of a sign; of a text its place among the texts is compared."""
        values = [
            2 * self.texts[one.name].index(one.value) + 1 if one.name in self.texts else one.value for one in tests
        ]
        return Compared(SIGNS[sign], self._at([one.name for one in tests]), np.array(values, dtype=np.float64))

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
