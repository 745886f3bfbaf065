"""Operations: is it alive, is it ready, what does it count, which models are there, which shall answer, and what can be called."""

from __future__ import annotations

from typing import Any, get_args

import orjson
from flask import Response, current_app, request
from flask_smorest import Blueprint
from markupsafe import escape
from marshmallow import Schema, fields, validate

from models.errors import BundleError, DiskError, InputError, LockedError
from service.http.metrics import metrics
from service.http.paths import install
from service.http.problems import ADDRESS, RETRY_AFTER_S, ProblemApi, problem
from service.http.services import services
from service.live import versions
from service.readiness import State, parts

blueprint = Blueprint(
    "operations", __name__, description="Life, readiness, metrics, models", template_folder="../pages"
)
blueprint.record_once(lambda state: install(state.app))

METRICS = "text/plain; version=0.0.4; charset=utf-8"


class PartSchema(Schema):
    """How one part is. `degraded`: the service goes on without it, and answers say so."""

    state = fields.String(required=True, validate=validate.OneOf(get_args(State)))
    reason = fields.String(required=True, allow_none=True, metadata={"description": "What is missing, and what then"})


class ReadySchema(Schema):
    """Whether this service can answer, with what, and what is not ready."""

    status = fields.String(required=True, metadata={"description": "ready or no bundle"})
    model_version = fields.String(required=True, allow_none=True)
    store = fields.String(required=True, metadata={"description": "ok, away or none"})
    parts = fields.Dict(
        required=True,
        keys=fields.String(),
        values=fields.Nested(PartSchema),
        metadata={"description": "bundle, store, keys, actions, items: each with its state and the reason"},
    )


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


class LiveSchema(Schema):
    """Which bundle answers now, and which did before."""

    live = fields.String(required=True, allow_none=True)
    before = fields.String(required=True, allow_none=True)


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
    """Ready once a bundle is loaded. What is away besides is told, and no reason to take the service out: lists go on without it."""
    shop = services()
    bundle, found = shop.live.bundle(), parts(shop)
    document = {
        "status": "no bundle" if bundle is None else "ready",
        "model_version": bundle.version if bundle else None,
        "store": "none" if shop.store is None else "ok" if found["store"].state == "ready" else "away",
        "parts": found,
    }
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
    live, version = services().live, _version()
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


@blueprint.route("/models/<id:version>/activate", methods=["POST"])
@blueprint.doc(
    responses={
        "200": _documented("It answers: here at once, in all other workers within a second", LiveSchema),
        "409": {"description": "It is not whole, or of another format; what answered goes on"},
        "507": {"description": "The link that names the live bundle cannot be written"},
    }
)
def activate(version: str) -> Response:
    """Let another bundle answer, an older one most often. It is checked first; a training that runs is not waited for."""
    before, live = _version(), services().live
    try:
        live.activate(version)
    except InputError:
        return problem(404, "There is no such bundle; GET /models lists them.")
    except BundleError:
        return problem(409, f"{version} is not whole, or of another format. {before or 'Nothing'} goes on answering.")
    except LockedError:
        return problem(503, "Others are switching bundles. Try again.", headers={"Retry-After": str(RETRY_AFTER_S)})
    except DiskError:
        return problem(
            507, "The folder of the bundles cannot be written: give the service one that can, or free space."
        )
    return _send({"live": _version(), "before": before})


@blueprint.route("/docs")
@blueprint.doc(responses={"200": {"description": "HTML", "content": {"text/html": {}}}})
def docs() -> str:
    """Every call on one page, without assets from elsewhere."""
    apis: dict[str, dict[str, ProblemApi]] = current_app.extensions["flask-smorest"]["apis"]
    return apis[""]["ext_obj"].page.replace(ADDRESS, escape(request.host_url))


def _version() -> str | None:
    bundle = services().live.bundle()
    return bundle.version if bundle else None


def _send(document: dict[str, Any], status: int = 200) -> Response:
    return Response(orjson.dumps(document, option=orjson.OPT_NON_STR_KEYS), status, content_type="application/json")
