"""Decisions recast: with which chances a changed catalogue would have put each action first, on what the record of a decision knows.

Whether an action came through the funnel then stands in the record, and is not asked again as long as nothing of what the funnel asks changed.
Of an action that is new or asks something else, what is asked of the picture, the context and the hour is asked again; consent, limits and what
she did of late are not in a record: what they stopped stays stopped. What a changed catalogue adds has a chance here that it never had in the
log: the valuation counts that, and refuses where it is much.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from models.action_catalogue import Catalogue, union
from models.actions import Action, Treatment
from models.propensity import Belief
from service.decisions import record as record_of
from service.decisions.beliefs import starting
from service.decisions.decision import settled
from service.decisions.funnel import Passage, funnel
from service.decisions.replay import Shelf, asked, seen
from training.policies import SILENCE

Chances = Mapping[str, float]
UNTOLD = (
    "CONSENT",
    "DO_NOT_CONTACT",
    "QUIET_HOURS",
    "COOL_OFF",
    "SUPPRESSION",
    "CONTACT_LIMIT",
    "RAMP",
)  # a record cannot say it again


@dataclass
class Recast:
    """Recasts records to one catalogue. `alike`: version that stood -> its actions that ask the same in both, new number -> old number."""

    changed: Catalogue
    shelf: Shelf
    alike: dict[str, dict[int, int]] = field(default_factory=dict)

    def __call__(self, record: Mapping[str, Any]) -> Chances | None:
        """The chances to stand first; None where the record's catalogue is no longer known, or another release wrote it."""
        before = self.shelf(record["catalogue"]) if record.get("form") == record_of.FORM else None
        if before is None or record["channel"] not in self.changed.channels:
            return None
        same, request = self._alike(before), asked(record)
        belief = self._belief(record, before)
        looked = seen(record, self.changed, request, belief=belief)
        came, now = record_of.passed(record), funnel(looked).passed
        stopped = union(int(record["dropped"].get(code, "0"), 16) for code in UNTOLD)
        passed = 0
        for number, action in enumerate(self.changed.actions):
            old = before.rows.get(action.id)
            asked_again = now >> number & ~(0 if old is None else stopped >> old)
            passed |= ((came >> same[number] if number in same else asked_again) & 1) << number
        first = settled(request, looked, Passage(passed, {}, belief)).choice.first
        spoken = {name: chance for name, chance in first.items() if self.changed.by_id[name].class_ != "silence"}
        return spoken or {SILENCE: 1.0}

    def _alike(self, before: Catalogue) -> dict[int, int]:
        if before.version not in self.alike:
            pairs = ((number, before.rows.get(action.id)) for number, action in enumerate(self.changed.actions))
            self.alike[before.version] = {
                number: old
                for number, old in pairs
                if old is not None and _funnelled(before.actions[old]) == _funnelled(self.changed.actions[number])
            }
        return self.alike[before.version]

    def _belief(self, record: Mapping[str, Any], before: Catalogue) -> Belief:
        """What was believed then; of what was not asked then, where it starts."""
        known = record_of.belief(record, len(before.actions))
        start = starting(self.changed, record["channel"], record["tier"], record["now"])
        mean, evidence = start.mean.copy(), start.evidence.copy()
        for number, action in enumerate(self.changed.actions):
            old = before.rows.get(action.id)
            if old is not None and not np.isnan(known.mean[old]):
                mean[number], evidence[number] = known.mean[old], known.evidence[old]
        return Belief(mean, evidence)


def _funnelled(action: Action) -> Action:
    """The action as the funnel sees it: without what makes its price and its words."""
    return replace(
        action,
        issue="",
        value=0.0,
        value_by_tier={},
        cost=0.0,
        cost_by_tier={},
        propensity=None,
        evidence=0.0,
        context={},
        recency=None,
        lever=0.0,
        why={},
        treatments=tuple(Treatment(one.channel, one.id, one.placements, one.languages) for one in action.treatments),
    )
