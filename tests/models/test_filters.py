import numpy as np
import pytest

from models.filters import FilterError, mask, parse
from tests.worlds import STRANGE, tiny_catalogue

CATALOGUE = tiny_catalogue()


def passing(document: object) -> set[str]:
    return set(CATALOGUE.items.texts(np.flatnonzero(mask(parse(document), CATALOGUE))))


def condition(field: str, op: str, value: object) -> dict[str, object]:
    return {"field": field, "op": op, "value": value}


EVERYTHING = set(CATALOGUE.items.texts(range(len(CATALOGUE))))
SHOES = {"SH-014", "SH-015", "SH-016"}
PRICED = EVERYTHING - {"DR-003"}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (condition("product_type", "eq", "shoes"), SHOES),
        ({"field": "product_type", "value": "shoes"}, SHOES),
        (condition("product_type", "ne", "shoes"), EVERYTHING - SHOES),
        (condition("colour", "in", ["red", "blue"]), {"DR-002", "DR-003", "SH-015", "NE-002"}),
        (condition("color", "eq", "blue"), {"DR-003"}),
        (condition("brand", "exists", False), {"DR-003"}),
        (condition("brand", "exists", True), EVERYTHING - {"DR-003"}),
        (condition("brand", "contains", "UA"), SHOES | {STRANGE}),
        (condition("brand", "ne", "Suan"), EVERYTHING - SHOES - {STRANGE}),
        (condition("category", "eq", "Home"), {"VT-001"}),
        (condition("category", "eq", "Wom"), set()),
        (condition("price", "lt", 790), {"VT-001"}),
        (condition("price", "le", 790), {"VT-001", STRANGE}),
        (condition("price", "gt", 2090), {"SH-016"}),
        (condition("price", "ge", 2090.0), {"SH-016", "DR-002"}),
        (condition("price", "between", [1000, 1300]), {"SH-014", "SH-015"}),
        (condition("price", "eq", 2590), {"SH-016"}),
        (condition("price", "in", [2590, 450]), {"SH-016", "VT-001"}),
        (condition("price", "in", [450, 2590, 2589.99, -0.01, 1e14]), {"SH-016", "VT-001"}),
        (condition("price", "in", []), set()),
        (condition("category", "in", ["Home", "Women > Bags", "Wom"]), {"VT-001", STRANGE}),
        (condition("category", "contains", "> NIGHT"), {"NE-001", "NE-002"}),
        (condition("product_type", "contains", "s"), {"DR-001", "DR-001-L", "DR-002", "DR-003", *SHOES, "VT-001"}),
        (condition("price", "exists", True), PRICED),
        (condition("price", "ne", 450), EVERYTHING - {"VT-001"}),
        (condition("available", "eq", False), {"SH-016"}),
        (condition("available", "ne", False), EVERYTHING - {"SH-016"}),
        (condition("adult", "eq", True), {"NE-001", "NE-002"}),
        (condition("image_url", "exists", True), set()),
        (condition("item_id", "in", [STRANGE, "nothing"]), {STRANGE}),
        (condition("item_id", "ne", STRANGE), EVERYTHING - {STRANGE}),
        (condition("group_id", "eq", "dress-1"), {"DR-001", "DR-001-L"}),
        ({"all": [condition("product_type", "eq", "shoes"), condition("colour", "eq", "red")]}, {"SH-015"}),
        ({"any": [condition("colour", "eq", "blue"), condition("price", "gt", 2500)]}, {"DR-003", "SH-016"}),
        ({"not": {"any": [condition("price", "exists", True)]}}, {"DR-003"}),
        ({"all": []}, EVERYTHING),
        ({"any": []}, set()),
    ],
)
def test_passes_exactly_the_items_that_the_filter_means(document: object, expected: set[str]) -> None:
    assert passing(document) == expected


def deep(levels: int) -> object:
    document: object = {"all": []}
    for _ in range(levels):
        document = {"not": document}
    return document


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ([], ()),
        ("colour", ()),
        ({"all": {}}, ("all",)),
        ({"all": [], "any": []}, ()),
        ({"all": [condition("colour", "eq", "red"), {"field": "size"}]}, ("all", "1", "field")),
        ({"not": {"any": [condition("colour", "lt", "red")]}}, ("not", "any", "0", "op")),
        (condition("colour", "eq", 3), ("value",)),
        (condition("colour", "in", "red"), ("value",)),
        (condition("price", "lt", "cheap"), ("value",)),
        (condition("price", "lt", True), ("value",)),
        (condition("price", "lt", 1e300), ("value",)),
        (condition("price", "between", [1, 2, 3]), ("value",)),
        (condition("available", "eq", "yes"), ("value",)),
        (condition("item_id", "contains", "x"), ("op",)),
        ({"field": "price", "op": "lt"}, ("value",)),
        ({"field": "price", "op": ["lt"], "value": 3}, ("op",)),
        ({"field": ["price"], "op": "lt", "value": 3}, ("field",)),
        ({"field": "price", "op": "lt", "value": 3, "unit": "THB"}, ("unit",)),
        ({"all": [condition("colour", "eq", "red")] * 101}, ()),
        ({"any": [{"all": []}] * 101}, ()),
        ({"all": [{"any": [condition("colour", "eq", "red")] * 51}] * 2 + [{"field": "size"}]}, ()),
        (condition("item_id", "in", ["x"] * 10_000), ()),
        ({"any": [condition("price", "in", [1] * 500)] * 20}, ()),
    ],
)
def test_an_impossible_filter_is_refused_at_the_place_of_the_mistake(document: object, place: tuple[str, ...]) -> None:
    with pytest.raises(FilterError) as error:
        parse(document)
    assert error.value.place == place


@pytest.mark.parametrize("levels", [20, 900])
def test_a_filter_nested_without_end_is_refused(levels: int) -> None:
    with pytest.raises(FilterError, match="nested deeper"):
        parse(deep(levels))


def test_a_deep_value_is_refused_without_being_shown() -> None:
    value: list[object] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(FilterError, match="a list is not a text"):
        parse(condition("colour", "eq", value))
