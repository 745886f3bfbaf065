"""Grounds: the items that may stand in a list whoever it is for, and what is said of them to everybody.

Placements and pages ask for the same ground again and again: it is kept with the models; where there is no more room, all begin anew. Where
less than half of a large catalogue may stand, these items lie close together: to look through them takes a processor's cache instead of memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.bundle import Models
from models.ranking import barred
from service.lists.eligibility import Standing, eligible
from service.lists.question import Mask, Rows, Scores
from service.lists.request import Request
from service.lists.taste import NONE

MOST_KEPT = 8 << 20  # bytes of the grounds that are kept


@dataclass(frozen=True)
class Ground:
    """Items in places, in the order of rows.

    items    how many the catalogue has
    rows     int64[places]  those that may stand in the list; None: every item has the place of its row, and others are barred
    popular  float32[places]  what popularity gives to the scores; -inf for what is barred
    leading  float32[LEADING, places]  the leading dimensions of factors; None where they are not gathered
    """

    items: int
    rows: NDArray[np.int64] | None
    popular: Scores
    leading: Scores | None

    def gathered(self, scores: Scores, places: Scores) -> None:
        """Write the scores of all items into those of the places."""
        if self.rows is not None:
            scores.take(self.rows, out=places, mode="clip")  # "raise", which looks at bounds, takes twice as long

    def placed(self, rows: Rows) -> NDArray[Any]:
        """The places of those of the rows that have one."""
        if self.rows is None:
            return rows
        places = self.rows.searchsorted(rows)
        return np.asarray(places[self.rows.take(places, mode="clip") == rows])

    def placed_all(self, rows: Rows, chosen: Mask, ends: Sequence[int]) -> list[NDArray[Any]]:
        """As `placed`, of the chosen ones of many customers' rows; each has those up to her end."""
        places: NDArray[Any] = rows
        if self.rows is not None:
            places = self.rows.searchsorted(rows)
            chosen = chosen & (self.rows.take(places, mode="clip") == rows)
        until, placed = np.concatenate([[0], chosen.cumsum()]).take(ends).tolist(), places[chosen]
        return [placed[begin:end] for begin, end in pairwise((0, *until))]

    def rows_of(self, places: Rows) -> Rows:
        """int32: the rows at some places."""
        return places if self.rows is None else self.rows.take(places).astype(np.int32)

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(part.nbytes for part in (self.rows, self.popular, self.leading) if part is not None)


def ground(request: Request, models: Models, *, scale: float, estimated: bool) -> Ground:
    """What this request may show.

    scale      what one unit of popularity counts in the scores
    estimated  whether the leading dimensions of factors are asked first
    """
    if request.filter is not None or request.exclude:
        return _whole(_allowed(request, models), models, scale)
    asked = Standing.of(request, adult=request.adult == "always"), scale, estimated
    kept: dict[Any, Ground] = models.kept_grounds
    found = kept.get(asked)
    if found is None:
        allowed = _allowed(request, models)
        close = estimated and 0 < 2 * np.count_nonzero(allowed) < len(allowed)
        found = (_close if close else _whole)(allowed, models, scale)
        if sum(each.size for each in [*kept.values(), found]) > MOST_KEPT:
            kept.clear()
        if found.size <= MOST_KEPT:
            kept[asked] = found
    return found


def _allowed(request: Request, models: Models) -> Mask:
    return eligible(request, catalogue=models.catalogue, rows=NONE.rows, taste=NONE)


def _whole(allowed: Mask, models: Models, scale: float) -> Ground:
    return Ground(len(allowed), None, models.popularity.score * np.float32(scale) + barred(allowed), None)


def _close(allowed: Mask, models: Models, scale: float) -> Ground:
    """Newcomers, which factors do not know, have no taste."""
    assert models.factors is not None  # noqa: S101  (they are asked)
    assert models.factors.leading is not None  # noqa: S101
    rows = allowed.nonzero()[0]
    leading = models.factors.leading.take(rows, axis=1, mode="clip")
    leading[:, rows >= len(models.factors)] = 0
    return Ground(len(allowed), rows, models.popularity.score.take(rows) * np.float32(scale), leading)
