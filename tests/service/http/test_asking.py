"""A document that was asked before for another is read as it would be read anew, and one that is wrong is refused as often as it comes."""

from __future__ import annotations

from typing import Any

import pytest
from marshmallow import ValidationError

from models.settings import Settings
from service.http.access import Whose
from service.http.asking import BODY, by_document, checked
from service.http.bodies import without_nulls
from service.http.schemas import MOST_ID

SERVER, PAGE = Whose(page=False, secrets=(), now=0), Whose(page=True, secrets=(), now=0)
SHOP = Settings()
SHAPE = {"intent": "for_you", "category": ["Shoes", "Bags"], "price_max": 4000, "context": {"page": "home"}, "n": None}
FILTER = {"field": "price", "op": "lt", "value": 900}


def said(ask: Any) -> Any:
    try:
        return ask()
    except ValidationError as error:
        return error.normalized_messages()


@pytest.mark.parametrize("named", [SERVER, PAGE])
@pytest.mark.parametrize(
    "document",
    [
        {"customer_id": "ann", **SHAPE},
        {"session_id": "s", **SHAPE},
        {"customer_id": "ann", "session_id": "s", **SHAPE},
        {"customer_id": None, "session_id": "s", "filter": FILTER, "boost": [{"filter": FILTER, "factor": 2}]},
        {"customer_id": "ann", "exclude": ["P" * 100] * 100},
        {"customer_id": "ann", "n": 0},
        {"customer_id": "ann", "colour": "black"},
        {"customer_id": "", **SHAPE},
        {"customer_id": 7, **SHAPE},
        {"customer_id": "a" * (MOST_ID + 1)},
        {"customer_id": "ann", "customer_token": "no token"},
        SHAPE,
        [],
        "ann",
        None,
    ],
)
def test_a_document_is_read_as_by_its_schema_however_often_it_comes(document: Any, named: Whose) -> None:
    whole = said(lambda: checked(BODY(without_nulls(document)), SHOP, named))
    assert [said(lambda: by_document(document, SHOP, named)) for _ in range(3)] == [whole] * 3


def test_what_was_read_for_one_is_not_changed_by_what_is_made_of_it() -> None:
    first, second = (by_document({"customer_id": name, **SHAPE}, SHOP, SERVER) for name in ("ann", "bob"))
    assert (first.customer_id, second.customer_id) == ("ann", "bob")
    assert first.category == second.category == ("Shoes", "Bags")
    assert by_document(SHAPE, SHOP, SERVER).customer_id is None
