"""Propensity: the chance that a customer takes an action, learnt from what became of it before, however little that is.

    group → action → action on a channel, for a tier → she herself

Each level starts from the one above and moves away from it as its own answers come (Beta-binomial shrinkage; Gelman et al. 2013, Bayesian
Data Analysis, chapter 5): a new action starts where its group stands. Answers fade with a half-life. They are counted as if in the future
money of a fixed day (forward decay; Cormode et al. 2009, ICDE), so that counts only ever add up: in any order, from any worker, and taken
back exactly.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.toml import Place

DAY_S = 86_400
EPOCH = 1_767_225_600  # 2026-01-01, the day that answers are counted in the weight of
LEAST_HALF_LIFE = 14  # days: twenty years of forward decay still fit a double
FALLBACK = 0.05  # where a group starts of which the shop said nothing
EDGE = 1e-9  # a chance of 1 has no log-odds
STEPS = 8  # codes of evidence to a doubling of it
PARTS = 4_000_000_000  # of 1, in four bytes: what is written with few digits stays what it is
MOST_STEPS = 255
CODE = np.dtype([("mean", "<u4"), ("evidence", "u1")])

EVIDENCE = 2.0 ** (np.arange(MOST_STEPS + 1) / STEPS)  # by its code
HALFWAY = 2.0 ** ((np.arange(31 * STEPS) + 0.5) / STEPS)  # between two codes, as far as 2^31

Floats = NDArray[np.float64]
Exploration = Literal["thompson", "closed_form", "none"]


@dataclass(frozen=True)
class Learning:
    """How fast the catalogue learns, and how it tries what it does not know.

    half_life_days  after so long an answer counts half; another value begins anew
    group_evidence  answers it takes for a group to weigh as much as where it starts
    cell_evidence   answers on one channel for one tier to weigh as much as the action everywhere
    exploration     thompson: drawn from Monte-Carlo shares · closed_form: chances by formula · none: the best for sure
    """

    half_life_days: float = 90.0
    group_evidence: float = 20.0
    cell_evidence: float = 20.0
    exploration: Exploration = "thompson"


def check(learning: Learning, place: Place) -> None:
    """Raise InputError, with line and cure, for what cannot be learnt with."""
    if not learning.half_life_days >= LEAST_HALF_LIFE:
        raise (place / "half_life_days").error(f"{learning.half_life_days} must be at least {LEAST_HALF_LIFE}")
    for key in ("group_evidence", "cell_evidence"):
        if not getattr(learning, key) > 0:
            raise (place / key).error(f"{getattr(learning, key)} must be above 0")


class Count(NamedTuple):
    """How often something was tried, and how often it was taken, each in the weight of EPOCH."""

    tries: float = 0.0
    positives: float = 0.0


NEVER = Count()
Counts = Mapping[str, Count]  # by the name of a cell


def weight(at: int, half_life_days: float) -> float:
    """What one answer of this time counts, in the weight of EPOCH."""
    return float(2.0 ** ((at - EPOCH) / DAY_S / half_life_days))


def group_cell(learning: Learning, group: str) -> str:
    """The name of the counter of a group."""
    return f"{learning.half_life_days:g} group {group}"


def action_cell(learning: Learning, action: str) -> str:
    """The name of the counter of an action."""
    return f"{learning.half_life_days:g} action {action}"


def cell(learning: Learning, action: str, channel: str, tier: str) -> str:
    """The name of the counter of an action on a channel, for a tier ("" where none is known)."""
    return f"{learning.half_life_days:g} cell {action} {channel} {tier}"


def tallied(
    learning: Learning, *, action: str, group: str, channel: str, tier: str, at: int, tried: int, taken: int
) -> dict[str, Count]:
    """What one answer adds to the counters of its three levels; −1 takes one back."""
    worth = weight(at, learning.half_life_days)
    count = Count(tried * worth, taken * worth)
    names = (group_cell(learning, group), action_cell(learning, action), cell(learning, action, channel, tier))
    return dict.fromkeys(names, count)


@dataclass(frozen=True)
class Starts:
    """Where the chances of a catalogue start.

    group     int32[actions], rows of `groups`         stated    float64[actions], NaN where the shop said nothing
    evidence  float64[actions], answers to weigh as much as the start
    """

    actions: tuple[str, ...]
    groups: tuple[str, ...]
    group: NDArray[np.int32]
    stated: Floats
    evidence: Floats

    @classmethod
    def of(cls, rows: Sequence[tuple[str, str, float | None, float]]) -> Starts:
        """Of (action, group, what the shop said, evidence) an action."""
        groups = tuple(sorted({group for _, group, _, _ in rows}))
        return cls(
            actions=tuple(action for action, _, _, _ in rows),
            groups=groups,
            group=np.array([groups.index(group) for _, group, _, _ in rows], dtype=np.int32),
            stated=np.array([np.nan if stated is None else stated for _, _, stated, _ in rows], dtype=np.float64),
            evidence=np.array([evidence for _, _, _, evidence in rows], dtype=np.float64),
        )

    def of_groups(self) -> Floats:
        """float64[groups]: the mean of what the shop said of a group's actions, by their evidence; of all actions where it said nothing."""
        said = ~np.isnan(self.stated)
        worth = np.where(said, np.maximum(self.evidence, EDGE), 0.0)
        worthy = worth * np.where(said, self.stated, 0.0)
        whole = float(worthy.sum() / worth.sum()) if said.any() else FALLBACK
        per_group = np.bincount(self.group, worth, len(self.groups))
        total = np.bincount(self.group, worthy, len(self.groups))
        return np.where(per_group > 0, total / np.maximum(per_group, EDGE), whole)


