import numpy as np
import orjson
import pytest

from models.catalogue import Catalogue
from models.changes import Change, lay, nothing
from tests.worlds import tiny_catalogue

BASE = tiny_catalogue()
NEW_SHOES = Change(
    {"title": "Black pumps", "category": "Women > Shoes", "brand": "Novel", "price": 99_000, "image_url": "/p.jpg"}
)


def laid(changes: dict[str, Change], over: Catalogue = BASE) -> Catalogue:
    return lay(changes, over=over, base=BASE, currency="THB")


def test_a_patched_price_counts_in_column_and_body_and_all_else_stays():
    catalogue = laid({"SH-014": Change({"price": 50_000}, whole=False)})
    row = catalogue.items.row("SH-014")
    assert catalogue.price[row] == 50_000
    body = orjson.loads(catalogue.json(row))
    assert (body["price"], body["title"], body["colour"]) == (500.0, "Black court shoes", "black")
    others = np.arange(len(BASE)) != row
    assert (catalogue.price[others] == BASE.price[others]).all()
    assert catalogue.category.text(row) == "Women > Shoes"


def test_what_is_put_replaces_the_item_whole():
    catalogue = laid({"SH-014": Change({"title": "Slippers"})})
    row = catalogue.items.row("SH-014")
    assert orjson.loads(catalogue.json(row)) == {"title": "Slippers"}
    assert (catalogue.price[row], catalogue.brand.text(row)) == (-1, None)


@pytest.mark.parametrize(
    ("fields", "available"),
    [
        ({"stock": 0}, False),
        ({"stock": 3}, True),
        ({"available": False}, False),
        ({"available": False, "stock": 3}, False),
        ({"available": True, "stock": 0}, False),
        ({"price": 1}, True),
    ],
)
def test_out_of_stock_or_not_offered_is_not_available(fields, available):
    catalogue = laid({"SH-014": Change(fields, whole=False)})
    assert catalogue.available[catalogue.items.row("SH-014")] == available


def test_back_in_stock_is_no_reason_to_offer_what_the_shop_took_away():
    catalogue = laid({"SH-016": Change({"stock": 5}, whole=False)})
    assert not catalogue.available[catalogue.items.row("SH-016")]


def test_newcomers_stand_behind_all_others_with_their_fields():
    catalogue = laid({"ZZ-1": NEW_SHOES, "AA-1": Change({"title": "Hat", "stock": 0})})
    assert len(catalogue) == len(BASE) + 2
    assert catalogue.items.texts(range(len(BASE), len(catalogue))) == ["ZZ-1", "AA-1"]
    row = catalogue.items.row("ZZ-1")
    assert catalogue.within(["Women > Shoes"])[row]
    assert catalogue.brand.are(["Novel"])[row]
    assert orjson.loads(catalogue.json(row))["currency"] == "THB"
    assert catalogue.available[-2:].tolist() == [True, False]
    assert catalogue.pictured[-2:].tolist() == [True, False]


def test_changes_add_up_and_large_arrays_are_shared():
    first = laid({"ZZ-1": NEW_SHOES, "SH-014": Change({"price": 1}, whole=False)})
    second = laid({"ZZ-1": Change({"title": "Pumps"}), "SH-015": Change({"price": 2}, whole=False)}, over=first)
    assert len(second) == len(first)
    assert second.price[second.items.rows(["SH-014", "SH-015", "ZZ-1"])].tolist() == [1, 2, -1]
    assert second.body is BASE.body
    assert second.items.pool is BASE.items.pool
    assert first.price[first.items.row("ZZ-1")] == 99_000  # a request keeps what it began with
    assert len(BASE.price) == len(BASE)


def test_a_column_that_stays_as_it_is_stays_shared():
    catalogue = laid({"SH-014": Change({"stock": 4}, whole=False)})
    assert catalogue.stock is not BASE.stock
    assert catalogue.price is BASE.price
    assert catalogue.available is BASE.available
    assert catalogue.category.code is BASE.category.code


def test_what_is_deleted_is_gone_until_it_is_put_again():
    gone = laid({"SH-014": Change({}, whole=False, deleted=True)})
    row = gone.items.row("SH-014")
    assert not gone.available[row]
    again = laid({"SH-014": Change({"title": "Court shoes"})}, over=gone)
    assert again.available[row]


@pytest.mark.parametrize("change", [Change({}, whole=False, deleted=True), Change({"price": 1}, whole=False)])
def test_nobody_s_item_is_neither_deleted_nor_patched_into_being(change):
    assert laid({"ZZ-1": change}) is BASE


def test_without_a_catalogue_below_all_are_newcomers():
    catalogue = lay({"a": NEW_SHOES}, over=nothing(), base=nothing(), currency=None)
    assert (len(catalogue), catalogue.items.text(0)) == (1, "a")
    assert orjson.loads(catalogue.json(0))["price"] == 990.0


def test_the_fields_of_an_item_lay_themselves_over_it_without_a_trace():
    row = BASE.items.row("NE-001")
    again = laid({"NE-001": Change(BASE.fields(row))})
    assert again.fields(row) == BASE.fields(row)
