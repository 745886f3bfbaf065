"""/items: what the shop changes of its catalogue: load → keep → lay it over in this worker at once → dump."""

from __future__ import annotations

from typing import Any, NoReturn

import orjson
from flask import Response, abort
from flask_smorest import Blueprint
from marshmallow import Schema, ValidationError, fields, validate

from models.catalogue import MINOR
from models.errors import InputError
from service import items as use
from service.http.bodies import json_body
from service.http.documents import send
from service.http.paths import install
from service.http.problems import MEDIA_TYPE, ProblemSchema
from service.http.services import currency, services, store

blueprint = Blueprint("items", __name__, description="The catalogue: stock, prices, new products")
blueprint.record_once(lambda state: install(state.app))

MOST_BYTES = 16 << 20


class CatalogueItemSchema(Schema):
    """An item. What is not said is unknown; names of a Google Merchant feed (link, availability, …) are taken, too."""

    group_id = fields.String(metadata={"description": "Variants of one product share it"})
    title = fields.String()
    title_th = fields.String()
    description = fields.String()
    product_type = fields.String()
    category = fields.String(metadata={"description": "A path, like Women > Dresses"})
    colour = fields.String(metadata={"description": "color will do"})
    brand = fields.String()
    gender = fields.String()
    price = fields.Float(metadata={"description": "Major units"})
    currency = fields.String()
    url = fields.String()
    image_url = fields.String()
    available = fields.Boolean(metadata={"description": "Also in_stock, out_of_stock, preorder, …"})
    stock = fields.Integer(metadata={"description": "0 is not shown"})
    adult = fields.Boolean()
    published_at = fields.DateTime()
    attributes = fields.Dict(keys=fields.String(), metadata={"description": "Whatever else there is to say"})


class PutSchema(CatalogueItemSchema):
    """An item that is put; with what it says an item of the same id is replaced whole."""

    item_id = fields.String(required=True)


class PutBody(Schema):
    """PUT /items."""

    items = fields.List(fields.Nested(PutSchema), required=True, validate=validate.Length(1, use.MOST_ROWS))


class ItemReceiptSchema(Schema):
    """What became of one row."""

    index = fields.Integer(required=True)
    status = fields.String(required=True, validate=validate.OneOf(("accepted", "refused")))
    item_id = fields.String(required=True, allow_none=True)
    errors = fields.Dict(keys=fields.String(), values=fields.List(fields.String()), required=True)


class ItemReceiptsSchema(Schema):
    """What became of all rows. Accepted: it is kept for good, shown at once here and within a second everywhere."""

    accepted = fields.Integer(required=True)
    refused = fields.Integer(required=True)
    results = fields.List(fields.Nested(ItemReceiptSchema), required=True)


class ItemsRefusedSchema(ProblemSchema):
    """What is wrong with the call or, with a receipt each, with all of its rows."""

    accepted = fields.Integer()
    refused = fields.Integer()
    results = fields.List(fields.Nested(ItemReceiptSchema))


def _answers(schema: type, description: str) -> dict[str, Any]:
    return {"200": {"description": description, "content": {"application/json": {"schema": schema}}}}


def _takes(schema: type) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


REFUSED = {"422": {"description": "Every row is refused", "content": {MEDIA_TYPE: {"schema": ItemsRefusedSchema}}}}


@blueprint.route("/items", methods=["PUT"])
@blueprint.doc(requestBody=_takes(PutBody), responses=_answers(ItemReceiptsSchema, "A receipt a row") | REFUSED)
def put_items() -> Response:
    """Put 1 to 1,000 items, new or known; bad rows are refused with their reasons, good ones are kept."""
    receipts = use.put(_rows(json_body(most=MOST_BYTES)), store=store(), currency=currency())
    services().overlay.refresh()
    return _receipts(receipts)


@blueprint.route("/items/<id:item_id>", methods=["GET"])
@blueprint.doc(responses=_answers(PutSchema, "As it stands"))
def get_item(item_id: str) -> Response:
    """One item as it stands."""
    return send(_item(item_id))


@blueprint.route("/items/<id:item_id>", methods=["PATCH"])
@blueprint.doc(requestBody=_takes(CatalogueItemSchema), responses=_answers(PutSchema, "As it stands now"))
def patch_item(item_id: str) -> Response:
    """Change some fields of an item, its stock or price; null takes a field away."""
    row = json_body()
    if not isinstance(row, dict):
        raise InputError('write an object of the fields to change, like {"stock": 3}')
    errors = use.patch(item_id, row, known=_learnt(item_id), store=store(), currency=currency())
    if errors is None:
        _unknown()
    if errors:
        raise ValidationError(dict(errors))
    services().overlay.refresh()
    return send(_item(item_id))


@blueprint.route("/items/<id:item_id>", methods=["DELETE"])
@blueprint.doc(responses={"204": {"description": "It is shown no more, until it is put again"}})
def delete_item(item_id: str) -> Response:
    """Take an item away."""
    if not use.delete(item_id, known=_learnt(item_id), store=store()):
        _unknown()
    services().overlay.refresh()
    return Response(status=204)


def _rows(body: Any) -> Any:
    if not isinstance(body, dict) or "items" not in body:
        raise ValidationError({"items": ['Is missing; write {"items": […]}.']})
    if unknown := body.keys() - {"items"}:
        raise ValidationError({name: ["Unknown field."] for name in sorted(unknown)})
    if not isinstance(body["items"], list) or not 1 <= len(body["items"]) <= use.MOST_ROWS:
        raise ValidationError({"items": [f"Must be a list of 1 to {use.MOST_ROWS:,} items."]})
    return body["items"]


def _item(item_id: str) -> dict[str, Any]:
    found = use.item(item_id, known=_learnt(item_id), store=services().store)
    if found is None:
        _unknown()
    if "price" in found:
        found = {**found, "price": found["price"] / MINOR, "currency": found.get("currency") or currency()}
    return {name: found[name] for name in use.FIELDS if found.get(name) is not None}


def _learnt(item_id: str) -> dict[str, Any] | None:
    """What the bundle's catalogue says of an item."""
    bundle = services().live.bundle()
    if bundle is None:
        return None
    catalogue = bundle.models.catalogue
    row = catalogue.items.row(item_id)
    return None if row < 0 else catalogue.fields(row)


def _receipts(rows: list[use.Receipt]) -> Response:
    listed = [{"index": row.index, "status": row.status, "item_id": row.item_id, "errors": row.errors} for row in rows]
    refused = sum(row.status == "refused" for row in rows)
    answered = {"accepted": len(rows) - refused, "refused": refused, "results": listed}
    if refused < len(rows):
        return send(answered)
    problem = {
        "type": "about:blank",
        "title": "Unprocessable Entity",
        "status": 422,
        "detail": "Every row is refused: see results.",
        "errors": {"items": {str(row.index): row.errors for row in rows}},
    }
    return Response(orjson.dumps(problem | answered), 422, content_type=MEDIA_TYPE)


def _unknown() -> NoReturn:
    abort(404, "There is no such item.")
