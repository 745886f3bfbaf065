"""Selection: which n of the items that may stand in a list do, and in which order.

The best n by score, where nothing else is asked for. Otherwise slot by slot from a pool of the best: what is pinned to the slot, else what a
promised share makes due there, else what is worth most beside the items chosen before (maximal marginal relevance, Carbonell & Goldstein 1998):

    (1 − diversity) · score / best score  −  diversity · largest similarity to an item chosen before.

What the shop caps stays capped, even where the list gets shorter by it. That only one variant of a group is shown gives way: once nothing else
is left, variants fill the list.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.bundle import Models
from models.ranking import top
from models.similarity import Similarity
from service.lists.question import Mask, Rows, Scores, Stage, boosted

POOL = 5  # times n: among so many of the best, diversity and caps choose
STAGE = 4.0  # more than worth and similarity can ever differ by
EXTRA = -1e6  # the worth of what no stage speaks for
SCORED, PINNED, PROMOTED, EXPLORED = "", "pinned", "promoted", "exploration"


@dataclass(frozen=True)
class Cap:
    """At most `most` items of the same code; code int32[items], those below 0 are not counted."""

    most: int
    code: NDArray[np.int32]


@dataclass(frozen=True)
class Share:
    """At least `percent` of the slots are for these items, as far as there are any; items bool[items].

    Of a group that these items are only a part of, the best variant may stand there first; then that one is shown, promised or not.
    """

    percent: float
    items: Mask

    def promised(self, n: int) -> int:
        """How many of n slots."""
        return min(n, int(np.ceil(self.percent * n / 100 - 1e-9)))


@dataclass(frozen=True)
class Wishes:
    """What is asked of a list beside its masks.

    hidden  bool[items]  not shown                 boosts  float32[items]  what each score counts; None: nothing hidden, all count 1
    pins    slot, from 0 -> rows: the first that may stands there
    rules   merchandising rule -> what became of it, for debug
    """

    hidden: Mask | None = None
    boosts: Scores | None = None
    pins: Mapping[int, Sequence[int]] = field(default_factory=dict)
    shares: tuple[Share, ...] = ()
    caps: tuple[Cap, ...] = ()
    diversity: float = 0.0
    rules: Mapping[str, str] = field(default_factory=dict)

    @property
    def plain(self) -> bool:
        """Whether the best are wanted as they are."""
        return not (self.pins or self.shares or self.caps or self.diversity)


class Chosen(NamedTuple):
    """An item of a list: the stage that speaks for it, if one does, and why it stands there: SCORED, PINNED, PROMOTED or EXPLORED.

    probability  the chance that it stands there, where the list explores (service.lists.exploration)
    """

    row: int
    stage: Stage | None
    by: str = SCORED
    probability: float | None = None


NOTHING = Wishes()


def select(stages: Iterable[Stage], *, allowed: Mask, wishes: Wishes, n: int, models: Models) -> list[Chosen]:
    """The list: at most n allowed items, none twice; of a later stage only what the earlier ones leave open."""
    seen: list[Stage] = []
    stages = _noted(stages, seen)
    group = models.catalogue.group_id.code
    if wishes.plain:
        best = _best(stages, allowed, wishes.boosts, n)
        if not best or not variants(group, [one.row for one in best]):
            return best
    everything = chain(tuple(seen), stages)
    chosen = _through(everything, [], allowed, (*wishes.caps, Cap(1, group)), wishes=wishes, n=n, models=models)
    if len(chosen) == n:
        return chosen
    return _through(seen, chosen, allowed, wishes.caps, wishes=wishes, n=n, models=models)


def _noted(stages: Iterable[Stage], seen: list[Stage]) -> Iterator[Stage]:
    for stage in stages:
        seen.append(stage)
        yield stage


def _best(stages: Iterable[Stage], allowed: Mask, boosts: Scores | None, n: int) -> list[Chosen]:
    """The best n, stage after stage."""
    chosen: list[Chosen] = []
    left = allowed
    for stage in stages:
        rows = stage.top(left, boosts, n - len(chosen))
        chosen += [Chosen(row, stage) for row in rows.tolist()]
        if len(chosen) == n:
            break
        left = left.copy()
        left[rows] = False
    return chosen


def variants(group: NDArray[np.int32], rows: Sequence[int] | Rows) -> bool:
    """Whether two of these are of one group."""
    codes = [code for code in group[rows].tolist() if code >= 0]
    return len(set(codes)) < len(codes)


def _through(
    stages: Iterable[Stage],
    begun: Sequence[Chosen],
    allowed: Mask,
    caps: Sequence[Cap],
    *,
    wishes: Wishes,
    n: int,
    models: Models,
) -> list[Chosen]:
    """The list that was begun, filled stage by stage until it is full or nothing is left that the caps let in."""
    allowed = allowed.copy()
    allowed[[one.row for one in begun]] = False
    pins = {} if begun else _pins(wishes, allowed, n)
    allowed[list(pins.values())] = False
    pool = _Pool(allowed, wishes, n, models)
    chosen = list(begun)
    for stage in stages:
        pool.draw(stage)
        chosen = _filled(begun, pool, pins, caps)
        while len(chosen) < n and pool.deepen([one.row for one in chosen], caps):
            chosen = _filled(begun, pool, pins, caps)
        if len(chosen) == n:
            break
    return chosen


def _pins(wishes: Wishes, allowed: Mask, n: int) -> dict[int, int]:
    """Slot -> the row that stands there."""
    pins: dict[int, int] = {}
    for slot, rows in sorted(wishes.pins.items()):
        found = next((row for row in rows if allowed[row] and row not in pins.values()), None)
        if found is not None and slot < n:
            pins[slot] = found
    return pins


class _Pool:
    """The best of the stages so far, and what the shares need.

    parts  for each stage the rows drawn of it, best first      extra  rows that no stage speaks for, only a share
    """

    def __init__(self, allowed: Mask, wishes: Wishes, n: int, models: Models) -> None:
        self.wishes, self.n, self.models = wishes, n, models
        self.stages: list[Stage] = []
        self.parts: list[Rows] = []
        self.extra: Rows = np.zeros(0, dtype=np.int32)
        self._left = allowed

    def draw(self, stage: Stage) -> None:
        """Add the best of another stage."""
        boosts = self.wishes.boosts
        lifted = stage if boosts is None else replace(stage, scores=boosted(stage.scores, boosts), best=None)
        rows = lifted.top(self._left, None, POOL * self.n)
        for share in self.wishes.shares if not self.stages else ():
            promised, theirs = share.promised(self.n), self._left & share.items
            shared = lifted.top(theirs, None, promised)
            if len(shared) < promised and stage.shown is not None:
                others = theirs & ~stage.shown
                popular = top(self.models.popularity.score, others, promised - len(shared))
                self.extra = np.union1d(self.extra, popular).astype(np.int32)
            rows = np.union1d(rows, shared)
        self.stages.append(stage)
        self._add(rows[np.argsort(-boosted(stage.scores[rows], _of(boosts, rows)), kind="stable")])

    def deepen(self, chosen: Sequence[int], caps: Sequence[Cap]) -> bool:
        """Add more of the last stage, such as the caps still let in beside the chosen; False where there are none."""
        left = self._left
        for cap in caps:
            left = left & ~np.isin(cap.code, _spent(cap, chosen))
        rows = self.stages[-1].top(left, self.wishes.boosts, POOL * self.n)
        before = self.parts.pop()
        self._add(np.concatenate([before, rows]))
        return len(rows) > 0

    def _add(self, rows: Rows) -> None:
        self.parts.append(rows.astype(np.int32))
        self._left = self._left.copy()
        self._left[rows] = False

    def worth(self) -> Scores:
        """float32[pool]: each score as a share of its stage's best, 0 to 1; 0 for the extra rows."""
        shares = [
            np.maximum(scores, 0) / max(float(scores.max(initial=0)), 1e-12)
            for stage, rows in zip(self.stages, self.parts, strict=True)
            for scores in [boosted(stage.scores[rows], _of(self.wishes.boosts, rows))]
        ]
        return np.concatenate([*shares, np.zeros(len(self.extra))]).astype(np.float32)


