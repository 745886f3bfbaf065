import re
from dataclasses import replace

import numpy as np
import pytest

from models.profile import EMPTY, Event, fold
from models.ranking import top
from service.lists.candidates import stages
from service.lists.question import Question, Stage
from service.lists.reasons import LANGUAGES, TEXTS, reasons, strongest
from service.lists.taste import taste
from tests.random_worlds import ITEMS, a_world
from tests.worlds import DAY_S, NOW, tiny_models

MODELS = tiny_models()
THAI = re.compile("[ก-๙]")
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


@pytest.mark.parametrize("intent", ["complementary", "similar", "for_you"])
@pytest.mark.parametrize("seed", range(25))
def test_a_score_is_another_one_without_the_anchor_that_its_reason_names(seed: int, intent: str) -> None:
    """And lower, where what the items of a history give is a sum."""
    asked = a_question(seed)
    models, owned = asked.models, asked.taste.owned
    for stage in stages(intent, asked):
        targets = top(stage.scores, stage.shown, 10)
        sources = strongest(stage.shares(targets))
        why = reasons(stage, targets, sources, models=models, bought=owned, lang="en")
        for target, source, reason in zip(targets.tolist(), sources, why, strict=True):
            for anchor in models.catalogue.items.rows(reason.because):
                other = without(asked, int(anchor), intent, stage.intent)
                left = 0.0 if other is None or source not in other.sources else float(other.sources[source][target])
                assert left < stage.sources[source][target]


def without(asked: Question, anchor: int, intent: str, name: str) -> Stage | None:
    """The stage of this name when the anchor is no part of what she did or asked about."""
    own = asked.taste
    kept = own.rows != anchor
    columns = ("rows", "weights", "purchases", "first_at", "last_at", "seen_at")
    less = replace(own, **{column: getattr(own, column)[kept] for column in columns})
    question = replace(asked, rows=asked.rows[asked.rows != anchor], taste=less)
    return next((stage for stage in stages(intent, question) if stage.intent == name), None)


def test_every_kind_of_anchor_was_put_to_that_test() -> None:
    named = set()
    for seed in range(25):
        asked = a_question(seed)
        for stage in (stage for intent in ("complementary", "similar", "for_you") for stage in stages(intent, asked)):
            targets = top(stage.scores, stage.shown, 10)
            sources = strongest(stage.shares(targets))
            why = reasons(stage, targets, sources, models=asked.models, bought=asked.taste.owned, lang="th")
            named |= {reason.code for reason in why if reason.because}
            assert all(THAI.search(reason.text) for reason in why)
    assert named >= {"bought_together", "also_bought", "goes_with", "similar", "because_you_viewed"}


def a_question(seed: int) -> Question:
    """Three items asked about by the customer of a random shop."""
    rng = np.random.default_rng([seed, 300])
    world = a_world(rng)
    rows = rng.choice(len(ITEMS), 3, replace=False).astype(np.int32)
    return Question(world.models, rows, taste(world.profile, world.models, now=NOW), owned=False, now=NOW)
