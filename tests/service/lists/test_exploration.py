from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from models.filters import parse
from models.popularity import Popularity
from service.lists.exploration import LITTLE, draw, odds, seed
from service.lists.recommend import Answer, recommend
from service.lists.request import INTENTS, Promotion, Request
from service.lists.selection import EXPLORED, NOTHING, Cap, Wishes
from service.lists.taste import NONE
from tests.worlds import DAY_S, NOW, tiny_models

TINY = tiny_models()
ITEM_IDS = TINY.catalogue.items.texts(range(len(TINY.catalogue)))
KNOWN = ("DR-001", "DR-001-L", "SH-014", "SH-015")  # much is known of them
MODELS = replace(
    TINY,
    popularity=Popularity(np.array([100.0 if item_id in KNOWN else LITTLE - 1 for item_id in ITEM_IDS], np.float32)),
)
NEW = {"DR-002", "DR-003", "VT-001", "กระเป๋า / 50% ☂ #1?"}


def ask(*, wishes: Wishes = NOTHING, now: int = NOW, **asked: Any) -> Answer:
    request = Request(**{"intent": "popular", "n": 3, "exploration": 0.5, **asked}).at(None)
    return recommend(request, models=MODELS, taste=NONE, now=now, wishes=wishes)


def ids(answer: Answer) -> list[str]:
    return [pick.item_id for pick in answer.picks]


@pytest.mark.parametrize(
    ("slots", "pool", "share"), [(10, 4, 0.2), (10, 50, 0.2), (3, 1, 0.9), (5, 5, 1.0), (1, 3, 0.1)]
)
def test_the_odds_are_those_with_which_items_are_drawn(slots: int, pool: int, share: float) -> None:
    rng = np.random.default_rng(1)
    rows = np.arange(100, 100 + pool, dtype=np.int32)
    draws = 20_000
    stood = Counter(place for _ in range(draws) for place in draw(range(slots), rows, share=share, rng=rng).items())
    told = odds(slots, pool, share=share)
    each = draws * told.explored
    assert np.array(list(stood.values())).mean() * len(stood) / (slots * pool) == pytest.approx(each, rel=0.05)
    assert all(abs(count - each) < 6 * np.sqrt(each) + 1 for count in stood.values())
    assert told.kept + pool * told.explored == pytest.approx(1)


def test_a_list_that_explores_is_as_long_and_gives_slots_to_what_is_little_known() -> None:
    lists = [ask(customer_id=f"c{n}") for n in range(400)]
    explored = [pick for answer in lists for pick in answer.picks if pick.source == EXPLORED]
    assert all(len(set(ids(answer))) == 3 for answer in lists)
    assert {pick.item_id for pick in explored} == NEW - set(ids(ask(exploration=0.0)))
    assert len(explored) / (400 * 3) == pytest.approx(0.5, abs=0.06)
    assert {pick.reason.code for pick in explored if pick.reason} == {"exploration"}


def test_every_item_tells_the_chance_of_standing_where_it_does() -> None:
    """Over many visitors each item stands in each slot as often as it says."""
    stood, told = Counter[tuple[int, str]](), {}
    for n in range(3_000):
        for slot, pick in enumerate(ask(customer_id=f"c{n}").picks):
            stood[slot, pick.item_id] += 1
            assert told.setdefault((slot, pick.item_id), pick.probability) == pick.probability
    for place, count in stood.items():
        assert count / 3_000 == pytest.approx(told[place], abs=0.04)


def test_a_page_that_is_loaded_again_shows_the_same_list_and_tomorrow_another() -> None:
    asked = {"customer_id": "c", "placement": "home"}
    assert ids(ask(**asked)) == ids(ask(now=NOW + 3_600, **asked))
    assert len({tuple(ids(ask(now=NOW + day * DAY_S, **asked))) for day in range(20)}) > 5
    assert (
        len({seed(Request(**{**asked, **other}), NOW) for other in ({}, {"customer_id": "d"}, {"placement": "cart"})})
        == 3
    )


def test_a_send_is_stable_whatever_the_day() -> None:
    assert (
        seed(Request(send_id="s"), NOW)
        == seed(Request(send_id="s"), NOW + 9 * DAY_S)
        != seed(Request(send_id="t"), NOW)
    )


@pytest.mark.parametrize("intent", INTENTS)
def test_explores_nothing_unless_asked_to_and_scores_never_rise(intent: str) -> None:
    plain, exploring = ask(intent=intent, exploration=0.0), ask(intent=intent, exploration=1.0)
    assert not [pick for pick in plain.picks if pick.source == EXPLORED or pick.probability is not None]
    scores = [pick.score for pick in exploring.picks]
    assert scores == sorted(scores, reverse=True)
    if intent in ("buy_again", "recently_viewed"):
        assert ids(exploring) == ids(plain)


def test_only_what_passes_the_mask_is_explored() -> None:
    for n in range(50):
        shown = ids(ask(customer_id=f"c{n}", exploration=1.0, exclude=("DR-002",), price_max=1_000.0))
        assert set(shown) <= {"VT-001", "กระเป๋า / 50% ☂ #1?"}


def test_what_is_pinned_or_promised_is_not_explored_away_and_caps_hold() -> None:
    shoes = Promotion("shoes", 40, parse({"field": "product_type", "value": "shoes"}))
    pinned = Wishes(pins={0: [ITEM_IDS.index("SH-015")]}, caps=(Cap(1, MODELS.catalogue.product_type.code),))
    kinds = {item_id: MODELS.catalogue.product_type.text(row) for row, item_id in enumerate(ITEM_IDS)}
    for n in range(50):
        answer = ask(customer_id=f"c{n}", exploration=1.0, wishes=pinned)
        assert (ids(answer)[0], answer.picks[0].probability) == ("SH-015", 1.0)
        assert len({kinds[item_id] for item_id in ids(answer)}) == len(answer.picks)
        promised = ids(ask(customer_id=f"c{n}", exploration=1.0, n=5, promotions=(shoes,)))
        assert sum(kinds[item_id] == "shoes" for item_id in promised) == 2


def test_where_everything_is_well_known_nothing_is_explored() -> None:
    known = replace(TINY, popularity=Popularity(np.full(len(ITEM_IDS), 50, np.float32)))
    answer = recommend(Request(exploration=1.0).at(None), models=known, taste=NONE, now=NOW)
    assert {pick.probability for pick in answer.picks} == {None}
