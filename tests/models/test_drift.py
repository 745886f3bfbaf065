"""Drift: 0 for what is bought, 1 for nothing in common, and bands by eye."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.drift import BANDS, Bought, divergence, drift
from models.popularity import Popularity
from tests.worlds import tiny_models


def bought_of(scores: list[float]) -> Bought:
    return Bought.of(replace(tiny_models(), popularity=Popularity(np.array(scores, dtype=np.float32))))


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ([0.5, 0.5], [0.5, 0.5], 0.0),
        ([1.0, 0.0], [0.0, 1.0], 1.0),
        ([1.0, 0.0], [0.5, 0.5], 0.311278),  # 3/4 log2(4/3), by hand
        ([0.0, 0.0], [0.5, 0.5], None),
        ([0.5, 0.5], [0.0, 0.0], None),
    ],
)
def test_divergence_is_jensen_and_shannons(one: list[float], other: list[float], expected: float | None) -> None:
    found, back = divergence(np.array(one), np.array(other)), divergence(np.array(other), np.array(one))
    assert found == back == (None if expected is None else pytest.approx(expected, abs=1e-6))


def test_what_is_shown_as_it_is_bought_has_not_drifted() -> None:
    models = tiny_models()
    bought = Bought.of(models)
    found = drift((models.popularity.score * 10).astype(np.int64), bought)
    assert found.categories == pytest.approx(0, abs=1e-9)
    assert found.popularity == pytest.approx(0, abs=1e-9)
    assert found.by_band == pytest.approx(bought.by_band)


def test_bands_go_by_what_is_bought_most() -> None:
    bought = bought_of([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    assert [int(band) for band in bought.band] == [3, 3, 3, 3, 3, 2, 2, 2, 2, 1, 0]
    assert bought.by_band == pytest.approx(np.array([10, 9, 26, 10]) / 55)
    assert len(bought.by_band) == len(BANDS)


def test_one_item_alone_covers_little_and_drifts_far() -> None:
    models = tiny_models()
    shown = np.zeros(len(models.catalogue), dtype=np.int64)
    shown[models.catalogue.items.row("DR-003")] = 1_000
    found = drift(shown, Bought.of(models))
    assert found.coverage == pytest.approx(1 / 11)
    assert found.categories is not None
    assert found.categories > 0.2


def test_nothing_shown_or_nothing_bought_is_no_drift_and_no_error() -> None:
    nothing = np.zeros(11, dtype=np.int64)
    found = drift(nothing, Bought.of(tiny_models()))
    assert (found.coverage, found.categories, found.popularity) == (0.0, None, None)
    assert drift(nothing + 1, bought_of([0.0] * 11)).categories is None
