"""Whole carts and visits: what the bundle has learnt of them answers, and says by which of their items."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from models.blend import Blend
from models.profile import EMPTY, Event, Profile, fold
from service.lists.candidates import stages
from service.lists.question import Question, Stage
from service.lists.reasons import reasons
from service.lists.recommend import Answer, recommend
from service.lists.request import Request
from service.lists.taste import NONE, taste
from tests.service.lists.learnt import ITEMS, LEARNT, PLAIN
from tests.worlds import NOW, WEIGHTS


def profile(*events: tuple[str, str, float]) -> Profile:
    folded = EMPTY
    for name, item_id, minutes_ago in events:
        folded = fold(folded, Event(name, NOW - int(minutes_ago * 60), item_id=item_id, amount=1_000, order_id=item_id))
    return folded


def ask(models: Any, *events: tuple[str, str, float], **asked: Any) -> Answer:
    return recommend(Request(**asked).at(None), models=models, taste=taste(profile(*events), models, now=NOW), now=NOW)


def first_stage(intent: str, item_ids: tuple[str, ...], models: Any = LEARNT) -> Stage:
    return next(stages(intent, Question(models, ITEMS.rows(item_ids).astype(np.int32), NONE, owned=False, now=NOW)))


def test_several_items_are_a_cart_and_one_is_not() -> None:
    assert ask(LEARNT, item_ids=("DR-001", "DR-001-L")).picks[0].source == "ease"
    assert ask(LEARNT, item_ids=("DR-001",)).picks[0].source == "together"


def test_a_cart_says_which_of_its_items_carried_the_score() -> None:
    best = ask(LEARNT, item_ids=("VT-001", "DR-002")).picks[0]
    assert best.item_id == "SH-015"
    assert best.reason is not None
    assert (best.reason.code, best.reason.because) == ("completes_cart", ("DR-002",))


def test_the_list_of_a_cart_is_still_called_complementary() -> None:
    assert ask(LEARNT, item_ids=("DR-001", "DR-002"), n=1).fallback is None


def test_a_visitor_who_bought_nothing_gets_what_visits_like_hers_held() -> None:
    answer = ask(LEARNT, ("view_item", "DR-002", 1), session_id="s", n=3)
    best = answer.picks[0]
    assert best.item_id == "SH-015"
    assert best.source == "sessions"
    assert best.reason is not None
    assert (best.reason.code, best.reason.because) == ("because_you_viewed", ("DR-002",))
    assert answer.intent == "for_you"


def test_what_is_next_is_not_what_she_just_looked_at() -> None:
    stage = next(
        stages(
            "for_you",
            Question(
                LEARNT,
                ITEMS.rows([])[:0],
                taste(profile(("view_item", "DR-001", 1)), LEARNT, now=NOW),
                owned=False,
                now=NOW,
            ),
        )
    )
    assert stage.shown is not None
    assert not stage.shown[ITEMS.row("DR-001")]


@pytest.mark.parametrize(("newest", "best"), [("DR-002", "SH-015"), ("DR-001-L", "SH-014")])
def test_the_newest_item_of_a_visit_says_most(newest: str, best: str) -> None:
    older = "DR-001-L" if newest == "DR-002" else "DR-002"
    answer = ask(LEARNT, ("view_item", older, 9), ("view_item", newest, 1), session_id="s")
    assert answer.picks[0].item_id == best


def test_who_bought_before_is_a_customer_and_no_visitor() -> None:
    answer = ask(LEARNT, ("purchase", "DR-002", 900), ("view_item", "DR-001", 1), customer_id="c")
    assert "sessions" not in {pick.source for pick in answer.picks}


@pytest.mark.parametrize(
    "asked", [{"item_ids": ("DR-001", "DR-002")}, {"session_id": "s"}, {"customer_id": "c", "exclude_owned": False}]
)
def test_a_bundle_from_before_answers_as_it_did(asked: dict[str, Any]) -> None:
    viewed = ("view_item", "DR-002", 1)
    before = ask(PLAIN, viewed, **asked)
    assert before == ask(replace(LEARNT, ease=None, sessions=None, blend=PLAIN.blend), viewed, **asked)
    assert before.picks[0].source in ("together", "alike", "factors")


def test_a_blend_whose_models_are_missing_answers_from_the_rest() -> None:
    blend = Blend({**WEIGHTS, "cart": {"ease": 1.0, "together": 0.5}, "session": {"sessions": 1.0, "alike": 0.5}})
    models = replace(LEARNT, ease=None, sessions=None, blend=blend)
    assert ask(models, item_ids=("DR-001", "DR-002")).picks[0].source == "together"
    assert ask(models, ("view_item", "DR-002", 1), session_id="s").picks[0].source == "alike"


@pytest.mark.parametrize(("intent", "source"), [("complementary", "ease"), ("for_you", "sessions")])
def test_the_anchor_gave_most_to_the_score(intent: str, source: str) -> None:
    stage = first_stage(intent, ("DR-001", "DR-002", "NE-001"))
    every = np.arange(len(ITEMS), dtype=np.int32)
    model = getattr(LEARNT, source)
    for row, reason in zip(
        every, reasons(stage, every, [source] * len(every), models=LEARNT, bought=every, lang="en"), strict=True
    ):
        carried = model.carried(stage.rows, stage.weights, every[row : row + 1])[0]
        anchor = int(stage.rows[np.argmax(carried)])
        expected = (ITEMS.text(anchor),) if carried.max() > 0 and anchor != row else ()
        assert reason.because == expected
