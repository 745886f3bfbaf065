import pytest
from marshmallow import Schema, ValidationError, fields, validate

from service.http.bodies import loading
from service.http.schemas import RecommendBody


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
