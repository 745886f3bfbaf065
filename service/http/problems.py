"""Errors as RFC 9457 problems: one shape for whatever goes wrong, with what is wrong at each field under `errors`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from http import HTTPStatus
from threading import Lock
from typing import Any

import orjson
import structlog
from flask import Flask, Response, json, render_template
from flask_smorest import Api, Blueprint
from gunicorn.http.errors import ParseException
from marshmallow import Schema, ValidationError, fields
from werkzeug.exceptions import ClientDisconnected, HTTPException

from models.errors import DiskError, InputError, StoreUnavailable

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 1
ADDRESS = "https://valet.invalid/"

log = structlog.get_logger(__name__)


class ProblemSchema(Schema):
    """What every error looks like."""

    type = fields.String(required=True, metadata={"description": "about:blank: the status says it all"})
    title = fields.String(required=True, metadata={"description": "The name of the status"})
    status = fields.Integer(required=True)
    detail = fields.String(metadata={"description": "What is wrong, and what to do"})
    errors = fields.Dict(
        keys=fields.String(), metadata={"description": "Field → what is wrong with it, nested as the request is"}
    )


class ProblemApi(Api):  # type: ignore[misc]  # flask-smorest has no types
    """flask-smorest with these problems for its errors, and their schema in its documentation.

    The document is written when it is first asked for: most workers never are, and it takes a third of their start.
    """

    DEFAULT_RESPONSE_CONTENT_TYPE = MEDIA_TYPE  # of the errors in the document
    ERROR_SCHEMA = ProblemSchema

    def __init__(self, app: Flask) -> None:
        self._unwritten: list[Blueprint] = []
        self._writing = Lock()
        super().__init__(app)

    def register_blueprint(self, blueprint: Blueprint) -> None:
        """Answer at the blueprint's addresses."""
        self._app.extensions["flask-smorest"]["blp_name_to_api"][blueprint.name] = self
        self._app.register_blueprint(blueprint)
        self._unwritten.append(blueprint)

    def document(self) -> dict[str, Any]:
        """The OpenAPI document of all blueprints."""
        with self._writing:
            while self._unwritten:
                part = self._unwritten.pop(0)
                part.register_views_in_doc(self, self._app, self.spec, name=part.name, parameters=None)
                self.spec.tag({"name": part.name, "description": part.description})
            found: dict[str, Any] = self.spec.to_dict()
            return found

    @cached_property
    def written(self) -> bytes:
        """The document as it is sent; anybody may ask for it."""
        return json.dumps(self.document(), indent=2).encode()

    @cached_property
    def page(self) -> str:
        """The same for people, with ADDRESS where the address of this service stands."""
        return render_template("docs.html", spec=self.document(), address=ADDRESS)

    def _openapi_json(self) -> Response:
        return Response(self.written, content_type="application/json")

    def _register_error_handlers(self) -> None:
        register(self._app)


def problem(
    status: int, detail: str, *, errors: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """A problem as an answer."""
    document: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if errors is not None:
        document["errors"] = errors
    body = orjson.dumps(document, default=str, option=orjson.OPT_NON_STR_KEYS)
    return Response(body, status, content_type=MEDIA_TYPE, headers=dict(headers or {}))


def register(app: Flask) -> None:
    """Answer every error of this app with a problem."""
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(ValidationError, _invalid)
    app.register_error_handler(InputError, _unusable)
    app.register_error_handler(StoreUnavailable, _away)
    app.register_error_handler(DiskError, _full)
    for broken in (BlockingIOError, ClientDisconnected, ParseException):
        app.register_error_handler(broken, _broken_off)


def _http(error: HTTPException) -> Response | HTTPException:
    if error.code is None or error.code < 400:  # a redirect of the router: no error of anyone
        return error
    kept = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After", "WWW-Authenticate")}
    return problem(error.code, error.description or "", errors=getattr(error, "errors", None), headers=kept)


def _invalid(error: ValidationError) -> Response:
    errors = error.messages_dict
    return problem(422, f"Mend {', '.join(map(str, errors)) or 'the request'}: see errors.", errors=errors)


def _unusable(error: InputError) -> Response:
    return problem(422, str(error))


def _away(error: StoreUnavailable) -> Response:
    detail = "The store does not answer; nothing was written. Try again."
    return problem(503, detail, headers={"Retry-After": str(RETRY_AFTER_S)})


def _full(error: DiskError) -> Response:
    log.error("no room", error=str(error))
    detail = (
        "The disk of the service has no room for this body; nothing was done. Free space, or send fewer lines a call."
    )
    return problem(507, detail)


def _broken_off(error: BlockingIOError | ClientDisconnected | ParseException) -> Response:
    """service.workers.connection says how long a client may be silent."""
    if isinstance(error, BlockingIOError) or isinstance(error.__context__, BlockingIOError):
        return problem(408, "The rest of the body did not come in time.")
    return problem(400, "The body is not whole, or not in the chunks that it says.")
