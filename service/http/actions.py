"""/actions: the catalogue of actions: load → check → keep → live in this worker at once, in all others within a second → dump."""

from __future__ import annotations

import re
from typing import Any

import orjson
from flask import Response, request
from flask_smorest import Blueprint
from marshmallow import Schema, ValidationError, fields

from models.action_catalogue import MOST_ACTIONS, Catalogue, parse, read
from models.action_rules import MOST_WORDS
from models.errors import InputError
from service.http.bodies import json_body, whole
from service.http.problems import problem
from service.http.services import services

blueprint = Blueprint("actions", __name__, description="The catalogue of actions")

MOST_BYTES = 16 << 20
TOML = ("application/toml", "text/plain", "text/toml")
WHERE = re.compile(r"[^:]*: ([^ :][^:]*): (.*)", re.S)  # source and line: key: what is wrong


class ActionCatalogueSchema(Schema):
    """A catalogue, as in actions.toml; what is not said is as by default."""

    version = fields.String(metadata={"description": "A hash of the content; what a PUT says here is not read"})
    actions = fields.List(
        fields.Dict(),
        required=True,
        metadata={
            "description": f"issue, group, id, class, treatments; at most {MOST_ACTIONS:,}, all conditions of at most {MOST_WORDS:,} words"
        },
    )
    channels = fields.Dict()
    limits = fields.List(fields.Dict())
    suppressions = fields.List(fields.Dict())
    budgets = fields.List(fields.Dict())
    levers = fields.Dict()
    policy = fields.Dict()
    arms = fields.Dict()


class ActionsPutSchema(Schema):
    """What stands now."""

    version = fields.String(required=True)
    actions = fields.Integer(required=True, metadata={"description": "How many"})


def _json(schema: type) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}


TAKES = {"required": True, "content": {"application/json": {"schema": ActionCatalogueSchema}, "application/toml": {}}}
MISSING = "body: actions: is missing; a catalogue without any is sent as JSON, with an empty list"
STALE = "Another catalogue was put meanwhile; get it, and change that."


@blueprint.route("/actions", methods=["GET"])
@blueprint.doc(
    responses={"200": {"description": "As it stands; its version is the ETag too", **_json(ActionCatalogueSchema)}}
)
def get_actions() -> Response:
    """The catalogue that decisions are made from."""
    catalogue = services().actions
    return _send({"version": catalogue.version, **catalogue.document}, catalogue)


@blueprint.route("/actions", methods=["PUT"])
@blueprint.doc(requestBody=TAKES, responses={"200": {"description": "It stands", **_json(ActionsPutSchema)}})
def put_actions() -> Response:
    """Put a catalogue, as JSON or as TOML: whole, checked as at a start; with If-Match only over the version it was made from."""
    shop = services()
    if request.if_match and not request.if_match.contains(shop.actions.version):
        return problem(412, STALE)
    try:
        catalogue = _read()
    except InputError as error:
        raise ValidationError(_told(error)) from error
    shop.shelf.put(catalogue)
    return _send({"version": catalogue.version, "actions": len(catalogue.actions)}, catalogue)


def _read() -> Catalogue:
    known = services().shelf.known
    if request.mimetype in TOML:
        request.max_content_length = MOST_BYTES
        catalogue = parse(whole(request).decode("utf-8", "replace"), "body", known=known)
        if not catalogue.actions:
            raise InputError(MISSING)
        return catalogue
    document = json_body(most=MOST_BYTES)
    if not isinstance(document, dict):
        raise InputError("body: actions: write an object like the one that GET /actions answers")
    if "actions" not in document:
        raise InputError(MISSING)
    return read({name: said for name, said in document.items() if name != "version"}, "body", known=known)


def _told(error: InputError) -> dict[str, list[str]]:
    """What is wrong, by the key it is wrong at."""
    found = WHERE.fullmatch(str(error))
    return {found[1]: [str(error)]} if found else {"actions": [str(error)]}


def _send(document: dict[str, Any], catalogue: Catalogue) -> Response:
    answer = Response(orjson.dumps(document), content_type="application/json")
    answer.set_etag(catalogue.version)
    return answer
