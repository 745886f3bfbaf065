import numpy as np
import pytest

from service.lists.picks import picks
from service.lists.question import Question, Stage
from service.lists.selection import PINNED, PROMOTED, SCORED, Chosen
from service.lists.taste import NONE
from tests.worlds import NOW, tiny_models

MODELS = tiny_models()
QUESTION = Question(MODELS, np.zeros(0, dtype=np.int32), NONE, owned=False, now=NOW)
SCORES = np.linspace(3, 1, len(MODELS.catalogue), dtype=np.float32)


def stage(factor: float) -> Stage:
    none = np.zeros(0, dtype=np.int32)
    scores = np.float32(factor) * SCORES
    return Stage("popular", scores, None, {"popularity": scores}, {"popularity": 1.0}, none, none.astype(np.float32))


HIGH, LOW = stage(1), stage(0.1)


@pytest.mark.parametrize(
    ("chosen", "raw"),
    [
        ([Chosen(0, HIGH), Chosen(10, HIGH)], [3 / 4, 1 / 2]),
        ([Chosen(10, HIGH), Chosen(0, HIGH)], [1 / 2, 1 / 2]),
        ([Chosen(0, HIGH), Chosen(0, LOW)], [3 / 4, 3 / 4 * 0.3 / 1.3]),
        ([Chosen(10, HIGH), Chosen(0, HIGH), Chosen(5, LOW)], [1 / 2, 1 / 2, 1 / 2 * 0.2 / 1.2]),
        ([Chosen(9, None, PINNED), Chosen(0, HIGH)], [3 / 4, 3 / 4]),
        ([Chosen(0, HIGH), Chosen(10, HIGH, PROMOTED), Chosen(5, HIGH)], [3 / 4, 2 / 3, 2 / 3]),
        ([Chosen(0, HIGH), Chosen(9, None, PINNED)], [3 / 4, 3 / 4]),
        ([Chosen(9, None, PINNED)], [0.0]),
        ([], []),
    ],
)
def test_scores_never_rise_and_what_stands_there_by_order_lowers_no_other(
    chosen: list[Chosen], raw: list[float]
) -> None:
    made = picks(chosen, None, question=QUESTION, lang="en")
    assert [pick.score for pick in made] == pytest.approx(raw, abs=1e-6)
    assert [pick.row for pick in made] == [one.row for one in chosen]


def test_what_no_model_speaks_for_says_so_and_gives_no_reason() -> None:
    pinned, own = picks([Chosen(3, None, PINNED), Chosen(0, HIGH, SCORED)], None, question=QUESTION, lang="en")
    assert (pinned.source, pinned.reason, pinned.shares) == ("pinned", None, {})
    assert own.source == "popularity"
    assert own.reason is not None
