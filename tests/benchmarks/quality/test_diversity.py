import numpy as np
import pytest

from benchmarks.quality.diversity import _alike, _jaccard
from tests.worlds import tiny_models
from training.metrics import NOTHING

MODELS = tiny_models()
ROWS = {item_id: MODELS.catalogue.items.row(item_id) for item_id in ("DR-001", "SH-014", "VT-001")}
WORDS = [frozenset[str]()] * len(MODELS.catalogue)
WORDS[ROWS["DR-001"]] = WORDS[ROWS["SH-014"]] = frozenset({"black", "thing"})


def test_items_of_the_same_words_are_alike_and_strangers_are_not():
    same = _alike(np.array([[ROWS["DR-001"], ROWS["SH-014"], NOTHING]]), MODELS, WORDS)
    strangers = _alike(np.array([[ROWS["DR-001"], ROWS["VT-001"], NOTHING]]), MODELS, WORDS)
    assert same["title words"] == 1
    assert strangers["title words"] == 0
    assert same["cosine"] > 0.5 > strangers["cosine"]


def test_a_list_of_one_item_has_no_pairs_and_counts_for_nothing():
    lists = np.array([[ROWS["DR-001"], NOTHING], [ROWS["DR-001"], ROWS["SH-014"]]])
    assert _alike(lists, MODELS, WORDS) == _alike(lists[1:], MODELS, WORDS)


def test_the_share_of_words_is_jaccards():
    assert _jaccard(frozenset("abc"), frozenset("bcd")) == pytest.approx(2 / 4)
    assert _jaccard(frozenset(), frozenset()) == 0
