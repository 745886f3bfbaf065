"""Newcomers in the history, in the question and in the catalogue: every intent answers, and none loses an item that may be shown."""

from __future__ import annotations

import numpy as np
import pytest

from models.bundle import Models
from models.changes import Change, lay
from models.profile import EMPTY, Event, fold
from service.lists.recommend import recommend
from service.lists.request import INTENTS, Request
from service.lists.taste import taste
from tests.worlds import DAY_S, NOW, tiny_models

BASE = tiny_models()
NEW = {
    f"NEW-{number}": Change({"title": f"New {number}", "category": "Women > Shoes", "price": 100})
    for number in range(3)
}
CATALOGUE = lay(NEW, over=BASE.catalogue, base=BASE.catalogue, currency="THB")
MODELS = BASE.over(CATALOGUE)
HERS = ["NEW-0", "DR-001", "VT-001", "NEW-1"]


def asked(models: Models, items: list[str], **more: object) -> list[str]:
    profile = EMPTY
    for days, item_id in enumerate(items):
        name = "view_item" if days % 2 else "purchase"
        profile = fold(profile, Event(name, NOW - (days + 20) * DAY_S, item_id=item_id, order_id=item_id))
    request = Request(n=50, **more).at(None)  # type: ignore[arg-type]
    answer = recommend(request, models=models, taste=taste(profile, models, now=NOW), now=NOW)
    return [pick.item_id for pick in answer.picks]


@pytest.mark.parametrize("intent", INTENTS)
@pytest.mark.parametrize("history", [[], HERS, ["NEW-0"], ["NEW-1", "NEW-0"]])
@pytest.mark.parametrize("about", [(), ("NEW-2",), ("NEW-2", "DR-001")])
def test_every_intent_answers_with_newcomers_and_shows_them(
    intent: str, history: list[str], about: tuple[str, ...]
) -> None:
    shown = asked(MODELS, history, intent=intent, item_ids=about, exclude_owned=True)
    owned = set(history[::2])
    assert {"NEW-0", "NEW-1", "NEW-2"} - owned - set(about) <= set(shown)
    assert not (owned | set(about)) & set(shown)


@pytest.mark.parametrize("intent", INTENTS)
def test_what_training_knew_is_ranked_as_without_newcomers(intent: str) -> None:
    history, about = ["DR-001", "VT-001"], ("DR-001",)
    with_them = asked(MODELS, history, intent=intent, item_ids=about)
    assert [item_id for item_id in with_them if item_id not in NEW] == asked(
        BASE, history, intent=intent, item_ids=about
    )


def test_no_large_array_is_copied() -> None:
    assert BASE.together is not None
    assert BASE.factors is not None
    assert MODELS.factors is BASE.factors
    assert MODELS.together is not None
    assert MODELS.together.indices is BASE.together.indices
    assert MODELS.catalogue.body is BASE.catalogue.body
    assert np.shares_memory(MODELS.together.scores, BASE.together.scores)
