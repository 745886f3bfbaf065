"""Log-odds: what the bins of one predictor tell of an answer, counted; how adaptive models of the field score and explain a predictor.

The formulas are those of Pega's open data scientist tools (pdstools, "ADM explained"): a bin is smoothed by 1 / bins, so that one that was
never answered is no minus infinity. positives, negatives: float64[bins], how often it was taken and not.
"""

from __future__ import annotations

import numpy as np

from models.propensity import Floats


def contributions(positives: Floats, negatives: Floats) -> Floats:
    """float64[bins]: the log-odds that each bin adds to those of all."""
    smoothing = 1.0 / len(positives)
    share = np.log(positives + smoothing) - np.log1p(positives.sum())
    return np.asarray(share - np.log(negatives + smoothing) + np.log1p(negatives.sum()))


def importance(positives: Floats, negatives: Floats) -> float:
    """The mean size of the contributions, by how often each bin comes; 0 where nothing was counted."""
    responses = positives + negatives
    whole = float(responses.sum())
    return float(np.abs(contributions(positives, negatives)) @ responses) / whole if whole else 0.0


def auc(positives: Floats, negatives: Floats) -> float:
    """The chance that one who took it stands in a better bin than one who did not, ties by half; .5 where one of them is missing."""
    pairs = float(positives.sum() * negatives.sum())
    if not pairs:
        return 0.5
    by = np.argsort(-positives / np.maximum(positives + negatives, 1e-300), kind="stable")
    better, below = positives[by], negatives[by]
    above = np.cumsum(better) - better / 2.0
    return float(above @ below) / pairs