class Belief(NamedTuple):
    """float64[actions] each: the expected chance, and of how many answers it is worth (α + β of a Beta)."""

    mean: Floats
    evidence: Floats


def believe(starts: Starts, counts: Counts, learning: Learning, *, channel: str, tier: str, now: int) -> Belief:
    """What is believed of every action on a channel, for a tier, at a time."""
    fade = 1.0 / weight(now, learning.half_life_days)
    begun = starts.of_groups()
    of_group = _shrunk(
        _table(counts, [group_cell(learning, group) for group in starts.groups], fade), begun, learning.group_evidence
    )
    shift = (_logit(of_group) - _logit(begun))[starts.group]  # what the shop said stands until the group moved
    own = np.where(shift == 0.0, starts.stated, _expit(_logit(np.nan_to_num(starts.stated, nan=0.5)) + shift))
    start = np.where(np.isnan(starts.stated), of_group[starts.group], own)
    names = [action_cell(learning, action) for action in starts.actions]
    of_action = _shrunk(_table(counts, names, fade), start, starts.evidence)
    table = _table(counts, [cell(learning, action, channel, tier) for action in starts.actions], fade)
    return Belief(_shrunk(table, of_action, learning.cell_evidence), table[:, 0] + learning.cell_evidence)


def hers(belief: Belief, row: int, *, tries: int, positives: int, evidence: float) -> tuple[float, float]:
    """The belief of one action for a customer who was told of it before: (mean, evidence).

    p = (evidence · mean + positives) / (evidence + tries); what is uncertain of the mean shrinks by evidence / (evidence + tries), and
    the Beta that has this mean and spread is worth so many answers.
    """
    worth = max(evidence, EDGE)
    before = float(belief.mean[row])
    mean = (worth * before + positives) / (worth + tries)
    spread = before * (1.0 - before) / (float(belief.evidence[row]) + 1.0) * (worth / (worth + tries)) ** 2
    return mean, mean * (1.0 - mean) / max(spread, EDGE**3) - 1.0


def coded(belief: Belief) -> NDArray[np.void]:
    """The belief in five bytes an action (CODE), as decisions are made with it and logged: the mean to 2e-10, the evidence to 5 %."""
    codes = np.empty(len(belief.mean), dtype=CODE)
    codes["mean"] = np.maximum(np.rint(belief.mean * PARTS), 1)
    codes["evidence"] = _steps(belief.evidence)
    return codes


def decoded(codes: NDArray[np.void]) -> Belief:
    """The belief in its codes."""
    return Belief(codes["mean"] / PARTS, EVIDENCE[codes["evidence"]])


def logged(belief: Belief) -> Belief:
    """The belief as it comes out of its codes, without packing it."""
    mean = np.maximum(np.rint(belief.mean * PARTS), 1) / PARTS
    return Belief(mean, EVIDENCE[_steps(belief.evidence)])


def logged_one(mean: float, evidence: float) -> tuple[float, float]:
    """The same of one action."""
    steps = min(round(STEPS * math.log2(min(max(evidence, 1.0), 2.0**31))), MOST_STEPS)
    return max(round(mean * PARTS), 1) / PARTS, float(EVIDENCE[steps])


def _steps(evidence: Floats) -> NDArray[np.intp]:
    """The codes of evidence."""
    return HALFWAY.searchsorted(evidence)


def _table(counts: Counts, names: Sequence[str], fade: float) -> Floats:
    """float64[names, 2]: tries and positives as they count now."""
    rows = [counts.get(name, NEVER) for name in names]
    table: Floats = np.array(rows, dtype=np.float64).reshape(-1, 2) * fade
    return table


def _shrunk(table: Floats, start: Floats, evidence: Floats | float) -> Floats:
    """(positives + evidence · start) / (tries + evidence); counts that were taken back may leave a hair below 0."""
    tries, positives = np.maximum(table.T, 0.0)
    worth = np.maximum(evidence, EDGE)
    return np.asarray(np.clip((np.minimum(positives, tries) + worth * start) / (tries + worth), EDGE, 1.0))


def _logit(chance: Floats) -> Floats:
    inside = np.clip(chance, EDGE, 1.0 - EDGE)
    return np.asarray(np.log(inside) - np.log1p(-inside))


def _expit(log_odds: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-log_odds)))
