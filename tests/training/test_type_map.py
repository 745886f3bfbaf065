"""The map of types as learnt, as the shop edits it, and as the report shows it."""

import numpy as np

from models.settings import ComplementSettings
from tests.wardrobe import CATALOGUE, ITEMS, ROWS, learnt
from training.type_map import described, edited, unknown

SHOP = learnt()
ONE = np.ones(1, dtype=np.float32)


def called_for(said: ComplementSettings, item_id: str) -> set[str]:
    scores = edited(SHOP, said).score(np.array([ROWS[item_id]], dtype=np.int32), ONE)
    return {str(ITEMS[row]["product_type"]) for row in np.flatnonzero(scores)}


def test_the_shop_lets_a_type_complete_itself() -> None:
    assert "dress" not in called_for(ComplementSettings(), "dress-black-0")
    assert "dress" in called_for(ComplementSettings(add={"dress": ("Dresses",)}), "dress-black-0")


def test_the_shop_forbids_what_was_learnt() -> None:
    assert called_for(ComplementSettings(forbid={"Dress": ("shoes",)}), "dress-black-0") == set()
    assert called_for(ComplementSettings(forbid={"dress": ("shoe",)}), "shoe-black-0") == {"dress"}  # direction counts


def test_the_shop_adds_what_was_not_learnt() -> None:
    assert "cup" not in called_for(ComplementSettings(), "dress-black-0")
    assert "cup" in called_for(ComplementSettings(add={"dress": ("cup",)}), "dress-black-0")
    assert "dress" not in called_for(ComplementSettings(add={"dress": ("cup",)}), "cup-black-0")


def test_types_that_the_catalogue_does_not_know_change_nothing_and_are_named() -> None:
    said = ComplementSettings(self_=("hat",), add={"dress": ("shoo",)}, forbid={"cup": ("shoe",)})
    assert unknown(SHOP, said) == ["hat", "shoo"]
    np.testing.assert_array_equal(edited(SHOP, ComplementSettings(self_=("hat",))).completes, SHOP.completes)


def test_the_report_shows_each_type_with_its_best_others() -> None:
    told = described(SHOP, CATALOGUE, ComplementSettings())
    rows = {row["type"]: row for row in told["types"]}
    assert rows["cup"]["itself"]
    assert not rows["dress"]["itself"]
    assert rows["dress"]["others"][0]["type"] == "shoe"
    assert rows["dress"]["others"][0]["lift"] > 1
    assert rows["dress"]["items"] == 30


def test_one_sided_pairs_are_those_that_call_more_than_they_are_called_for() -> None:
    told = described(SHOP, CATALOGUE, ComplementSettings())["one_sided"]
    gaps = [pair["there"] - pair["back"] for pair in told]
    assert gaps == sorted(gaps, reverse=True)
    assert all(gap > 0 and pair["baskets"] >= 10 for gap, pair in zip(gaps, told, strict=True))
