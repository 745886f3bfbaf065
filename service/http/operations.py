"""Operations: is it alive, is it ready, what does it count, which models are there, and what can be called."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response, current_app, render_template, request
from flask_smorest import Api, Blueprint
from marshmallow import Schema, fields

from models.errors import StoreUnavailable
from service.http.metrics import metrics
from service.http.services import services
from service.live import versions
from service.services import Services

blueprint = Blueprint(
    "operations", __name__, description="Life, readiness, metrics, models", template_folder="../pages"
)

METRICS = "text/plain; version=0.0.4; charset=utf-8"


class ReadySchema(Schema):
    """Whether this service can answer, and with what."""

    status = fields.String(required=True)
    model_version = fields.String(required=True, allow_none=True)
    store = fields.String(required=True, metadata={"description": "ok, away or none"})


class ModelSchema(Schema):
    """One bundle."""

    version = fields.String(required=True)
    live = fields.Boolean(required=True)
    as_of = fields.Raw(allow_none=True)
    evaluation = fields.Raw(allow_none=True)


class ModelsSchema(Schema):
    """The bundles on this machine, newest first."""

    live = fields.String(required=True, allow_none=True)
    models = fields.List(fields.Nested(ModelSchema), required=True)


def _documented(description: str, schema: type | None = None) -> dict[str, Any]:
    content = {"content": {"application/json": {"schema": schema}}} if schema else {}
    return {"description": description, **content}


@blueprint.route("/livez")
@blueprint.doc(responses={"200": _documented("The process answers")})
def livez() -> Response:
    """Whether the process answers at all."""
    return _send({"status": "ok"})


@blueprint.route("/readyz")
@blueprint.doc(
    responses={
        "200": _documented("A bundle is loaded", ReadySchema),
        "503": _documented("There is no bundle", ReadySchema),
    }
)
def readyz() -> Response:
    """Ready once a bundle is loaded. A store that is away is told, and no reason to take the service out: lists go on without it."""
    shop = services()
    bundle = shop.live.bundle()
    status = "no bundle" if bundle is None else "ready"
    document = {"status": status, "model_version": bundle.version if bundle else None, "store": _store(shop)}
    return _send(document, 503 if bundle is None else 200)


@blueprint.route("/metrics")
@blueprint.doc(responses={"200": {"description": "Prometheus text", "content": {"text/plain": {}}}})
def metrics_text() -> Response:
    """What was counted since the start, over all workers."""
    return Response(metrics().text(), content_type=METRICS)


@blueprint.route("/models")
@blueprint.doc(responses={"200": _documented("The bundles", ModelsSchema)})
def models() -> Response:
    """The bundle that answers, and the others on this machine, newest first."""
    live = services().live
    bundle = live.bundle()
    version = bundle.version if bundle else None
    listed = [
        {
            "version": name,
            "live": name == version,
            "as_of": manifest.get("as_of"),
            "evaluation": manifest.get("evaluation"),
        }
        for name, manifest in versions(live.models_dir)
    ]
    return _send({"live": version, "models": listed})


@blueprint.route("/docs")
@blueprint.doc(responses={"200": {"description": "HTML", "content": {"text/html": {}}}})
def docs() -> str:
    """Every call on one page, without assets from elsewhere."""
    apis: dict[str, dict[str, Api]] = current_app.extensions["flask-smorest"]["apis"]
    return render_template("docs.html", spec=apis[""]["ext_obj"].spec.to_dict(), address=request.host_url)


def _store(shop: Services) -> str:
    if shop.store is None:
        return "none"
    try:
        shop.store.ping()
    except StoreUnavailable:
        return "away"
    return "ok"


def _send(document: dict[str, Any], status: int = 200) -> Response:
    return Response(orjson.dumps(document, option=orjson.OPT_NON_STR_KEYS), status, content_type="application/json")
