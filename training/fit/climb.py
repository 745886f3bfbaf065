"""Climbing to good parameters: one at a time, a step up or down its grid, as long as it gets better."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

P = TypeVar("P")

LEAST_GAIN = 1e-4  # relative; less is no reason to leave a default


def climb(start: P, grids: Mapping[str, Sequence[Any]], measure: Callable[[P], float], *, evaluations: int) -> P:
    """The best parameters found from `start`, a frozen dataclass, with at most so many evaluations of `measure`.

    Each field of `grids` lists its values in order; a start that is not among them is left where it is. The same measure
    gives the same answer: the bound is on evaluations, never on seconds.
    """
    best, best_value = start, measure(start)
    left = evaluations - 1
    improved = True
    tried = {start}
    while improved and left > 0:
        improved = False
        for name, grid in grids.items():
            for direction in (1, -1):
                while left > 0 and (step := _step(best, name, grid, direction)) is not None and step not in tried:
                    tried.add(step)
                    value = measure(step)
                    left -= 1
                    if value <= best_value * (1 + LEAST_GAIN):
                        break
                    best, best_value, improved = step, value, True
    return best


def _step(parameters: P, name: str, grid: Sequence[Any], direction: int) -> P | None:
    value = getattr(parameters, name)
    if value not in grid:
        return None
    place = list(grid).index(value) + direction
    return replace(parameters, **{name: grid[place]}) if 0 <= place < len(grid) else None  # type: ignore[type-var]
