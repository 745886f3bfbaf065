"""A list that is remembered is sent as any other: as of now, and degraded where the store is away."""

import orjson

from models.bundle import Bundle
from service.http.answers import Ready, listed
from service.lists.recommend import recommend
from service.lists.request import Request
from service.lists.taste import NONE
from tests.worlds import NOW, tiny_models

SECRET = b"s" * 32
ASKED = Request(intent="complementary", item_ids=("DR-001",), n=3)


def test_a_remembered_list_says_at_each_moment_what_one_made_then_would_say():
    shop = Bundle("one", {}, tiny_models())
    made = listed(recommend(ASKED, models=shop.models, taste=NONE, now=NOW), ASKED, bundle=shop, secret=SECRET)
    ready = Ready(made)
    for degraded, now in [(False, NOW), (False, NOW), (True, NOW), (True, NOW + 1), (False, NOW + 1), (False, NOW)]:
        one, other = (each.document(degraded=degraded, now=now, secret=SECRET) for each in (ready, made))
        assert orjson.dumps(one) == orjson.dumps(other)
