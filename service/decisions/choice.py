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
    dropped, places = _fit(ranking, terms, ~silent)
    if not len(places):
        return _silence(ranking, silent.nonzero()[0], dropped)
    rows = ranking.rows[places]
    order = _Order(ranking, rows, terms)
    picks, doubles = _drawn(order, ranking.tariff.groups[rows], terms)
    dropped["DUPLICATE"] = doubles
    dropped["ARBITRATION"] = len(silent) - sum(dropped.values()) - len(picks)
    actions, numbers = ranking.seen.index.actions, rows.tolist()
    return Choice(
        best=tuple(ranking[int(places[nth])] for nth, _ in picks),
        chances=tuple(chance for _, chance in picks),
        first={actions[numbers[nth]].id: chance for nth, chance in order.first.items()},
        dropped={code: count for code, count in dropped.items() if count},
    )


def _silence(ranking: Ranking, silent: Rows, dropped: dict[str, int]) -> Choice:
    best = tuple(ranking[int(place)] for place in silent[:1])
    dropped["ARBITRATION"] = len(silent) - len(best)
    first = {one.action.id: 1.0 for one in best}
    return Choice(best, (1.0,) * len(best), first, {code: count for code, count in dropped.items() if count})


def _fit(ranking: Ranking, terms: Terms, speaking: Mask) -> tuple[dict[str, int], Rows]:
    """How many fall short of what, each counted for the first, and the places of those who are left."""
    short = {**terms.short, "MIN_VALUE": ranking.priority <= terms.min_value}
    if terms.arm == "holdout":
        short["HOLDOUT"] = ~ranking.tariff.serving[ranking.rows]
    counts, left = {}, speaking
    for code, falls in short.items():
        counts[code] = int(np.count_nonzero(left & falls))
        left = left & ~falls if counts[code] else left
    return counts, left.nonzero()[0]


def _drawn(order: _Order, groups: Rows, terms: Terms) -> tuple[list[tuple[int, float]], int]:
    """(who, chance) of each rank, and of how many others the group was taken where each is to be of another one."""
    if terms.n == 1 and not terms.distinct_groups:
        return [order.pick(order.first, 0)], 0
    open_ = np.ones(len(groups), dtype=np.bool_)
    picks: list[tuple[int, float]] = []
    while len(picks) < terms.n and (not picks or open_.any()):
        chances = order.chances(open_) if picks else order.first
        nth, chance = order.pick(chances, len(picks))
        picks.append((nth, chance))
        open_[nth] = False
        if terms.distinct_groups:
            open_ &= groups != groups[nth]
    return picks, len(groups) - int(np.count_nonzero(open_)) - len(picks)


class _Order:
    """The chances of those who speak, rank by rank; `rows` are theirs in the catalogue."""

    def __init__(self, ranking: Ranking, rows: Rows, terms: Terms) -> None:
        self._seed = terms.seed
        self._by = terms.exploration if terms.arm != "random" else "random"
        plain = terms.arm == "propensity"
        self._slope = np.ones(len(rows)) if plain else ranking.slope[rows]
        self._cost = np.zeros(len(rows)) if plain else ranking.cost[rows]
        belief = ranking.passage.belief
        self._belief = Belief(belief.mean[rows], belief.evidence[rows])
        self._contenders: Rows | None = None
        if self._by == "thompson" and len(rows) > 1:
            self._contenders, self._worth = worths(self._belief, self._slope, self._cost, terms.seed)
        self.first = self.chances(None)

    def pick(self, chances: Mapping[int, float], rank: int) -> tuple[int, float]:
        """Who is drawn for a rank, and with which chance."""
        nth = list(chances)[drawn(list(chances.values()), 0.0 if self._by == "none" else point(self._seed, rank))]
        return nth, chances[nth]

    def chances(self, open_: Mask | None) -> dict[int, float]:
        """The chance of each that is open to stand next, None: of all; of those who have one. They sum to 1."""
        if self._contenders is not None:
            still = None if open_ is None else open_[self._contenders]
            if still is None or still.any():
                return _above_0(self._contenders, shares(self._worth, still))
        left = np.arange(len(self._slope)) if open_ is None else open_.nonzero()[0]
        if self._by == "random":
            return dict.fromkeys(left.tolist(), 1.0 / len(left))
        if self._by == "closed_form" and len(left) > 1:
            return _above_0(left, closed_form(self._hopes(1.0)[left]))
        return {int(left[self._hopes(0.0)[left].argmax()]): 1.0}

    def _hopes(self, errors: float) -> Floats:
        return hope(self._belief, self._slope, self._cost, errors=errors)


def _above_0(those: Rows, chances: Floats) -> dict[int, float]:
    return {nth: chance for nth, chance in zip(those.tolist(), chances.tolist(), strict=True) if chance}
