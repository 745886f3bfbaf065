"""One row of the table of `python -m benchmarks.serving`: what was measured, what was asked of it, and whether it holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Bound:
    """What is asked of a figure: at least `least`, or at most `most`."""

    least: float | None = None
    most: float | None = None

    def holds(self, value: float) -> bool:
        """Whether a figure keeps it."""
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)

    def __str__(self) -> str:
        return f"≥ {self.least:g}" if self.most is None else f"≤ {self.most:g}"


@dataclass(frozen=True)
class Row:
    """values: figure -> value; asked: figure -> what is asked of it, where something is."""

    task: str
    place: str
    values: Mapping[str, float]
    asked: Mapping[str, Bound] = field(default_factory=dict)

    @property
    def short(self) -> list[str]:
        """The figures that fall short."""
        return [name for name, bound in self.asked.items() if not bound.holds(self.values[name])]


def line(row: Row) -> str:
    """The row as it is printed; a figure that something is asked of says what, and ! where it falls short."""
    return f"{row.task:16} {row.place:32} " + "  ".join(_told(row, name) for name in row.values)


def _told(row: Row, name: str) -> str:
    value = row.values[name]
    text = f"{name} {value:,.0f}" if abs(value) >= 100 else f"{name} {value:.3g}"
    bound = row.asked.get(name)
    return text if bound is None else f"{text} ({bound}{'!' if name in row.short else ''})"


def table(rows: Sequence[Row]) -> list[str]:
    """All rows, and at the end what falls short."""
    short = [f"{row.task} · {row.place}: {name}" for row in rows for name in row.short]
    return [*map(line, rows), f"{len(short)} of {sum(len(row.asked) for row in rows)} figures fall short", *short]
