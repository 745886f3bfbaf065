"""Blend: how much each source of scores counts for each intent.

Intents  for_you (what is not owned yet) · for_you_owned (owned items too) · session (nothing bought yet)
         complementary · cart (complementary to several items) · similar
Sources  together · alike · factors · popularity · repeat · ease · sessions · complements
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DAY_S = 86_400
INTENTS = ("for_you", "for_you_owned", "session", "complementary", "cart", "similar")
SOURCES = ("together", "alike", "factors", "popularity", "repeat", "ease", "sessions", "complements")
BOUGHT = ("together", "alike", "ease", "sessions")  # sources that rest on what was bought or seen together
COMPLETING = ("complementary", "cart")  # intents whose lists go with items, and are no substitutes for them
STANDS_FOR = {
    "cart": "complementary",
    "session": "for_you",
}  # an intent that learnt nothing of its own -> whose weights it has


@dataclass(frozen=True)
class Blend:
    """weights[intent][source]: what a source counts once its scores are on one scale; one that is not named counts 0.

    half_life_days  after how long a customer's purchase says half as much of their taste; None: never
    fade            what the item before the last says beside the last one of a visit, 0–1
    """

    weights: dict[str, dict[str, float]]
    half_life_days: float | None = None
    fade: float = 1.0

    def of(self, intent: str) -> dict[str, float]:
        """The weights of an intent, else of the one it stands for; nothing for one without."""
        return self.weights.get(intent) or self.weights.get(STANDS_FOR.get(intent, intent), {})

    def mix(self, intent: str, sources: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """float32[items]: Σ weight · scores / rms(scores), the root mean square over all items.

        A source of zeros contributes zeros; an intent without weights scores all items 0. It takes one source or more.
        """
        weights, sizes = self.of(intent), {name: rms(scores) for name, scores in sources.items()}
        return blended(sources, {name: weights.get(name, 0.0) / size for name, size in sizes.items() if size > 0})

    def recency(self, last_at: NDArray[np.int64], *, now: int | NDArray[np.int64]) -> NDArray[np.float32]:
        """float32[history]: what a purchase of then still says now (of all, or of each): 1 for one of now, halved every half-life."""
        if self.half_life_days is None:
            return np.ones(len(last_at), dtype=np.float32)
        age_days = np.maximum(now - last_at, 0) / DAY_S
        return np.exp2(-age_days / self.half_life_days).astype(np.float32)


def blended(sources: Mapping[str, NDArray[np.float32]], scales: Mapping[str, float]) -> NDArray[np.float32]:
    """float32[items]: Σ scale · scores; a source without a scale counts 0. It takes one source or more."""
    first, *others = sources
    mixed = np.multiply(sources[first], np.float32(scales.get(first, 0)), dtype=np.float32)
    part = np.empty_like(
        mixed
    )  # filled again for each source: a new array of a large catalogue costs more than the sum
    for name in others:
        if scale := scales.get(name):
            mixed += np.multiply(sources[name], np.float32(scale), out=part)
    return mixed


def rms(scores: NDArray[np.float32]) -> float:
    """The root mean square of a vector; 0 for an empty one."""
    return float(np.sqrt(np.dot(scores, scores) / max(len(scores), 1)))
