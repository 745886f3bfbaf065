"""Climbing to good parameters: one at a time, a step up or down its grid, as long as it clearly gets better."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from training.metrics import Values

P = TypeVar("P")


def climb(start: P, grids: Mapping[str, Sequence[Any]], measure: Callable[[P], Values], *, evaluations: int) -> P:
    """The best parameters found from `start`, a frozen dataclass, with at most so many evaluations of `measure`.

    measure gives a value a query, NaN for none. A step is taken when it is better than where we stand by more than the standard error of the
    difference on the same queries: less is chance, and no reason to leave a default (the one-standard-error rule; Breiman et al. 1984).
    Each field of `grids` lists its values in order; a start that is not among them is left where it is. The same measure gives the same
    answer: the bound is on evaluations, never on seconds.
    """
    best, best_values = start, measure(start)
    left = evaluations - 1
    improved = True
    tried = {start}
    while improved and left > 0:
        improved = False
        for name, grid in grids.items():
            for direction in (1, -1):
                while left > 0 and (step := _step(best, name, grid, direction)) is not None and step not in tried:
                    tried.add(step)
                    values = measure(step)
                    left -= 1
                    if not clearly_better(values, best_values):
                        break
                    best, best_values, improved = step, values, True
    return best


def clearly_better(values: Values, than: Values) -> bool:
    """Whether the mean difference on the same queries is above its standard error; NaN values are left out."""
    difference = (values - than)[~np.isnan(values - than)]
    if len(difference) == 0:
        return False
    return bool(difference.mean() > difference.std() / np.sqrt(len(difference)))


def _step(parameters: P, name: str, grid: Sequence[Any], direction: int) -> P | None:
    value = getattr(parameters, name)
    if value not in grid:
        return None
    place = list(grid).index(value) + direction
    return replace(parameters, **{name: grid[place]}) if 0 <= place < len(grid) else None  # type: ignore[type-var]
