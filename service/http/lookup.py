"""GET /customers?phone=…|email=…|order_id=…: found by what a caller says. For the call centre alone, see service.http.access."""

from __future__ import annotations

from flask import Response, abort
from flask_smorest import Blueprint
from marshmallow import Schema, ValidationError, fields

from service.http.bodies import query
from service.http.customers import ProfileSchema, picture
from service.http.documents import send
from service.http.schemas import ID
from service.http.services import services, store
from service.people.lookup import KINDS, find
from service.people.shared import known

blueprint = Blueprint("lookup", __name__, description="Found by what a caller says")


class FindQuery(Schema):
    """One of them."""

    phone = fields.String(validate=ID, metadata={"description": "Compared by its last nine digits"})
    email = fields.String(validate=ID, metadata={"description": "Compared without case"})
    order_id = fields.String(validate=ID, metadata={"description": "Of a purchase that was told as an event"})


class FoundSchema(ProfileSchema):
    """The shared picture of the first who is found, and who else it may be."""

    found = fields.List(fields.String(), required=True, metadata={"description": "All who are found, by id"})


FIND = FindQuery()


@blueprint.route("/customers", methods=["GET"])
@blueprint.doc(
    parameters=[{"in": "query", "schema": FindQuery}],
    responses={"200": {"description": "Who it is", "content": {"application/json": {"schema": FoundSchema}}}},
)
def find_customer() -> Response:
    """Who a caller is, by her phone number, her e-mail address, or the number of an order."""
    asked = FIND.load(query(FIND))
    if len(asked) != 1:
        raise ValidationError({kind: ["Name one of phone, email and order_id."] for kind in asked or KINDS})
    [(kind, text)] = asked.items()
    ids = find(store(), services().pseudonyms, kind, text)
    customers = [one for one in store().customers(ids) if one is not None and known(one)] if ids else []
    if not customers:
        abort(404, "Nobody is known by this.")
    return send({**picture(customers[0], services().clock()), "found": [one.customer_id for one in customers]})
