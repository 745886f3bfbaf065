import numpy as np
import pytest

from models.profile import EMPTY, Event, fold
from service.candidates import Question, stages
from service.reasons import LANGUAGES, TEXTS, reasons, strongest
from service.taste import taste
from tests.worlds import DAY_S, NOW, tiny_models

MODELS = tiny_models()
PROFILE = EMPTY
for days, item_id in enumerate(["DR-001", "DR-002", "VT-001", "NE-001"]):
    PROFILE = fold(PROFILE, Event("purchase", NOW - days * DAY_S, item_id=item_id, order_id=item_id))
STAGE = next(
    stages("for_you", Question(MODELS, np.zeros(0, np.int32), taste(PROFILE, MODELS, now=NOW), owned=True, now=NOW))
)
ALL = np.arange(len(MODELS.catalogue), dtype=np.int32)


@pytest.mark.parametrize("source", ["together", "alike", "factors"])
def test_the_anchor_is_the_item_that_carried_most_of_the_score(source: str) -> None:
    found = reasons(STAGE, ALL, [source] * len(ALL), models=MODELS, bought=ALL, lang="en")
    for row, reason in zip(ALL.tolist(), found, strict=True):
        carried = getattr(MODELS, source).contributions(STAGE.rows, STAGE.weights, row)
        strongest_row = int(STAGE.rows[np.argmax(carried)])
        if carried.max() > 0 and strongest_row != row:
            assert reason.because == (MODELS.catalogue.items.text(strongest_row),)
        else:
            assert reason.because == ()


def test_the_strongest_source_names_the_reason() -> None:
    shares = {"together": np.array([0.5, 0.0], np.float32), "popularity": np.array([0.1, 0.2], np.float32)}
    assert strongest(shares) == ["together", "popularity"]


def test_the_shares_of_a_score_add_up_to_it() -> None:
    total = np.sum(list(STAGE.shares(ALL).values()), axis=0)
    assert np.allclose(total, STAGE.scores, atol=1e-5)


def test_every_reason_speaks_every_language() -> None:
    for texts in TEXTS.values():
        assert tuple(texts) == LANGUAGES
        assert len({"{anchor}" in text for text in texts.values()}) == 1
