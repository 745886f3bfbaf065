"""A small cut of the benchmark: the same code, one half."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks.quality import polyvore
from benchmarks.quality.polyvore import Half, half, measured

OUTFITS = [
    {"upper": f"{colour} top {number}", "shoe": f"{colour} pumps {number}", "bag": f"{colour} clutch {number}"}
    for number in range(30)
    for colour in ("black", "red", "blue")
]


def test_half_of_the_outfits_train_and_the_others_ask() -> None:
    asked = half(OUTFITS, seed=1)
    assert len(asked.train) == len(asked.shoes) == len(asked.anchors) == 45
    trained = {name for outfit in asked.train for name in outfit.values()}
    assert not trained & {*asked.anchors, *asked.shoes}
    assert all(
        anchor.split()[::2] == asked.shoes[true].split()[::2]
        for anchor, true in zip(asked.anchors, asked.true, strict=True)
    )


def test_figures_are_those_of_the_ranks() -> None:
    asked = Half(
        [],
        ["black top", "top"],
        ["upper", "bottom"],
        ["black pump", *["red pump"] * 10, "blue pump"],
        np.array([0, 11]),
    )
    scores = np.zeros((2, 12))
    scores[1, 11] = 1
    found = measured(asked, scores)
    assert found["hr@10"] == 1
    assert found["mrr"] == 1
    assert found["same colour"] == pytest.approx(1 / 10)
    assert found["same colour, true"] == found["black upper, true"] == 1
    assert measured(asked, np.zeros((2, 12)))["mrr"] == pytest.approx((1 + 1 / 12) / 2)


def test_every_method_scores_every_shoe_and_ours_knows_the_colours() -> None:
    asked = half(OUTFITS, seed=0)
    found = {name: measured(asked, method(asked)) for name, method in polyvore.METHODS.items()}
    assert found["complements"]["hr@10"] > 2 * found["random"]["hr@10"]
    assert found["complements"]["same colour"] > 0.8


def test_black_goes_with_black_on_real_outfits(valet_data: Callable[[str], Path]) -> None:
    asked = half(polyvore.read(valet_data(polyvore.FILE)), seed=0)
    ours, idf, lift = (
        measured(asked, method(asked)) for method in (polyvore.ours, polyvore.shared_words, polyvore.log_lift)
    )
    for figure in ("hr@10", "mrr"):
        assert ours[figure] > 1.5 * lift[figure]
        assert ours[figure] > idf[figure]
    for slot in ("black upper", "black bottom"):
        assert ours[slot] >= ours[f"{slot}, true"]
