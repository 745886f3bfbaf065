"""The answer of /events and /outcomes: a receipt a row; 422 where every row is refused."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
from flask import Response
from marshmallow import Schema, fields, validate

from service.events import STATUSES, Receipt, summary
from service.http.documents import send
from service.http.metrics import metrics
from service.http.problems import MEDIA_TYPE, ProblemSchema


class ReceiptSchema(Schema):
    """What became of one row."""

    index = fields.Integer(required=True)
    status = fields.String(required=True, validate=validate.OneOf(STATUSES))
    event_id = fields.String(required=True, allow_none=True)
    errors = fields.Dict(
        keys=fields.String(), values=fields.List(fields.String()), required=True, metadata={"description": "By field"}
    )
    warnings = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.String()),
        metadata={"description": "By field, of a row that is kept: an item that is not in the catalogue"},
    )


class ReceiptsSchema(Schema):
    """What became of all rows. Accepted: it is kept for good."""

    accepted = fields.Integer(required=True)
    repeated = fields.Integer(required=True)
    refused = fields.Integer(required=True)
    results = fields.List(fields.Nested(ReceiptSchema), required=True)


class RefusedSchema(ProblemSchema):
    """What is wrong with the call or, with a receipt each, with all of its rows."""

    accepted = fields.Integer()
    repeated = fields.Integer()
    refused = fields.Integer()
    results = fields.List(fields.Nested(ReceiptSchema))


RESPONSES = {
    "200": {"description": "A receipt a row", "content": {"application/json": {"schema": ReceiptsSchema}}},
    "422": {"description": "Every row is refused", "content": {MEDIA_TYPE: {"schema": RefusedSchema}}},
}


def receipts(rows: Sequence[Receipt]) -> Response:
    """The receipts as an answer; where none is good, as a problem that carries them."""
    answered = summary(rows)
    metrics().took({status: answered[status] for status in STATUSES})
    if answered["refused"] < len(rows):
        return send(answered)
    problem = {
        "type": "about:blank",
        "title": "Unprocessable Entity",
        "status": 422,
        "detail": "Every row is refused: see results.",
        "errors": {str(row.index): row.errors for row in rows},
    }
    return Response(orjson.dumps(problem | answered), 422, content_type=MEDIA_TYPE)
