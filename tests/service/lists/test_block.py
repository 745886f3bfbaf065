"""Customers whose tastes are folded in by blocks get the lists that each gets alone."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.serving.world import NOW, profiles, shop
from models.blend import Blend
from models.profile import EMPTY, Event, fold, load
from service.lists import block
from service.lists.recommend import recommend
from service.lists.request import Request
from service.lists.taste import taste

SHOP = shop(2_000, factors=32)
assert SHOP.factors is not None
LARGE = replace(SHOP, factors=replace(SHOP.factors, leading=np.ascontiguousarray(SHOP.factors.item_factors[:, :16].T)))
NEW = fold(EMPTY, Event("purchase", NOW - 9, item_id="P0000003", amount=100, order_id="O"))
PROFILES = [*(load(profile) for _, profile in profiles(SHOP, 12)), EMPTY, NEW]
WORLDS = {
    "scored exactly": SHOP,
    "estimated": LARGE,
    "without factors": replace(SHOP, factors=None),
    "factors do not count": replace(SHOP, blend=Blend({"for_you": {"alike": 1.0}})),
    "visits": replace(LARGE, blend=Blend({**SHOP.blend.weights, "session": {"alike": 1.0, "factors": 2.0}})),
}
ASKED = [
    Request(intent="for_you"),
    Request(intent="for_you", category=("Room 1",), n=7, lang="th"),
    Request(intent="for_you", exclude_owned=False),
    Request(intent="for_you", diversity=0.4),
    Request(intent="because_you"),
    Request(intent="buy_again"),
    Request(intent="similar", item_ids=("P0000007",)),
    Request(intent="for_you", item_ids=("P0000007",)),
]


@pytest.mark.parametrize("models", WORLDS.values(), ids=WORLDS)
def test_everybody_gets_the_list_that_she_gets_alone(models, monkeypatch):
    monkeypatch.setattr(block, "MOST_SCORES", 5 * len(models.catalogue))  # three blocks
    alone = [taste(profile, models, now=NOW) for profile in PROFILES]
    for one, beside in zip(alone, block.folded_in(alone, models), strict=True):
        for request in ASKED:
            expected, found = (recommend(request, models=models, taste=hers, now=NOW) for hers in (one, beside))
            assert [pick._replace(score=0, shares={}) for pick in found.picks] == [
                pick._replace(score=0, shares={}) for pick in expected.picks
            ]
            assert [pick.score for pick in found.picks] == pytest.approx(
                [pick.score for pick in expected.picks], abs=2e-6
            )
            assert (found.intent, found.fallback, len(found.anchored)) == (
                expected.intent,
                expected.fallback,
                len(expected.anchored),
            )


def test_what_factors_say_is_known_before_the_list_is_asked_for():
    (hers,) = block.folded_in([taste(PROFILES[0], LARGE, now=NOW)], LARGE)
    assert hers.factors is not None
    assert hers.factors.estimated
    assert LARGE.factors is not None
    np.testing.assert_allclose(hers.factors.scores, LARGE.factors.estimate(hers.factors.folded.vector), atol=1e-6)
