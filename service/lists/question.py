"""Questions and stages: what is asked of the models for one list, and one intent's view of all items."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.bundle import Models
from models.ranking import top
from service.lists.request import N
from service.lists.taste import Taste

Scores = NDArray[np.float32]
Rows = NDArray[np.int32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Question:
    """What the stages answer: the items asked about, and the customer's taste.

    rows     int32  the items asked about
    owned    whether what the customer owns may be chosen for her
    segment  bool[items]  what suits people like her, as far as that is said; None: nothing is
    peers    bool[items]  what a trend is measured against, the categories asked for; None: all items
    allowed  bool[items]  what may stand in the list: scores are exact of the best of these; None: all items
    n        how many are wanted
    """

    models: Models
    rows: Rows
    taste: Taste
    owned: bool
    now: int
    peers: Mask | None = None
    allowed: Mask | None = None
    segment: Mask | None = None
    n: int = N


@dataclass(frozen=True)
class Stage:
    """One intent's view of all items.

    intent   whose list it is, as `fallback` names it
    scores   float32[items]
    shown    bool[items]  the items it speaks for; None: all
    sources  name -> float32[items], what the scores are made of
    scales   name -> what one unit of a source counts in the scores
    rows, weights  the history that carried them (empty where none did), for reasons
    best     int32  of a large catalogue some of the rows it speaks for, in order: better than all others that may stand in the list
    carried  name -> of some rows, float32[rows, history]: what each item of the history gave to them, where that is known already
    """

    intent: str
    scores: Scores
    shown: Mask | None
    sources: Mapping[str, Scores]
    scales: Mapping[str, float]
    rows: Rows
    weights: Scores
    best: Rows | None = None
    carried: Mapping[str, Callable[[Rows], Scores]] = field(default_factory=dict)

    def top(self, allowed: Mask, boosts: Scores | None, n: int) -> Rows:
        """int32[≤ n]: the best of the rows that it speaks for, best first; `allowed` are some of those that its question allows."""
        if self.best is not None and boosts is None:
            best = self.best[allowed[self.best]]
            if len(best) >= n:
                return best[top(self.scores[best], None, n)]
        return top(boosted(self.scores, boosts), both(allowed, self.shown), n)

    def shares(self, rows: Rows) -> dict[str, Scores]:
        """float32[rows] of each source: what it gave to the scores of these rows; they sum to the scores."""
        return {name: np.float32(self.scales[name]) * scores[rows] for name, scores in self.sources.items()}


def boosted(scores: Scores, boosts: Scores | None) -> Scores:
    """A boost above 1 lifts every score, one below 0 too."""
    return scores if boosts is None else np.where(scores > 0, scores * boosts, scores / boosts)


def both(one: Mask | None, other: Mask | None) -> Mask | None:
    """What two masks let through; None: all."""
    return one & other if one is not None and other is not None else one if other is None else other
