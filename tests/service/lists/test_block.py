"""Customers whose tastes are folded in by blocks get the lists that each gets alone."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.serving.world import NOW, profiles, shop
from models.blend import Blend
from models.catalogue import Codes
from models.changes import Change, lay
from models.profile import EMPTY, Event, fold, load
from service.lists import block, scored
from service.lists.block import Ask
from service.lists.recommend import recommend
from service.lists.request import Request
from service.lists.selection import NOTHING, Wishes
from service.lists.taste import taste

SHOP = shop(1_000, factors=32)
assert SHOP.factors is not None
LARGE = replace(SHOP, factors=replace(SHOP.factors, leading=np.ascontiguousarray(SHOP.factors.item_factors[:, :16].T)))
NEW = fold(EMPTY, Event("purchase", NOW - 9, item_id="P0000003", amount=100, order_id="O"))
NEWCOMER = Change({"title": "New", "category": "Room 1", "price": 100})
PROFILES = [
    *(load(profile) for _, profile in profiles(SHOP, 12)),
    EMPTY,
    NEW,
    fold(NEW, Event("view_item", NOW - 5, item_id="NEW-0")),
]
WORLDS = {
    "scored exactly": SHOP,
    "estimated": LARGE,
    "newcomers": LARGE.over(lay({"NEW-0": NEWCOMER}, over=SHOP.catalogue, base=SHOP.catalogue, currency="THB")),
    "without factors": replace(SHOP, factors=None),
    "factors do not count": replace(SHOP, blend=Blend({"for_you": {"alike": 1.0}})),
    "visits": replace(LARGE, blend=Blend({**SHOP.blend.weights, "session": {"alike": 1.0, "factors": 2.0}})),
}
ASKED = [
    Request(intent="for_you", explain="full"),
    Request(intent="for_you", explain="top", category=("Room 1",), exclude=("P0000011",), n=7, lang="th"),
    Request(intent="for_you", explain="full", category=("Room 1",), n=7),
    Request(intent="for_you", n=100, category=("Room 1",), brand=("brand 7",)),  # too few for a full list
    Request(intent="for_you", exclude_owned=False),
    Request(intent="for_you", diversity=0.4),
    Request(intent="for_you", exploration=0.5),
    Request(intent="because_you"),
    Request(intent="buy_again"),
    Request(intent="similar", item_ids=("P0000007",)),
    Request(intent="for_you", item_ids=("P0000007",)),
]


def asks(models, request, wishes=NOTHING):
    return [
        Ask(request._replace(customer_id=str(nth)), taste(profile, models, now=NOW), wishes, NOW)
        for nth, profile in enumerate(PROFILES)
    ]


def same(found, expected):
    """Whether two answers are one, but for the last digit of scores."""
    assert [pick._replace(score=0, shares={}) for pick in found.picks] == [
        pick._replace(score=0, shares={}) for pick in expected.picks
    ]
    for one, other in zip(found.picks, expected.picks, strict=True):
        assert one.score == pytest.approx(other.score, abs=2e-6)
        assert not one.shares or one.shares == pytest.approx(other.shares, rel=1e-3, abs=1e-5)
    assert replace(found, picks=(), anchored=()) == replace(expected, picks=(), anchored=())
    assert [anchor for anchor, _ in found.anchored] == [anchor for anchor, _ in expected.anchored]


@pytest.mark.parametrize("models", WORLDS.values(), ids=WORLDS)
def test_everybody_gets_the_list_that_she_gets_alone(models, monkeypatch):
    monkeypatch.setattr(block, "MOST_SCORES", 5 * len(models.catalogue))  # three blocks
    for request in ASKED:
        asked = asks(models, request)
        for found, (one, hers, wishes, now) in zip(block.recommend_all(asked, models=models), asked, strict=True):
            same(found, recommend(one, models=models, taste=hers, now=now, wishes=wishes))


def test_lines_that_ask_for_different_things_are_answered_in_their_order():
    asked = [ask for pair in zip(*(asks(SHOP, request) for request in ASKED), strict=True) for ask in pair]
    found = list(block.recommend_all(asked, models=SHOP))
    assert [(one.intent, len(one.picks)) for one in found] == [
        (alone.intent, len(alone.picks))
        for request, hers, _, _ in asked
        for alone in [recommend(request, models=SHOP, taste=hers, now=NOW)]
    ]


def test_what_the_shop_wishes_and_what_tired_her_is_heard():
    hidden = np.zeros(len(SHOP.catalogue), dtype=np.bool_)
    hidden[::2] = True
    for ask in asks(SHOP, ASKED[0], Wishes(hidden=hidden)):
        tired = ask._replace(taste=replace(ask.taste, tired=np.array([4, 8], np.int32)))
        for one in (ask, tired):
            (found,) = block.recommend_all([one], models=SHOP)
            same(found, recommend(one.request, models=SHOP, taste=one.taste, now=NOW, wishes=one.wishes))


@pytest.mark.parametrize("name", ["scored exactly", "estimated"])
@pytest.mark.parametrize("n", [3, 10])
def test_what_tired_her_stands_behind_the_rest_in_a_block_too(name, n):
    models = WORLDS[name]
    asked = [
        ask._replace(taste=replace(ask.taste, tired=np.array([pick.row for pick in shown.picks[:6]], np.int32)))
        for ask in asks(models, Request(intent="for_you", n=n))
        for shown in [recommend(ask.request, models=models, taste=ask.taste, now=NOW)]
    ]
    for found, ask in zip(block.recommend_all(asked, models=models), asked, strict=True):
        same(found, recommend(ask.request, models=models, taste=ask.taste, now=NOW))
        assert not {pick.row for pick in found.picks} & {*ask.taste.tired.tolist()}


def test_where_little_is_left_what_tired_her_is_shown_all_the_same():
    few = Request(intent="for_you", category=("Room 1",), brand=("brand 7",), exclude_owned=None)
    asked = [
        ask._replace(taste=replace(ask.taste, tired=np.arange(0, 1_000, 2, dtype=np.int32))) for ask in asks(SHOP, few)
    ]
    for found, ask in zip(block.recommend_all(asked, models=SHOP), asked, strict=True):
        same(found, recommend(ask.request, models=SHOP, taste=ask.taste, now=NOW))


@pytest.mark.parametrize("name", ["scored exactly", "estimated"])
def test_only_who_asks_for_more_than_the_best_is_answered_alone(name, monkeypatch):
    alone = []
    monkeypatch.setattr(block, "recommend", lambda request, **_: alone.append(request.customer_id))
    asked = asks(WORLDS[name], ASKED[0])
    asked[3] = asked[3]._replace(taste=replace(asked[3].taste, tired=np.array([4, 8], np.int32)))
    list(block.recommend_all(asked, models=WORLDS[name]))
    assert alone == ["12"]  # of whom nothing is known


def test_what_is_said_of_each_customer_parts_no_block(monkeypatch):
    blocks, fold_all = [], scored.fold_all
    monkeypatch.setattr(scored, "fold_all", lambda *said: blocks.append(said) or fold_all(*said))
    asked = [
        ask._replace(request=ask.request._replace(segment=(("brand", f"brand {nth}"),), context=(("visit", nth),)))
        for nth, ask in enumerate(asks(SHOP, ASKED[0]))
    ]
    for found, ask in zip(block.recommend_all(asked, models=SHOP), asked, strict=True):
        same(found, recommend(ask.request, models=SHOP, taste=ask.taste, now=NOW))
    assert len(blocks) == 1


def test_of_variants_one_stands_in_a_list():
    group = Codes.of([f"G{row // 20}" for row in range(len(SHOP.catalogue))])
    models = replace(SHOP, catalogue=replace(SHOP.catalogue, group_id=group))
    asked = asks(models, ASKED[0])
    for found, ask in zip(block.recommend_all(asked, models=models), asked, strict=True):
        assert len({pick.row // 20 for pick in found.picks}) == 10
        same(found, recommend(ask.request, models=models, taste=ask.taste, now=NOW))


def test_those_who_ask_alike_make_a_block_whoever_stands_between_them(monkeypatch):
    blocks, fold_all = [], scored.fold_all
    monkeypatch.setattr(scored, "fold_all", lambda *said: blocks.append(said) or fold_all(*said))
    asked = [ask for pair in zip(asks(SHOP, ASKED[0]), asks(SHOP, ASKED[1]), strict=True) for ask in pair]
    list(block.recommend_all(asked, models=SHOP))
    assert len(blocks) == 2
