from pathlib import Path

import pytest
from marshmallow import Schema, ValidationError, fields, validate

from service.http.app import MOST_BYTES
from service.http.bodies import loading
from service.http.schemas import RecommendBody
from tests.service.http.apps import tiny_client


class Asked(Schema):
    who = fields.String(required=True, validate=validate.Length(1, 5))
    n = fields.Integer(data_key="count", validate=validate.Range(1, 9))
    where = fields.String()


@pytest.mark.parametrize(
    "document",
    [
        {"who": "ann"},
        {"who": "ann", "count": 3, "where": "home"},
        {"who": "ann", "count": 30},
        {"count": 3},
        {"who": "ann", "n": 3},
        {"who": 1, "else": 2},
        {},
        [],
        None,
    ],
)
def test_a_document_is_loaded_or_refused_as_by_the_whole_schema(document):
    def said(load):
        try:
            return load(document)
        except ValidationError as error:
            return error.normalized_messages()

    assert said(loading(Asked)) == said(Asked().load)


@pytest.mark.parametrize("name", ["item_ids", "exclude", "boost", "promotions"])
def test_a_list_too_long_is_refused_for_its_length_and_not_for_each_thing_in_it(name: str) -> None:
    with pytest.raises(ValidationError, match="Longer than maximum length") as refused:
        RecommendBody().load({name: [None] * 20_001})
    assert len(refused.value.messages[name]) == 1


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("Application/JSON", 200),
        ("application/vnd.shop+json", 200),
        ("application/jsonlines", 415),
        ("text/plain", 415),
        (None, 415),
    ],
)
def test_a_body_is_read_whatever_the_way_its_type_is_written(
    tmp_path: Path, content_type: str | None, status: int
) -> None:
    client = tiny_client(tmp_path)
    assert client.post("/recommend", data=b'{"n": 1}', content_type=content_type).status_code == status


def test_a_body_as_long_as_the_app_allows_is_read_and_a_longer_one_is_not(tmp_path: Path) -> None:
    client = tiny_client(tmp_path)
    longest = b'{"n": 1}'.ljust(MOST_BYTES)
    assert client.post("/recommend", data=longest, content_type="application/json").status_code == 200
    assert client.post("/recommend", data=longest + b" ", content_type="application/json").status_code == 413
    assert client.post("/recommend", data=b'{"n": 1', content_type="application/json").status_code == 400
