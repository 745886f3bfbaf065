"""The ground of a list: the items that may stand there, close together where they are few, and kept as long as there is room."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.serving.world import shop
from models.changes import Change, lay
from models.filters import Condition
from service.lists import ground as grounds
from service.lists.ground import ground
from service.lists.request import Request

SHOP = shop(1_000, factors=32)
LARGE = replace(SHOP, factors=replace(SHOP.factors, leading=np.ascontiguousarray(SHOP.factors.item_factors[:, :16].T)))
ROOM = Request(intent="for_you", category=("Room 1",))


def fresh(models=LARGE):
    return replace(models)  # of which nothing is kept


def test_few_items_lie_close_together_and_know_their_rows():
    found = ground(ROOM, fresh(), scale=2.0, estimated=True)
    rows = SHOP.catalogue.within(("Room 1",)).nonzero()[0]
    assert found.rows.tolist() == rows.tolist()
    assert found.rows_of(np.arange(len(rows))).tolist() == rows.tolist()
    assert found.placed(np.arange(1_000)).tolist() == list(range(len(rows)))
    np.testing.assert_array_equal(found.popular, 2 * SHOP.popularity.score[rows])
    np.testing.assert_array_equal(found.leading, LARGE.factors.leading[:, rows])


@pytest.mark.parametrize(("request_", "estimated"), [(Request(intent="for_you"), True), (ROOM, False)])
def test_of_most_items_or_where_nothing_is_estimated_all_keep_their_rows_and_some_are_barred(request_, estimated):
    found = ground(request_, fresh(), scale=1.0, estimated=estimated)
    assert found.rows is None
    assert found.leading is None
    assert found.placed(np.array([3, 5])).tolist() == [3, 5]
    allowed = SHOP.catalogue.within(request_.category) if request_.category else np.ones(1_000, np.bool_)
    assert np.isneginf(found.popular).tolist() == (~allowed).tolist()


def test_of_newcomers_factors_say_nothing():
    change = Change({"title": "New", "category": "Room 1", "price": 100})
    models = LARGE.over(lay({"NEW-0": change}, over=SHOP.catalogue, base=SHOP.catalogue, currency="THB"))
    found = ground(ROOM, models, scale=1.0, estimated=True)
    assert found.rows[-1] == 1_000
    assert not found.leading[:, -1].any()
    assert found.leading[:, -2].any()


def test_a_room_without_items_is_a_ground_all_the_same():
    found = ground(Request(intent="for_you", brand=("nobody",)), fresh(), scale=1.0, estimated=True)
    assert np.isneginf(found.popular).all()


def test_what_is_asked_again_is_kept_but_not_what_a_request_alone_leaves_out(monkeypatch):
    models = fresh()
    assert ground(ROOM, models, scale=1.0, estimated=True) is ground(ROOM, models, scale=1.0, estimated=True)
    for own in (ROOM._replace(exclude=("P0000011",)), ROOM._replace(filter=Condition("price", "lt", 900))):
        found = ground(own, models, scale=1.0, estimated=True)
        assert found.rows is None
        assert found is not ground(own, models, scale=1.0, estimated=True)
        assert not np.isneginf(found.popular).all()
    assert len(models.kept_grounds) == 1


def test_no_more_is_kept_than_there_is_room_for_and_what_is_asked_last_is(monkeypatch):
    models, other = fresh(), ROOM._replace(category=("Room 2",))
    sizes = [ground(asked, fresh(), scale=1.0, estimated=True).size for asked in (ROOM, other)]
    monkeypatch.setattr(grounds, "MOST_KEPT", max(sizes))
    for asked in (ROOM, other, ROOM):
        assert ground(asked, models, scale=1.0, estimated=True) is ground(asked, models, scale=1.0, estimated=True)
        assert sum(each.size for each in models.kept_grounds.values()) <= max(sizes)
    monkeypatch.setattr(grounds, "MOST_KEPT", min(sizes) - 1)
    models = fresh()
    assert ground(ROOM, models, scale=1.0, estimated=True) is not ground(ROOM, models, scale=1.0, estimated=True)
