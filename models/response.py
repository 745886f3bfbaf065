"""Response: how the chance that an action is taken differs from one customer and moment to another. Learnt in training.fit.response.

    log-odds of hers = log-odds of the counters (models.propensity) + what each trait of hers adds to that of an average decision

The counters say what an action brings on a channel for a tier, and move with every outcome; the model says who is above and below that. It is
learnt beside the counters' own belief, so that what they know already is not counted twice, and each addend can be shown.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from models.actions import Actions
from models.propensity import EDGE, Belief, Floats

MOST = 8  # catalogues of which the rows are kept
CLIP = 4.0  # a trait says no more than at so many standard deviations
COUNTS = ("orders", "spent", "cart_items", "wish_drops", "searches")
AGES = ("days_since_order", "days_since_seen", "hours_since_cart", "days_since_trouble")
AS_IT_IS = ("order_due", "tier_progress", "tier_at_risk")

Rows = NDArray[np.int64]


def traits(
    numbers: Mapping[str, float], *, tier: str, lifecycle: str | None, channel: str, unanswered: int, hour: int
) -> dict[str, float]:
    """What is told of a customer and her moment, by name; what is not known is left out, which counts as 0.

    numbers     service.people.picture's, as of the decision        unanswered  contacts of late that she left so
    hour        of her day, 0-23
    """
    told = {name: math.log1p(max(numbers[name], 0.0)) for name in COUNTS if name in numbers}
    told |= {name: 1.0 / (1.0 + max(numbers[name], 0.0) / 7.0) for name in AGES if name in numbers}
    told |= {name: numbers[name] for name in AS_IT_IS if name in numbers}
    angle = 2.0 * math.pi * hour / 24.0
    return told | {
        "unanswered": math.log1p(unanswered),
        "hour_sin": math.sin(angle),
        "hour_cos": math.cos(angle),
        f"channel {channel}": 1.0,
        f"tier {tier}": 1.0,
        f"lifecycle {lifecycle or ''}": 1.0,
    }


@dataclass(frozen=True)
class Response:
    """The learnt model. The traits of an average decision add nothing.

    columns        names of the traits                  centre, scale  float64[traits]  of each
    groups         of actions that it knows             actions        that it knows
    weights        float64[groups + 1, traits]  log-odds a standard deviation; the last row is for groups that it does not know
    group_level    float64[groups + 1], action_level  float64[actions + 1]  log-odds that all of them have more; the last are 0
    level, slope   log-odds that all have more, and what an odds of the counters counts more or less: 0 and 0 where they are calibrated
    """

    columns: Sequence[str]
    centre: Floats
    scale: Floats
    groups: Sequence[str]
    actions: Sequence[str]
    weights: Floats
    group_level: Floats
    action_level: Floats
    level: float = 0.0
    slope: float = 0.0

    def standardised(self, told: Mapping[str, float]) -> Floats:
        """float64[traits]: each trait in standard deviations from the average."""
        x = np.array([told.get(name, 0.0) for name in self.columns])
        return np.asarray(np.clip((x - self.centre) / self.scale, -CLIP, CLIP))

    def applied(self, belief: Belief, told: Mapping[str, float], catalogue: Actions) -> Belief:
        """The belief of each action of a catalogue, for who has these traits; the evidence stays."""
        own, group = self._rows(catalogue)
        logit = _logit(belief.mean)
        shift = (self.weights @ self.standardised(told) + self.group_level)[group] + self.action_level[own]
        return Belief(_expit(logit * (1.0 + self.slope) + self.level + shift), belief.evidence)

    def _rows(self, catalogue: Actions) -> tuple[Rows, Rows]:
        """int64[actions] each: the place of each action and of its group here; the last where it is new."""
        found = self._kept.get(catalogue.version)
        if found is None:
            if len(self._kept) >= MOST:
                self._kept.clear()
            actions, groups = ([getattr(one, name) for one in catalogue.actions] for name in ("id", "group"))
            found = self._kept[catalogue.version] = (_places(actions, self.actions), _places(groups, self.groups))
        return found

    @cached_property
    def _kept(self) -> dict[str, tuple[Rows, Rows]]:
        return {}


def _places(names: Sequence[str], known: Sequence[str]) -> Rows:
    row = {name: number for number, name in enumerate(known)}
    return np.array([row.get(name, len(known)) for name in names], dtype=np.int64)


def _logit(chance: Floats) -> Floats:
    inside = np.clip(chance, EDGE, 1.0 - EDGE)
    return np.asarray(np.log(inside) - np.log1p(-inside))


def _expit(log_odds: Floats) -> Floats:
    return np.asarray(np.clip(1.0 / (1.0 + np.exp(-log_odds)), EDGE, 1.0 - EDGE))
