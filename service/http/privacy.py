"""Access and erasure: /customers/{id}/export gives all that is kept, DELETE /customers/{id} removes it; `dry_run` first looks."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import orjson
import structlog
from flask import Response, abort, request
from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from models.profile import rfc3339
from service.http.bodies import query
from service.http.customers import picture
from service.http.documents import send
from service.http.services import services, store
from service.people.erasure import Receipt, Tombs, erase, look
from service.people.export import export, of_whom, page

blueprint = Blueprint("privacy", __name__, description="Access and erasure")

AUDIT = "audit"
log = structlog.get_logger("valet.audit")


class ExportQuery(Schema):
    """GET /customers/{id}/export."""

    format = fields.String(
        validate=validate.OneOf(("json", "html")),
        metadata={"description": "`html` for people; by default what `Accept` asks for, else `json`"},
    )


class EraseQuery(Schema):
    """DELETE /customers/{id}."""

    dry_run = fields.Boolean(load_default=False, metadata={"description": "Count what would go, and leave it"})


class ErasedSchema(Schema):
    """What was erased, in numbers; the same on every repetition."""

    dry_run = fields.Boolean(required=True)
    erasure_id = fields.String(required=True, allow_none=True, metadata={"description": "As in the audit log"})
    erased_at = fields.DateTime(required=True, allow_none=True)
    counts = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)


EXPORT, ERASE = ExportQuery(), EraseQuery()


@blueprint.route("/customers/<id:customer_id>/export", methods=["GET"])
@blueprint.doc(
    parameters=[{"in": "query", "schema": ExportQuery}],
    responses={
        "200": {
            "description": "All that is kept of her",
            "content": {"application/json": {"schema": {"type": "object"}}, "text/html": {}},
        }
    },
)
def export_customer(customer_id: str) -> Response:
    """All that is kept of her: a document for machines, a page for people."""
    asked = EXPORT.load(query(EXPORT)).get("format")
    customer, now = of_whom(store(), customer_id), services().clock()
    if customer is None:
        abort(404, "Nothing is kept of this customer.")
    document = export(store(), customer, picture=picture(customer, now), now=now)
    best = request.accept_mimetypes.best_match(("application/json", "text/html"), "application/json")
    if (asked or best).endswith("html"):
        return Response(page(document), content_type="text/html; charset=utf-8", headers={"Cache-Control": "no-store"})
    return send(document)


@blueprint.route("/customers/<id:customer_id>", methods=["DELETE"])
@blueprint.doc(
    parameters=[{"in": "query", "schema": EraseQuery}],
    responses={"200": {"description": "What went", "content": {"application/json": {"schema": ErasedSchema}}}},
)
def erase_customer(customer_id: str) -> Response:
    """Erase every trace of her but a keyed tombstone, which keeps imports and trainings from bringing her back."""
    shop = services()
    tombs = Tombs(store(), shop.pseudonyms)
    if ERASE.load(query(ERASE))["dry_run"]:
        return send(_shown(look(store(), tombs, customer_id, now=shop.clock()), dry_run=True))
    receipt, fresh = erase(store(), tombs, customer_id, now=shop.clock())
    if fresh:
        _audit(receipt)
    return send(_shown(receipt, dry_run=False))


def _audit(receipt: Receipt) -> None:
    """One line, in the log and in the store, that names nobody."""
    line = {"erasure_id": receipt.erasure_id, "at": rfc3339(receipt.at), "counts": dict(receipt.counts)}
    store().put(AUDIT, str(receipt.erasure_id or uuid4().hex), orjson.dumps({"what": "erasure", **line}))
    log.info("a customer was erased", **line)


def _shown(receipt: Receipt, *, dry_run: bool) -> dict[str, Any]:
    at = None if receipt.erasure_id is None else rfc3339(receipt.at)
    return {"dry_run": dry_run, "erasure_id": receipt.erasure_id, "erased_at": at, "counts": dict(receipt.counts)}
