"""Trace: how a list came about, for `debug`. Nothing is recorded where a request does not ask for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from service.lists.question import Stage
    from service.lists.selection import Chosen


@dataclass(frozen=True)
class Candidates:
    """What a stage had to offer: how many eligible items it speaks for, and of how many of these each source says something."""

    intent: str
    items: int
    sources: Mapping[str, int]


@dataclass(frozen=True)
class Parts:
    """What a chosen item's score is made of: the shares of its sources add up, and the boost of rules, requests and rotation multiplies them.

    intent  of the stage that it comes from; None where it stands there by a rule or for exploration, as `by` says
    """

    item_id: str
    intent: str | None
    by: str
    sources: Mapping[str, float]
    boost: float


@dataclass
class Trace:
    """What happened on the way to a list, in the order in which it happened.

    items       how many items the catalogue has
    removed     mask -> how many items it took from those that the masks before it had left; a mask that took none is left out
    rules       merchandising rule -> what became of it: fired, not now, condition false, RULE_ERROR
    candidates  the intent and those of its fallbacks that were needed
    scores      one for each item of the list
    """

    items: int = 0
    removed: dict[str, int] = field(default_factory=dict)
    rules: dict[str, str] = field(default_factory=dict)
    candidates: list[Candidates] = field(default_factory=list)
    scores: list[Parts] = field(default_factory=list)

    @property
    def eligible(self) -> int:
        """How many items no mask took."""
        return self.items - sum(self.removed.values())

    def masked(self, name: str, taken: int) -> None:
        """A mask of this name took so many items."""
        if taken:
            self.removed[name] = self.removed.get(name, 0) + taken

    def noting(self, stages: Iterable[Stage], allowed: NDArray[np.bool_]) -> Iterator[Stage]:
        """The same stages; each is noted when it is taken."""
        for stage in stages:
            spoken_for = allowed if stage.shown is None else allowed & stage.shown
            said = {name: int(np.count_nonzero(scores[spoken_for] > 0)) for name, scores in stage.sources.items()}
            self.candidates.append(Candidates(stage.intent, int(np.count_nonzero(spoken_for)), said))
            yield stage

    def scored(self, chosen: Sequence[Chosen], boosts: NDArray[np.float32] | None, item_ids: Sequence[str]) -> None:
        """These items were chosen, with these boosts of all items (None: 1)."""
        for one, item_id in zip(chosen, item_ids, strict=True):
            shares = {} if one.stage is None else one.stage.shares(np.array([one.row], dtype=np.int32))
            gave = {name: float(share[0]) for name, share in shares.items()}
            boost = 1.0 if boosts is None else float(boosts[one.row])
            self.scores.append(Parts(item_id, one.stage.intent if one.stage else None, one.by or "score", gave, boost))

    def document(self) -> dict[str, Any]:
        """As the answer carries it."""
        return {**asdict(self), "eligible": self.eligible}
