"""The comparison of two rehearsals on the same ground, as rows: a measure, of whom or what, in which tier, under each catalogue."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import NamedTuple

from models.action_catalogue import Catalogue
from models.budgets import TOKENS
from training.rehearsal import Drawn, Ground, Rehearsed

ALL, NO_TIER = "all", "none"  # the tier of everybody together, and of who has none
MEASURES = {
    "customers": "customers",
    "reached": "customers who would be told something",
    "said": "customers who would get this action",
    "nothing": "customers left with nothing, by the stage that stopped the action which came furthest",
    "dropped": "actions dropped, by stage, over all customers",
    "answers": "answers expected",
    "worth": "worth expected: the priorities added up",
    "cost": "cost, in the catalogue's unit",
    "spent": "drawn of this budget (its unit) or stock (pieces)",
    "left": "left of it",
    "turned_away": "customers for whom it would be too little",
}


class Row(NamedTuple):
    """One line. Counts of a sample are scaled up to everybody."""

    measure: str
    name: str
    tier: str
    live: float
    changed: float

    @property
    def difference(self) -> float:
        """What the change brings."""
        return self.changed - self.live


@dataclass(frozen=True)
class Comparison:
    """Two catalogues side by side. `drained`: the pools of which nothing more would be left, by catalogue."""

    channel: str
    now: int
    customers: int
    decided: int
    versions: tuple[str, str]
    drained: tuple[tuple[str, ...], tuple[str, ...]]
    rows: tuple[Row, ...]


def compared(
    live: Catalogue, as_is: Rehearsed, changed: Catalogue, would_be: Rehearsed, *, ground: Ground
) -> Comparison:
    """The rows of both, in the order of MEASURES, the most frequent first."""
    before, after = _counts(as_is, ground.share), _counts(would_be, ground.share)
    order = list(MEASURES)
    keys = sorted(
        before.keys() | after.keys(),
        key=lambda key: (order.index(key[0]), key[1] if key[0] in _POOLED else "", *_largest(key, before, after), key),
    )
    return Comparison(
        channel=ground.asked.channel,
        now=ground.now,
        customers=round(len(ground.ids) / ground.share),
        decided=len(ground.ids),
        versions=(live.version, changed.version),
        drained=(_drained(as_is, ground.share), _drained(would_be, ground.share)),
        rows=tuple(Row(*key, before[key], after[key]) for key in keys),
    )


_POOLED = ("spent", "left", "turned_away")
Key = tuple[str, str, str]
Counts = defaultdict[Key, float]


def _largest(key: Key, before: Counts, after: Counts) -> tuple[float, str, bool, float]:
    """Actions and stages by how often, each with its tiers below it."""
    measure, name, tier = key
    whole = measure, name, ALL
    return (-max(before[whole], after[whole]), name, tier != ALL, -max(before[key], after[key]))


def _counts(found: Rehearsed, share: float) -> Counts:
    counts: Counts = defaultdict(float)
    for play in found.plays:
        for tier in (ALL, play.tier or NO_TIER):
            counts["customers", "", tier] += 1
            counts["reached", "", tier] += bool(play.said)
            counts["answers", "", tier] += sum(one.propensity for one in play.said[:1])
            counts["worth", "", tier] += sum(one.priority for one in play.said[:1])
            counts["cost", "", tier] += sum(one.cost for one in play.said)
            for one in play.said:
                counts["said", one.action_id, tier] += 1
            if not play.said:
                counts["nothing", play.stopped or "NOTHING", tier] += 1
        for code, actions in play.dropped.items():
            counts["dropped", code, ALL] += actions
    for name, pool in found.pools.items():
        unit = TOKENS if name.startswith("budget:") else 1
        counts["spent", short(name), ALL] = pool.tokens / unit
        counts["turned_away", short(name), ALL] = pool.away
        counts["left", short(name), ALL] = (pool.cap - pool.before) * share / unit - pool.tokens / unit
    return defaultdict(float, {key: count / share for key, count in counts.items()})


def short(pool: str) -> str:
    """The name of a pool without its period."""
    kind, name = pool.split(":", 1)
    return f"{kind} {name.rpartition(':')[0] if kind == 'budget' else name}"


def _drained(found: Rehearsed, share: float) -> tuple[str, ...]:
    return tuple(sorted(short(name) for name, pool in found.pools.items() if _empty(pool, share)))


def _empty(pool: Drawn, share: float) -> bool:
    """Whether somebody was turned away, or nothing is left."""
    return pool.away > 0 or pool.tokens >= round((pool.cap - pool.before) * share) > 0
