"""The gate: what must hold before a new bundle is served."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from training.metrics import Values, interval, mean


@dataclass(frozen=True)
class Verdict:
    """Whether the new bundle may be served, why, and by how much.

    passed    what the gate says; `warnings` are for people and stop nothing
    measured  the figures behind it, for the manifest
    """

    passed: bool
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]
    measured: dict[str, Any]

    @property
    def manifest(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def judge(candidate: Values, popularity: Values, live: Values | None, *, seed: int = 0) -> Verdict:
    """Compare NDCG@20 of the same customers: the new models, popularity, and the live bundle (None: there is none).

    Refused: not better than popularity; or clearly worse than the live bundle, that is, the paired 95 % bootstrap interval of the difference
    lies wholly below zero. Where nothing is served yet, a reason is a warning: some list is better than none. Where models and
    popularity did the same for every customer, the test told nothing and refuses nothing.
    """
    new, baseline = mean(candidate), mean(popularity)
    measured: dict[str, Any] = {
        "customers": int((~np.isnan(candidate)).sum()),
        "ndcg": new,
        "popularity_ndcg": baseline,
    }
    reasons, warnings = [], []
    if np.array_equal(candidate, popularity, equal_nan=True):
        warnings.append("the test could not tell this bundle from popularity: both did the same for every customer")
    elif new <= baseline:
        reasons.append(f"NDCG@20 {new:.4f} is not better than popularity's {baseline:.4f}")
    if live is None:
        return Verdict(
            True,
            (),
            (*warnings, *(f"{reason}; published all the same: nothing was served before" for reason in reasons)),
            measured,
        )
    low, high = interval(candidate - live, seed=seed)
    measured |= {"live_ndcg": mean(live), "difference": mean(candidate - live), "difference_95": [low, high]}
    if high < 0:
        reasons.append(
            f"NDCG@20 {new:.4f} is below the live bundle's {mean(live):.4f}: the difference is {low:+.4f} to {high:+.4f} (95 %)"
        )
    return Verdict(not reasons, tuple(reasons), tuple(warnings), measured)
