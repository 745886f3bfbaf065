import pytest

from models.words import yes


@pytest.mark.parametrize(
    ("word", "meaning"),
    [
        ("in stock", True),
        ("in_stock", True),
        (" In-Stock ", True),
        ("https://schema.org/InStock", True),
        ("preorder", True),
        ("backorder", True),
        ("TRUE", True),
        ("out of stock", False),
        ("out_of_stock", False),
        ("http://schema.org/OutOfStock", False),
        ("Discontinued", False),
        ("0", False),
        ("maybe", None),
        ("", None),
    ],
)
def test_availability_is_understood_as_feeds_and_people_write_it(word: str, meaning: bool | None) -> None:
    assert yes(word) is meaning
