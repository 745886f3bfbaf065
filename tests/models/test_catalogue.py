import json

import pytest

from models.catalogue import NO_PRICE, catalogue_of
from models.vocabulary import Vocabulary

ITEMS = Vocabulary.of(["bag", "dress", "shoe"])
FIELDS = [
    {"category": "Women > Bags", "brand": "Siam", "price": 99000, "image_url": "/bag.jpg"},
    {"category": "Women > Dresses", "brand": None, "adult": True, "available": False},
    {"category": "Womenswear", "brand": "Siam", "price": 0},
]
CATALOGUE = catalogue_of(
    ITEMS, FIELDS, [json.dumps({"title": title}).encode() for title in ("กระเป๋า", "Dress", "Shoe")]
)


@pytest.mark.parametrize(
    ("paths", "rows"),
    [
        (["Women"], [0, 1]),
        (["Women > Bags"], [0]),
        (["Womenswear", "Women > Dresses"], [1, 2]),
        (["Wom"], []),
        ([], []),
    ],
)
def test_a_category_holds_what_lies_below_it_and_nothing_that_only_begins_alike(paths, rows):
    assert CATALOGUE.within(paths).nonzero()[0].tolist() == rows


def test_keeps_each_body_as_it_was_given():
    assert [json.loads(CATALOGUE.json(row))["title"] for row in range(3)] == ["กระเป๋า", "Dress", "Shoe"]


def test_what_is_missing_is_unknown_and_what_is_said_is_kept():
    assert CATALOGUE.price.tolist() == [99000, NO_PRICE, 0]
    assert CATALOGUE.available.tolist() == [True, False, True]
    assert CATALOGUE.adult.tolist() == [False, True, False]
    assert CATALOGUE.pictured.tolist() == [True, False, False]
    assert CATALOGUE.brand.text(0) == "Siam"
    assert CATALOGUE.brand.text(1) is None
    assert CATALOGUE.brand.are(["Siam", "unknown"]).tolist() == [True, False, True]


def test_an_empty_catalogue_answers_too():
    empty = catalogue_of(Vocabulary.of([]), [], [])
    assert len(empty) == 0
    assert empty.within(["Women"]).tolist() == []
    assert empty.brand.are(["Siam"]).tolist() == []
