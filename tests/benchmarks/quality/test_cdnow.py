from pathlib import Path

import numpy as np
import pytest

from benchmarks.quality.cdnow import area_under_curve, run


def test_the_holdout_is_foretold_as_well_as_published(valet_data):
    rows = {row.method: row for row in run(valet_data("cdnow/CDNOW_sample.txt").parent.parent)}
    ours, naive = rows["expected orders"].values, rows["naive rate"].values
    assert ours["total"] == pytest.approx(1_653, abs=1)
    assert ours["off"] <= 0.13
    assert naive["off"] == pytest.approx(0.56, abs=0.005)
    assert ours["auc"] == pytest.approx(0.7725, abs=5e-4)
    assert ours["auc"] > max(rows[method].values["auc"] for method in ("naive rate", "recency", "frequency"))


def test_without_the_files_there_are_no_rows(tmp_path: Path):
    assert run(tmp_path) == []


@pytest.mark.parametrize(
    ("score", "positive", "auc"),
    [
        ([1, 2, 3], [0, 0, 1], 1.0),
        ([3, 2, 1], [0, 0, 1], 0.0),
        ([1, 1, 1], [0, 1, 1], 0.5),
        ([1, 2, 2, 3], [0, 0, 1, 1], 0.875),
    ],
)
def test_the_area_counts_pairs_and_ties_half(score, positive, auc):
    assert area_under_curve(np.array(score, float), np.array(positive, bool)) == auc


def test_the_area_is_unknown_where_one_kind_is_missing():
    assert np.isnan(area_under_curve(np.ones(3), np.ones(3, bool)))
