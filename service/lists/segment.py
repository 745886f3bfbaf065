"""Segment: what is said of people like her, for whom nobody has seen buy or look: the category where she landed, for whom she shops, her brand.

A customer's attributes and the request's context say it, by the names that items have for it; the context, of this moment, wins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.catalogue import Catalogue

FIELDS = ("category", "gender", "brand")

Said = tuple[tuple[str, str], ...]


def said(context: Sequence[tuple[str, Any]], attributes: Mapping[str, Any]) -> Said:
    """What is said of her segment: (field, value) pairs."""
    if not (context or attributes):
        return ()
    told = {**attributes, **dict(context)}
    return tuple((field, told[field]) for field in FIELDS if isinstance(told.get(field), str) and told[field])


def segment(told: Said, catalogue: Catalogue) -> NDArray[np.bool_] | None:
    """bool[items]: what suits all that is said; None where nothing is. A value that no item has says nothing."""
    suits: NDArray[np.bool_] | None = None
    for field, value in told:
        found = catalogue.within([value]) if field == "category" else getattr(catalogue, field).are([value])
        if found.any():
            suits = found if suits is None else suits & found
    return suits
