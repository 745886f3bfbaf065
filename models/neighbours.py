"""Neighbours: which items go with an item, learnt from what was bought together or by the same people.

Sarwar et al. 2001 with the asymmetric normalisation of Aiolli 2013; learnt by training/fit/neighbours.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.linear import Linear


@dataclass(frozen=True)
class Neighbours(Linear):
    """For each item of a history the K best others, best first; all scores are above 0.

    support  int32[pairs]  how many baskets or customers held both
    """

    support: NDArray[np.int32]
