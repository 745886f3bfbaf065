"""/events: load → record → receipts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import count
from secrets import token_hex

from flask import Response, request
from flask_smorest import Blueprint
from marshmallow import INCLUDE, Schema, fields

from service.events import record
from service.http.access import whose
from service.http.bodies import json_body
from service.http.load import LONGEST_BODY
from service.http.receipts import RESPONSES, receipts
from service.http.services import rules, services, store

blueprint = Blueprint("events", __name__, description="What happened")

MOST_BYTES = 4 << 20  # of a server's body: one bad row of a megabyte is refused alone


class ItemSchema(Schema):
    """A line of a basket or list."""

    class Meta:
        """Unknown fields are kept."""

        unknown = INCLUDE

    item_id = fields.String(required=True)
    quantity = fields.Float(metadata={"description": "1 by default"})
    price = fields.Float(metadata={"description": "Of one piece, major units"})


class EventSchema(ItemSchema):
    """One event in the plain form. GA4 payloads (data layer and Measurement Protocol) are taken as they come, too."""

    item_id = fields.String()
    event = fields.String(required=True, metadata={"description": "view_item, add_to_cart, purchase, …"})
    event_id = fields.String(metadata={"description": "Makes it idempotent"})
    customer_id = fields.String()
    customer_token = fields.String(metadata={"description": "Instead of customer_id, from pages: signed by the shop"})
    session_id = fields.String(metadata={"description": "The visit, where the customer is not known"})
    items = fields.List(fields.Nested(ItemSchema))
    time = fields.DateTime(metadata={"description": "When it happened; now by default"})
    order_id = fields.String()
    currency = fields.String()
    recommendation_id = fields.String()
    decision_id = fields.String()


class EventsBody(Schema):
    """1 to 500 events; a list of them, or one alone, will do."""

    events = fields.List(fields.Nested(EventSchema), required=True)


def _numbered(drawn: str, numbers: Iterator[int]) -> str:
    """An id for a row that brings none: what was drawn for the call, and its number there."""
    return f"{drawn}{next(numbers):08x}"


@blueprint.route("/events", methods=["POST"])
@blueprint.doc(
    requestBody={"required": True, "content": {"application/json": {"schema": EventsBody}}}, responses=RESPONSES
)
def post_events() -> Response:
    """Keep what happened; a receipt a row says whether it was accepted, known already, or refused, and why."""
    shop = services()
    shop.retention.watch()
    asks = whose()
    most = LONGEST_BODY if asks.page or request.headers.get("Origin") else MOST_BYTES
    return receipts(
        record(
            json_body(most=most, plain=True),
            store=store(),
            rules=replace(rules(), whose=asks.row, page=asks.page),
            now=shop.clock(),
            new_id=partial(_numbered, token_hex(12), count()),
            pseudonyms=shop.pseudonyms,
        )
    )
