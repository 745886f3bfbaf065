"""Lists of a large catalogue, estimated by half of its dimensions first: the exact lists, because the best are scored exactly."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.serving.world import NOW, profiles, shop
from models.profile import load
from service.lists.candidates import stages
from service.lists.question import Question
from service.lists.recommend import recommend
from service.lists.request import Request
from service.lists.taste import taste

EXACT = shop(2_000, factors=32)
FACTORS = EXACT.factors
assert FACTORS is not None
QUICK = replace(EXACT, factors=replace(FACTORS, leading=np.ascontiguousarray(FACTORS.item_factors[:, :16].T)))
TASTES = [taste(load(profile), EXACT, now=NOW) for _, profile in profiles(EXACT, 20)]


def lists(models, request):
    return [recommend(request, models=models, taste=hers, now=NOW).picks for hers in TASTES]


def recall(quick, exact):
    """The share of the exact lists' items that are in the quick ones."""
    found = [
        len({pick.item_id for pick in one} & {pick.item_id for pick in other}) / len(other)
        for one, other in zip(quick, exact, strict=True)
    ]
    return sum(found) / len(found)


@pytest.mark.parametrize("left", [50, 5])
def test_a_list_is_full_and_begins_with_the_best_however_many_of_them_may_stand_in_it(left):
    question = Question(QUICK, np.zeros(0, dtype=np.int32), TASTES[0], owned=False, now=NOW)
    stage = next(stages("for_you", question))
    allowed = np.ones(len(QUICK.catalogue), dtype=np.bool_)
    allowed[stage.best[left:]] = False
    found = stage.top(allowed, None, 10).tolist()
    best = sorted(stage.best[:left].tolist(), key=lambda row: -stage.scores[row])[:10]
    assert found[: len(best)] == best
    assert len(found) == 10
    assert allowed[found].all()


@pytest.mark.parametrize(
    "asked",
    [
        Request(intent="for_you"),
        Request(intent="for_you", category=("Room 1",)),
        Request(intent="similar", item_ids=("P0000007",)),
    ],
    ids=["all items", "one category", "about an item"],
)
def test_the_quick_list_is_the_exact_one_but_for_one_item_in_fifty(asked):
    assert recall(lists(QUICK, asked), lists(EXACT, asked)) >= 0.98


def test_without_exact_scores_of_the_best_it_would_not_be(monkeypatch):
    monkeypatch.setattr("service.lists.blending._sharpened", lambda stage, *_: stage)
    asked = Request(intent="for_you")
    assert recall(lists(QUICK, asked), lists(EXACT, asked)) < 0.9


def test_what_could_stand_instead_of_an_item_completes_it_in_no_large_catalogue_either():
    asked = Request(intent="complementary", item_ids=("P0000007",), strict=True)
    quick, exact = lists(QUICK, asked), lists(EXACT, asked)
    fitting = EXACT.complements.fitting(np.array([7], dtype=np.int32))
    assert all(fitting[pick.row] for pick in quick[0])
    assert recall(quick, exact) >= 0.98
    assert quick[0]


@pytest.mark.parametrize("alike", [0.01, 0.2], ids=["factors decide alone", "neighbours say a little"])
def test_the_less_neighbours_count_the_more_is_scored_exactly(alike):
    weights = {"for_you": {"alike": alike, "factors": 1.5}}
    quick, exact = (replace(models, blend=replace(models.blend, weights=weights)) for models in (QUICK, EXACT))
    asked = Request(intent="for_you")
    assert recall(lists(quick, asked), lists(exact, asked)) >= 0.98
