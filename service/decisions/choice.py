"""The choice: which of the candidates are taken, in which arm, and with which chance each might have been.

What passes the funnel and is worth something is drawn rank by rank; what is drawn at a rank is closed for those below, and so is its group
where alternatives are to be distinct. The chance of standing at a rank is that given the ranks above.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from models.arms import Arm
from models.propensity import Belief, Exploration, Floats
from models.tariff import Rows
from models.thompson import closed_form, drawn, hope, point, shares, worths
from service.decisions.arbitration import Candidate, Mask, Ranking


class Terms(NamedTuple):
    """How to choose: how many, whether each of another group, above which priority, in which arm, how and from which seed.

    short  drop code -> bool[candidates], who falls short of something else
    """

    n: int
    distinct_groups: bool
    min_value: float
    arm: Arm
    exploration: Exploration
    seed: int
    short: Mapping[str, Mask] = {}


class Choice(NamedTuple):
    """What was chosen.

    best     best first      chances  of each to stand at its rank, given those above
    first    action id -> the chance to stand first; who is not named had none. They sum to 1
    dropped  drop code -> how many of the other candidates
    """

    best: tuple[Candidate, ...]
    chances: tuple[float, ...]
    first: Mapping[str, float]
    dropped: Mapping[str, int]


def choose(ranking: Ranking, terms: Terms) -> Choice:
    """Choose. Silence is chosen only where nothing is worth saying: it has no priority to compare, and no company."""
    silent = ranking.tariff.silent[ranking.rows]
    dropped, open_ = _unfit(ranking, terms, ~silent)
    rows = np.flatnonzero(open_)
    if not len(rows):
        return _silence(ranking, np.flatnonzero(silent), dropped)
    order = _Order(ranking, rows, terms)
    picks, doubles = _drawn(order, ranking.tariff.groups[ranking.rows[rows]], terms)
    dropped["DUPLICATE"] = doubles
    dropped["ARBITRATION"] = len(rows) - len(picks) - doubles + int(silent.sum())
    firsts, actions = np.flatnonzero(order.first), ranking.seen.index.actions
    names = [actions[row].id for row in ranking.rows[rows[firsts]].tolist()]
    return Choice(
        best=tuple(ranking[int(rows[row])] for row, _ in picks),
        chances=tuple(chance for _, chance in picks),
        first=dict(zip(names, order.first[firsts].tolist(), strict=True)),
        dropped={code: count for code, count in dropped.items() if count},
    )


def _silence(ranking: Ranking, silent: Rows, dropped: dict[str, int]) -> Choice:
    best = tuple(ranking[int(place)] for place in silent[:1])
    dropped["ARBITRATION"] = len(silent) - len(best)
    first = {one.action.id: 1.0 for one in best}
    return Choice(best, (1.0,) * len(best), first, {code: count for code, count in dropped.items() if count})


def _unfit(ranking: Ranking, terms: Terms, speaking: Mask) -> tuple[dict[str, int], Mask]:
    """How many fall short of what, each counted for the first, and bool[candidates]: who is left."""
    short = {**terms.short, "MIN_VALUE": ranking.priority <= terms.min_value}
    if terms.arm == "holdout":
        short["HOLDOUT"] = ~ranking.tariff.serving[ranking.rows]
    counts, left = {}, speaking
    for code, falls in short.items():
        counts[code] = int(np.count_nonzero(left & falls))
        left = left & ~falls
    return counts, left


def _drawn(order: _Order, groups: Rows, terms: Terms) -> tuple[list[tuple[int, float]], int]:
    """(row, chance) of each rank, and of how many others the group was taken where each is to be of another one."""
    open_ = np.ones(len(groups), dtype=np.bool_)
    picks: list[tuple[int, float]] = []
    while len(picks) < terms.n and open_.any():
        chances = order.first if not picks else order.chances(open_)
        row = drawn(chances, order.point(len(picks)))
        picks.append((row, float(chances[row])))
        open_[row] = False
        if terms.distinct_groups:
            open_ &= groups != groups[row]
    doubles = np.isin(groups, groups[[row for row, _ in picks]]).sum() - len(picks) if terms.distinct_groups else 0
    return picks, int(doubles)


class _Order:
    """The chances of those who speak, rank by rank."""

    def __init__(self, ranking: Ranking, rows: Rows, terms: Terms) -> None:
        self._seed = terms.seed
        self._by = terms.exploration if terms.arm != "random" else "random"
        plain = terms.arm == "propensity"
        self._slope = np.ones(len(rows)) if plain else ranking.slope[rows]
        self._cost = np.zeros(len(rows)) if plain else ranking.cost[rows]
        self._belief = Belief(ranking.belief.mean[rows], ranking.belief.evidence[rows])
        if self._by == "thompson" and len(rows) > 1:
            self._rows, self._worth = worths(self._belief, self._slope, self._cost, terms.seed)
        self.first = self.chances(np.ones(len(rows), dtype=np.bool_))

    def point(self, rank: int) -> float:
        """Where a rank is drawn, 0 to 1."""
        return 0.0 if self._by == "none" else point(self._seed, rank)

    def chances(self, open_: Mask) -> Floats:
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
