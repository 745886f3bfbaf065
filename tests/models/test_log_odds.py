"""The published vectors of pdstools (pega-datascientist-tools, tests of its cdh_utils), to a millionth."""

import numpy as np
import pytest

from models.log_odds import auc, contributions, importance


def of(*counts: float) -> np.ndarray:
    return np.array(counts, dtype=np.float64)


def test_the_contribution_of_each_bin():
    found = contributions(of(10, 20, 5), of(100, 100, 200))
    assert found == pytest.approx([0.13731942858672985, 0.8142060882748945, -1.2155637234449665], abs=1e-12)


def test_the_importance_of_a_predictor():
    positives = of(0, 90, 2, 56, 50, 50, 18, 59, 42, 52, 4)
    negatives = of(0, 68, 67, 78, 21, 96, 72, 21, 96, 168, 90)
    assert importance(positives, negatives) == pytest.approx(0.8952462074331636, abs=1e-12)
    assert importance(of(0, 0), of(0, 0)) == 0.0


def test_how_well_bins_tell_who_takes_it():
    assert auc(of(3, 1, 0), of(2, 0, 1)) == 0.75
    assert auc(of(3, 1), of(0, 0)) == 0.5
    assert auc(of(4, 0), of(0, 4)) == 1.0
