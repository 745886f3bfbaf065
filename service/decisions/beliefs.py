"""Beliefs: what is thought of every action's chance now, kept beside the request path.

Counters live in the store; an outcome adds to them in its own transaction. The worker that took it looks at once, the others within POLL_S,
off the request path: they ask for what was added since their last look. A decision reads one reference, and no counter.
"""

from __future__ import annotations

from collections.abc import Mapping

from models.actions import Actions
from models.propensity import Belief, Count, Counts, action_cell, believe, coded, decoded, weight
from service.store import COUNTERS, Store
from service.watch import Watched

POLL_S = 0.5
HOUR_S = 3_600
MOST = 512  # beliefs kept: channels × tiers, of the live catalogue

Key = tuple[str, str, str, int]


def starting(actions: Actions, channel: str, tier: str, now: int, counts: Counts | None = None) -> Belief:
    """What is believed with these counters, none by default; as it is logged, so that a replay reads the same."""
    hour = now // HOUR_S * HOUR_S  # the same in all workers for an hour
    return decoded(coded(believe(actions.starts, counts or {}, actions.learning, channel=channel, tier=tier, now=hour)))


def positives(actions: Actions, now: int, counts: Counts) -> dict[str, float]:
    """How often each new action was taken so far, faded; who never was is left out."""
    fade = 1.0 / weight(now, actions.learning.half_life_days)
    names = ((one.id, action_cell(actions.learning, one.id)) for one in actions.actions if one.ramp is not None)
    return {action_id: counts[name].positives * fade for action_id, name in names if name in counts}


class Beliefs(Watched):
    """The beliefs of one store. What was believed is replaced whole: readers need no lock."""

    def __init__(self, store: Store | None, *, poll_s: float = POLL_S) -> None:
        super().__init__("counters", poll_s=poll_s)
        self._store = store
        self._version = 0
        self._counts: dict[str, Count] = {}
        self._kept: dict[Key, Belief] = {}
        self._kept_positives: dict[tuple[str, int], Mapping[str, float]] = {}
        self.refresh()

    def __call__(self, actions: Actions, channel: str, tier: str, now: int) -> Belief:
        """The belief of every action of a catalogue."""
        self._watch.start()
        kept, key = self._kept, (actions.version, channel, tier, now // HOUR_S)
        if key not in kept:
            if len(kept) >= MOST:
                kept.clear()
            kept[key] = starting(actions, channel, tier, now, self._counts)
        return kept[key]

    def positives(self, actions: Actions, now: int) -> Mapping[str, float]:
        """How often each new action was taken so far, over all customers."""
        kept, key = self._kept_positives, (actions.version, now // HOUR_S)
        if key not in kept:
            if len(kept) >= MOST:
                kept.clear()
            kept[key] = positives(actions, now // HOUR_S * HOUR_S, self._counts)
        return kept[key]

    def _look(self) -> None:
        if self._store is None:
            return
        newest = self._store.versions().get(COUNTERS, 0)
        if newest == self._version:
            return
        before = {} if newest < self._version else self._counts  # another store, or an emptied one
        version, sums = self._store.counters(after_version=self._version if before else 0)
        self._counts = before | {name: Count(*pair) for name, pair in sums.items()}
        self._version, self._kept, self._kept_positives = version, {}, {}
