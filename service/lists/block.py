"""A block: the tastes of some customers, folded in side by side; one matrix product says of all of them what factors say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from models.bundle import Models
from models.factors import Factors
from models.folding import fold_all
from service.lists.blending import estimable, longer
from service.lists.taste import Said, Taste

MOST_SCORES = 1 << 20  # of a block: 4 MB; what is larger leaves the processor's cache before it is used


def folded_in(tastes: Sequence[Taste], models: Models) -> Iterator[Taste]:
    """The same tastes, each with what factors say of it where lists for_you ask them; as many at once as make a block."""
    counted = models.blend.of("for_you")
    if models.factors is None or not counted.get("factors"):
        yield from tastes
        return
    size = max(1, MOST_SCORES // max(len(models.catalogue), 1))
    for start in range(0, len(tastes), size):
        yield from _block(tastes[start : start + size], models, models.factors, estimated=estimable(models, counted))


def _block(tastes: Sequence[Taste], models: Models, factors: Factors, *, estimated: bool) -> Iterator[Taste]:
    folded = fold_all(factors, [(one.rows, one.weights) for one in tastes])
    vectors = np.stack([hers.vector for hers in folded])
    scores = longer(factors.estimate(vectors) if estimated else factors.score(vectors), len(models.catalogue))
    for taste, hers, said in zip(tastes, folded, scores, strict=True):
        yield replace(taste, factors=Said(hers, said, estimated))