def _of(boosts: Scores | None, rows: Rows) -> Scores | None:
    return None if boosts is None else boosts[rows]


def _spent(cap: Cap, rows: Sequence[int]) -> list[int]:
    """The codes of which no more may come."""
    codes = Counter(cap.code[list(rows)].tolist() if rows else ())
    return [code for code, number in codes.items() if code >= 0 and number >= cap.most]


def _filled(begun: Sequence[Chosen], pool: _Pool, pins: Mapping[int, int], caps: Sequence[Cap]) -> list[Chosen]:
    """The list as far as this pool fills it; a pin behind the last item moves up."""
    slots = _Slots(begun, pool, pins, caps)
    for slot in range(len(begun), pool.n):
        if slot in pins:
            slots.chosen.append(Chosen(pins[slot], None, PINNED))
        else:
            slots.fill()
    return slots.chosen


class _Slots:
    """A list that is being filled. Arrays are over the pool; pins and what was begun count from the start.

    value  what each item is worth where it is chosen first; -inf for what is taken or capped. A later stage is worth less than an earlier one
    """

    def __init__(self, begun: Sequence[Chosen], pool: _Pool, pins: Mapping[int, int], caps: Sequence[Cap]) -> None:
        fixed = [*(one.row for one in begun), *pins.values()]
        self.pool, self.chosen, self.pins = pool, list(begun), pins
        self.rows = np.concatenate([*pool.parts, pool.extra])
        self.stage = np.repeat(np.arange(len(pool.parts) + 1), [*map(len, pool.parts), len(pool.extra)])
        self.diversity = np.float32(pool.wishes.diversity)
        self.value = (1 - self.diversity) * pool.worth() - STAGE * self.stage.astype(np.float32)
        self.value[self.stage == len(pool.parts)] = EXTRA
        self.caps = [(cap, cap.code[self.rows], Counter(cap.code[fixed].tolist() if fixed else ())) for cap in caps]
        for cap, codes, _ in self.caps:
            if fixed:
                self.value[np.isin(codes, _spent(cap, fixed))] = -np.inf
        self.shares: list[tuple[int, Mask]] = [
            (share.promised(pool.n), share.items[self.rows]) for share in pool.wishes.shares
        ]
        self.had = [int(np.count_nonzero(share.items[fixed])) if fixed else 0 for share in pool.wishes.shares]
        if self.diversity:
            self._compare(fixed)

    def fill(self) -> None:
        """Fill the next slot, if anything is left for it."""
        if not len(self.rows):
            return
        value = self.value - self.nearest if self.diversity else self.value
        natural = place = int(np.argmax(value))
        due = self._due(value)
        if due is not None and not due[natural]:
            place = int(np.argmax(np.where(due, value, -np.inf)))
        if value[place] > (-np.inf if due is not None else EXTRA / 2):
            self._take(place, SCORED if place == natural else PROMOTED)

    def _due(self, value: Scores) -> Mask | None:
        """The items of a share that must have this slot: spread evenly, its j-th item stands at slot j·n / promised at the latest."""
        if not self.shares:
            return None
        slot = len(self.chosen)
        missing = [max(promised - had, 0) for (promised, _), had in zip(self.shares, self.had, strict=True)]
        last = sum(missing) >= self.pool.n - slot - sum(one > slot for one in self.pins)
        for (promised, items), had, left in zip(self.shares, self.had, missing, strict=True):
            if left and (last or slot >= (had + 1) * self.pool.n // promised - 1) and (value[items] > -np.inf).any():
                return items
        return None

    def _take(self, place: int, by: str) -> None:
        number = int(self.stage[place])
        stage = self.pool.stages[number] if number < len(self.pool.stages) else None
        self.chosen.append(Chosen(int(self.rows[place]), stage, by if stage else PROMOTED))
        self.value[place] = -np.inf
        if len(self.pool.extra):  # what only a share brought may stand there again, when a later stage spoke for it
            self.value[self.rows == self.rows[place]] = -np.inf
        for cap, codes, counted in self.caps:
            code = int(codes[place])
            counted[code] += 1
            if code >= 0 and counted[code] >= cap.most:
                self.value[codes == code] = -np.inf
        self.had = [had + bool(items[place]) for had, (_, items) in zip(self.had, self.shares, strict=True)]
        if self.diversity:
            self._beside(place)

    def _compare(self, fixed: Sequence[int]) -> None:
        """Make ready to compare, and compare with what stands in the list already."""
        models = self.pool.models
        everything = np.concatenate([self.rows, np.array(fixed, dtype=np.int32)])
        self.alike = Similarity.of(everything, catalogue=models.catalogue, factors=models.factors)
        self.nearest = np.zeros(len(self.rows), dtype=np.float32)
        for place in range(len(self.rows), len(everything)):
            self._beside(place)

    def _beside(self, place: int) -> None:
        alike = self.alike.to(place)[: len(self.rows)]
        self.nearest = np.maximum(self.nearest, self.diversity * alike)
