"""The choice: which of the candidates are taken, in which arm, and with which chance each might have been.

What passes the funnel and is worth something is drawn rank by rank; what is drawn at a rank is closed for those below, and so is its group
where alternatives are to be distinct. The chance of standing at a rank is that given the ranks above.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.arms import Arm
from models.propensity import Belief, Exploration, Floats
from models.thompson import closed_form, drawn, hope, shares, worths
from service.arbitration import Candidate

Open = NDArray[np.bool_]


class Terms(NamedTuple):
    """How to choose: how many, whether each of another group, above which priority, in which arm, how and from which seed.

    short  action id -> drop code of who falls short of something else
    """

    n: int
    distinct_groups: bool
    min_value: float
    arm: Arm
    exploration: Exploration
    seed: int
    short: Mapping[str, str] = {}


class Choice(NamedTuple):
    """What was chosen.

    best     best first      chances  of each to stand at its rank, given those above
    first    action id -> the chance to stand first; who is not named had none. They sum to 1
    dropped  action id -> drop code of the other candidates
    """

    best: tuple[Candidate, ...]
    chances: tuple[float, ...]
    first: Mapping[str, float]
    dropped: Mapping[str, str]


def choose(candidates: Sequence[Candidate], belief: Belief, terms: Terms) -> Choice:
    """Choose. `belief` is of the candidates, row for row.

    Silence is chosen only where nothing is worth saying: it has no priority to compare, and no company.
    """
    dropped = {one.action.id: code for one in candidates if (code := _unfit(one, terms)) is not None}
    rows = [
        row for row, one in enumerate(candidates) if one.action.id not in dropped and one.action.class_ != "silence"
    ]
    silent = [one for one in candidates if one.action.class_ == "silence"]
    if not rows:
        over = {one.action.id: "ARBITRATION" for one in silent[1:]}
        return Choice(
            tuple(silent[:1]), (1.0,) * len(silent[:1]), {one.action.id: 1.0 for one in silent[:1]}, dropped | over
        )
    speaking = [candidates[row] for row in rows]
    order = _Order(speaking, Belief(belief.mean[rows], belief.evidence[rows]), terms)
    picks = _drawn(speaking, order, terms)
    taken = {speaking[row].action.group for row, _ in picks}
    chosen = {row for row, _ in picks}
    for row, one in enumerate(speaking):
        if row not in chosen:
            dropped[one.action.id] = (
                "DUPLICATE" if terms.distinct_groups and one.action.group in taken else "ARBITRATION"
            )
    return Choice(
        best=tuple(speaking[row] for row, _ in picks),
        chances=tuple(chance for _, chance in picks),
        first={speaking[row].action.id: float(order.first[row]) for row in np.flatnonzero(order.first)},
        dropped=dropped | {one.action.id: "ARBITRATION" for one in silent},
    )


def _unfit(one: Candidate, terms: Terms) -> str | None:
    if one.action.class_ == "silence":
        return None
    if one.action.id in terms.short:
        return terms.short[one.action.id]
    if one.priority <= terms.min_value:
        return "MIN_VALUE"
    return "HOLDOUT" if terms.arm == "holdout" and not one.action.serving else None


def _drawn(speaking: Sequence[Candidate], order: _Order, terms: Terms) -> list[tuple[int, float]]:
    """(row, chance) of each rank."""
    open_ = np.ones(len(speaking), dtype=np.bool_)
    picks: list[tuple[int, float]] = []
    while len(picks) < terms.n and open_.any():
        chances = order.first if not picks else order.chances(open_)
        row = drawn(chances, order.point())
        picks.append((row, float(chances[row])))
        open_[row] = False
        if terms.distinct_groups:
            group = speaking[row].action.group
            open_ &= np.array([one.action.group != group for one in speaking])
    return picks


class _Order:
    """The chances of those who speak, rank by rank. One generator: the draws first, then a point for each rank."""

    def __init__(self, speaking: Sequence[Candidate], belief: Belief, terms: Terms) -> None:
        self._terms = terms
        self._by = terms.exploration if terms.arm != "random" else "random"
        self._rng = np.random.Generator(np.random.PCG64(terms.seed)) if self._by != "none" else None
        plain = terms.arm == "propensity"
        self._slope = np.array([1.0 if plain else one.factors.slope for one in speaking])
        self._cost = np.array([0.0 if plain else one.factors.cost for one in speaking])
        self._belief = belief
        if self._by == "thompson" and self._rng is not None and len(speaking) > 1:
            self._rows, self._worth = worths(belief, self._slope, self._cost, self._rng)
        self.first = self.chances(np.ones(len(speaking), dtype=np.bool_))

    def point(self) -> float:
        """Where the next rank is drawn, 0 to 1."""
        return 0.0 if self._rng is None else float(self._rng.random())

    def chances(self, open_: Open) -> Floats:
        """float64[speaking]: the chance of each that is open to stand next; they sum to 1."""
        found = np.zeros(len(open_))
        rows = np.flatnonzero(open_)
        if self._by == "random" or len(rows) == 1:
            found[rows] = 1.0 / len(rows)
        elif self._by == "closed_form":
            found[rows] = closed_form(self._hopes(1.0)[rows])
        elif self._by == "thompson" and open_[self._rows].any():
            found[self._rows] = shares(self._worth, open_[self._rows])
        else:
            found[rows[int(self._hopes(0.0)[rows].argmax())]] = 1.0
        return found

    def _hopes(self, errors: float) -> Floats:
        return hope(self._belief, self._slope, self._cost, errors=errors)
