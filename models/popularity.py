"""What everybody buys: decayed purchase counts as of the run. The list of last resort, and the baseline of every table."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from models.blend import rms


@dataclass(frozen=True)
class Popularity:
    """Row i of `score` is item i; the best of a category are the best under the mask of the category.

    score  float32[items]  purchases, each worth 2^(-age / half-life) as of the run; 0 for what nobody bought, never negative
    """

    score: NDArray[np.float32]

    @cached_property
    def size(self) -> float:
        """The root mean square of the scores, which a blend measures them by."""
        return rms(self.score)

    def longer(self, items: int) -> Popularity:
        """The same for a catalogue of so many items: nobody has bought the newcomers yet."""
        return Popularity(np.append(self.score, np.zeros(items - len(self.score), dtype=np.float32)))
