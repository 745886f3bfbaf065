"""/outcomes: load → record → receipts."""

from __future__ import annotations

from flask import Response
from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from models.actions import OUTCOMES
from service.http.bodies import json_body
from service.http.receipts import RESPONSES, receipts
from service.http.services import rules, services, store
from service.outcomes import record

blueprint = Blueprint("outcomes", __name__, description="What became of it")


class OutcomeSchema(Schema):
    """What became of a decision (one of its actions), or of a recommendation."""

    decision_id = fields.String()
    recommendation_id = fields.String()
    action_id = fields.String(metadata={"description": "Required where the decision has several"})
    item_id = fields.String()
    outcome = fields.String(required=True, validate=validate.OneOf(OUTCOMES))
    reason = fields.String(metadata={"description": "Required when an agent reports a rejection"})
    value = fields.Float(metadata={"description": "Major units"})
    currency = fields.String()
    time = fields.DateTime()
    event_id = fields.String(metadata={"description": "Makes it idempotent"})


class OutcomesBody(Schema):
    """1 to 500 outcomes; a list of them, or one alone, will do."""

    outcomes = fields.List(fields.Nested(OutcomeSchema), required=True)


@blueprint.route("/outcomes", methods=["POST"])
@blueprint.doc(
    requestBody={"required": True, "content": {"application/json": {"schema": OutcomesBody}}}, responses=RESPONSES
)
def post_outcomes() -> Response:
    """Keep what became of decisions and recommendations; a receipt a row."""
    shop = services()
    told = record(json_body(), store=store(), rules=rules(), actions=shop.actions, now=shop.clock())
    shop.beliefs.refresh()
    return receipts(told)
