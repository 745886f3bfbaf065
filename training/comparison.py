"""The comparison of two rehearsals on the same ground, as rows: a measure, of whom or what, in which tier, under each catalogue.

Of a sample, what its customers make is scaled up to everybody, and each figure has the half-width of its 95 % interval: the customer is the
case, drawn without replacement, N² (1 − n/N) s²/n (Cochran 1977, theorem 2.2); the difference is of the same customers, so that what both
catalogues do alike says nothing in it. The sum of squares is that of the sample and two customers more (Agresti & Coull 1998): a thing that
nobody in the sample does may yet be done.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from models.action_catalogue import Catalogue
from models.budgets import TOKENS
from models.lift import Z
from training.rehearsal import Drawn, Ground, Play, Rehearsed

MORE = 2  # customers, see above
ALL, NO_TIER = "all", "none"  # the tier of everybody together, and of who has none
Key = tuple[str, str, str]  # measure, name, tier
Counts = defaultdict[Key, float]
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
    """One line. Counts of a sample are scaled up to everybody; margins are half of 95 % intervals, of live, changed and difference."""

    measure: str
    name: str
    tier: str
    live: float
    changed: float
    margins: tuple[float, float, float] = (0.0, 0.0, 0.0)

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
    sums, size = _sums(as_is, would_be), len(ground.ids)
    before = _totals(as_is, {key: one.live for key, one in sums.items()}, ground.share)
    after = _totals(would_be, {key: one.changed for key, one in sums.items()}, ground.share)
    order = list(MEASURES)
    keys = sorted(
        before.keys() | after.keys(),
        key=lambda key: (order.index(key[0]), key[1] if key[0] in _POOLED else "", *_largest(key, before, after), key),
    )

    def margins(key: Key) -> tuple[float, float, float]:
        """Nothing is left to chance where everybody was asked; of what is left of a pool, what is drawn is uncertain."""
        found = sums["spent" if key[0] == "left" else key[0], key[1], key[2]]
        live_, changed_, difference = found.margins(size, ground.share)
        return live_, changed_, 0.0 if live.version == changed.version else difference

    return Comparison(
        channel=ground.asked.channel,
        now=ground.now,
        customers=round(len(ground.ids) / ground.share),
        decided=len(ground.ids),
        versions=(live.version, changed.version),
        drained=(_drained(as_is, ground.share), _drained(would_be, ground.share)),
        rows=tuple(Row(*key, before[key], after[key], margins(key)) for key in keys),
    )


_POOLED = ("spent", "left", "turned_away")


def _largest(key: Key, before: Counts, after: Counts) -> tuple[float, str, bool, float]:
    """Actions and stages by how often, each with its tiers below it."""
    measure, name, tier = key
    whole = measure, name, ALL
    return (-max(before[whole], after[whole]), name, tier != ALL, -max(before[key], after[key]))


@dataclass(slots=True)
class _Sums:
    """Of all customers of a sample: what they make under each catalogue, and its squares; `some`: how often that is anything."""

    live: float = 0.0
    changed: float = 0.0
    squares: tuple[float, float, float] = (0.0, 0.0, 0.0)
    some: int = 0

    def add(self, live: float, changed: float) -> None:
        """One customer more."""
        self.live += live
        self.changed += changed
        of_live, of_changed, of_difference = self.squares
        self.squares = (of_live + live**2, of_changed + changed**2, of_difference + (changed - live) ** 2)
        self.some += bool(live) + bool(changed)

    def margins(self, size: int, share: float) -> tuple[float, float, float]:
        """Half of the 95 % intervals of live, changed and their difference, scaled up to everybody."""
        if share >= 1 or size < 2 or not self.some:
            return 0.0, 0.0, 0.0
        more = MORE * (self.squares[0] + self.squares[1]) / self.some
        totals = (self.live, self.changed, self.changed - self.live)
        spreads = (square + more - total**2 / size for square, total in zip(self.squares, totals, strict=True))
        live, changed, difference = (_half(spread / (size - 1), size, share) for spread in spreads)
        return live, changed, difference


def _half(variance: float, size: int, share: float) -> float:
    """Half of the interval of a total, from the variance of one customer's part."""
    return Z * size / share * math.sqrt((1 - share) * variance / size)


def _sums(as_is: Rehearsed, would_be: Rehearsed) -> defaultdict[Key, _Sums]:
    """What the customers make, each under both catalogues."""
    sums: defaultdict[Key, _Sums] = defaultdict(_Sums)
    for live, changed in zip(as_is.plays, would_be.plays, strict=True):
        before, after = _made(live), _made(changed)
        for key in before.keys() | after.keys():
            sums[key].add(before.get(key, 0.0), after.get(key, 0.0))
    return sums


def _made(play: Play) -> Counts:
    """What one customer adds to each measure, in her tier and in all."""
    counts: Counts = defaultdict(float)
    for tier in (ALL, play.tier or NO_TIER):
        for measure, name, value in _values(play):
            counts[measure, name, tier] += value
    for code, actions in play.dropped.items():
        counts["dropped", code, ALL] += actions
    for pool, tokens in play.drawn.items():
        counts["spent", short(pool), ALL] += tokens / _unit(pool)
    for pool in play.away:
        counts["turned_away", short(pool), ALL] += 1
    return counts


def _values(play: Play) -> Iterator[tuple[str, str, float]]:
    """(measure, name, value) of what stands in tiers."""
    yield "customers", "", 1.0
    yield "reached", "", float(bool(play.said))
    yield "answers", "", sum(one.propensity for one in play.said[:1])
    yield "worth", "", sum(one.priority for one in play.said[:1])
    yield "cost", "", sum(one.cost for one in play.said)
    yield from (("said", one.action_id, 1.0) for one in play.said)
    if not play.said:
        yield "nothing", play.stopped or "NOTHING", 1.0


def _totals(found: Rehearsed, sums: Mapping[Key, float], share: float) -> Counts:
    """The measures of everybody, pools among them."""
    counts: Counts = defaultdict(float, {key: total / share for key, total in sums.items()})
    for name, pool in found.pools.items():
        spent, away = (counts[measure, short(name), ALL] for measure in ("spent", "turned_away"))
        counts |= {("spent", short(name), ALL): spent, ("turned_away", short(name), ALL): away}
        counts["left", short(name), ALL] = (pool.cap - pool.before) / _unit(name) - spent
    return counts


def _unit(pool: str) -> int:
    """Tokens of a budget's unit; of stock, pieces."""
    return TOKENS if pool.startswith("budget:") else 1


def short(pool: str) -> str:
    """The name of a pool without its period."""
    kind, name = pool.split(":", 1)
    return f"{kind} {name.rpartition(':')[0] if kind == 'budget' else name}"


def _drained(found: Rehearsed, share: float) -> tuple[str, ...]:
    return tuple(sorted(short(name) for name, pool in found.pools.items() if _empty(found.plays, name, pool, share)))


def _empty(plays: Sequence[Play], name: str, pool: Drawn, share: float) -> bool:
    """Whether somebody was turned away, or nothing is left."""
    tokens = sum(play.drawn.get(name, 0) for play in plays)
    return any(name in play.away for play in plays) or tokens >= round((pool.cap - pool.before) * share) > 0
