"""The sieve: which of many conditions fail, found for all of them at once.

Each clause of each condition is one bit, and each value that conditions read has a table: where it stands between the figures it is compared
with says, by one look, which clauses it meets. 200 conditions over 15 values are 15 looks and 15 `|`, not 200 questions. The n-th clause of
condition i stands at bit n · size + i, so that folding the layers over each other gives the conditions that fail.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from models.clauses import Clauses, Test
from models.formulas import Formula, Value

Bits = int


@dataclass(frozen=True)
class Column:
    """What one value meets.

    edges    the figures or texts it is compared with, ascending
    met      clauses met below the first edge, at it, between it and the next, …; unknown: met by a number that nobody knows
    readers  the conditions that read it
    """

    edges: Sequence[Value]
    met: Sequence[Bits]
    unknown: Bits
    readers: Bits

    def meets(self, value: Value) -> Bits:
        """The clauses that this value meets."""
        if value != value:  # noqa: PLR0124  (NaN, whatever its type)
            return self.unknown
        return self.met[bisect_left(self.edges, value) + bisect_right(self.edges, value)]


@dataclass(frozen=True)
class Sieve:
    """Conditions by number, all below `size`. `padding`: clauses that a condition does not have, and so never fails."""

    columns: Sequence[tuple[str | Formula, Column]]
    size: int
    layers: int
    padding: Bits

    def failing(self, asked: Bits, values: Mapping[str, Value]) -> Bits:
        """Those of `asked` that fail. Only what they read is looked up."""
        met = self.padding
        for name, column in self.columns:
            if column.readers & asked:
                met |= column.meets(name.of(values) if isinstance(name, Formula) else values[name])
        missed = ~met & ((1 << self.size * self.layers) - 1)
        failing = 0
        while missed:
            failing |= missed
            missed >>= self.size
        return failing & asked


def sieve(conditions: Mapping[int, Clauses], size: int) -> Sieve:
    """The sieve of these conditions; a condition without clauses never fails."""
    tests: dict[str | Formula, list[tuple[Test, Bits, Bits]]] = {}
    there, layers = 0, 0
    for number, clauses in conditions.items():
        for layer, clause in enumerate(clauses):
            bit = 1 << layer * size + number
            there, layers = there | bit, max(layers, layer + 1)
            for test in clause:
                tests.setdefault(test.name, []).append((test, bit, 1 << number))
    columns = [(name, _column(asked)) for name, asked in tests.items()]
    return Sieve(columns, size, layers, ((1 << size * layers) - 1) & ~there)


def _column(asked: Iterable[tuple[Test, Bits, Bits]]) -> Column:
    """The table of one value: where a test starts or stops to hold is noted first, then summed up from both ends."""
    asked = list(asked)
    edges = sorted({test.value for test, _, _ in asked})
    place = {edge: 2 * nth + 1 for nth, edge in enumerate(edges)}
    last = 2 * len(edges)
    upward, downward, here = [0] * (last + 1), [0] * (last + 1), [0] * (last + 1)
    unknown, readers = 0, 0
    for (_, sign, value), bit, reader in asked:
        at = place[value]
        if sign in ("==", "<=", ">="):
            here[at] |= bit
        if sign in (">", ">=", "!="):
            upward[at + 1] |= bit
        if sign in ("<", "<=", "!="):
            downward[at - 1] |= bit
        unknown |= bit if sign == "!=" else 0
        readers |= reader
    for region in range(1, last + 1):
        upward[region] |= upward[region - 1]
        downward[last - region] |= downward[last - region + 1]
    return Column(
        edges, [up | down | own for up, down, own in zip(upward, downward, here, strict=True)], unknown, readers
    )
