"""A document that was asked before for another is read as it would be read anew, and one that is wrong is refused as often as it comes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import request
from marshmallow import ValidationError

from models.settings import Settings
from service.http.access import Whose
from service.http.asking import by_document, by_query, checked
from service.http.bodies import without_nulls
from service.http.schemas import MOST_ID, RecommendBody, RecommendQuery
from tests.service.http.apps import tiny_app

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
    whole = said(lambda: checked(RecommendBody().load(without_nulls(document)), SHOP, named))
    assert [said(lambda: by_document(document, SHOP, named)) for _ in range(3)] == [whole] * 3


def test_what_was_read_for_one_is_not_changed_by_what_is_made_of_it() -> None:
    first, second = (by_document({"customer_id": name, **SHAPE}, SHOP, SERVER) for name in ("ann", "bob"))
    assert (first.customer_id, second.customer_id) == ("ann", "bob")
    assert first.category == second.category == ("Shoes", "Bags")
    assert by_document(SHAPE, SHOP, SERVER).customer_id is None


@pytest.mark.parametrize(
    "query", ["customer_id=ann&intent=for_you&item_id=A&item_id=B", "session_id=s&n=3", "n=nought"]
)
def test_a_query_is_read_as_by_its_schema_however_often_it_comes(tmp_path: Path, query: str) -> None:
    app = tiny_app(tmp_path)
    with app.test_request_context(f"/recommend?{query}"):
        told = [said(lambda: by_query(app.extensions["valet"])) for _ in range(3)]
        document = {name: values if name == "item_id" else values[0] for name, values in request.args.lists()}
        assert told == [said(lambda: checked(RecommendQuery().load(document), SHOP, SERVER))] * 3
