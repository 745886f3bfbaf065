import pytest

from service.lists.segment import said, segment
from tests.worlds import tiny_catalogue

CATALOGUE = tiny_catalogue()


@pytest.mark.parametrize(
    ("context", "attributes", "told"),
    [
        ((), {}, ()),
        ((("device", "phone"),), {"city": "Bangkok"}, ()),
        (
            (("category", "Women > Shoes"),),
            {"category": "Home", "brand": "Suan"},
            (("category", "Women > Shoes"), ("brand", "Suan")),
        ),
        ((("category", 7),), {"brand": ""}, ()),
    ],
)
def test_what_is_said_of_her_now_wins_over_what_was_said_before(context, attributes, told) -> None:
    assert said(context, attributes) == told


@pytest.mark.parametrize(
    ("told", "suits"),
    [
        ((), None),
        ((("brand", "nobody's"),), None),
        ((("category", "Women > Shoes"),), {"SH-014", "SH-015", "SH-016"}),
        ((("category", "Women"), ("brand", "Nara")), {"DR-001", "DR-001-L", "DR-002", "NE-001", "NE-002"}),
    ],
)
def test_items_suit_that_have_all_that_is_said(told, suits) -> None:
    found = segment(told, CATALOGUE)
    assert (None if found is None else set(CATALOGUE.items.texts(found.nonzero()[0]))) == suits
