"""/next-best-action and /decisions: load → decide → dump. What is asked at the same time is decided side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from flask import Response, abort, request, stream_with_context
from flask_smorest import Blueprint
from marshmallow import Schema, ValidationError, fields, validate
from werkzeug.exceptions import UnsupportedMediaType

from models.action_catalogue import Catalogue
from models.actions import OUTCOMES
from models.arms import ARMS
from models.bundle import Bundle
from service.decisions.chain import EMPTIED, name_of
from service.decisions.decide import Asked, Came, next_best_actions
from service.decisions.decision_log import DecisionTakenError, logged
from service.decisions.funnel import ORDER
from service.decisions.replay import replay
from service.decisions.send import Send
from service.decisions.situation import Learnt, Request
from service.http.attach import attaching
from service.http.batch import NO_ROOM, answered, requests, spooled
from service.http.bodies import json_body, loading, query, without_nulls
from service.http.documents import send
from service.http.metrics import metrics
from service.http.paths import install
from service.http.schemas import EXPLAIN, ID, Scalar, Whole, short
from service.http.services import currency, services, store
from service.lists.reasons import LANGUAGES
from service.services import Services

blueprint = Blueprint("decide", __name__, description="The next best action")
blueprint.record_once(lambda state: install(state.app))

MOST = 20
NDJSON = "application/x-ndjson"


class DecideQuery(Schema):
    """GET /next-best-action."""

    customer_id = fields.String(required=True, validate=ID, metadata={"description": "Whom; session:<id> for a visit"})
    channel = fields.String(required=True, validate=ID, metadata={"description": "website, email, agent, …"})
    placement = fields.String(validate=ID, metadata={"description": "Where on the channel it stands"})
    n = Whole(validate=validate.Range(1, MOST), metadata={"description": "How many actions; 3 for an agent, else 1"})
    decision_id = fields.String(validate=validate.Length(1, 200), metadata={"description": "Makes the call idempotent"})
    seed = Whole(metadata={"description": "Of exploration; without it customer, place, versions and day"})
    explain = fields.String(
        validate=validate.OneOf(EXPLAIN), metadata={"description": "How much of why; top by default"}
    )
    dry_run = fields.Boolean(metadata={"description": "Decide, and leave no trace"})
    lang = fields.String(validate=validate.OneOf(LANGUAGES))


class DecideBody(DecideQuery):
    """POST /next-best-action."""

    context = fields.Dict(
        keys=fields.String(),
        values=Scalar(validate=short),
        metadata={"description": "What is known of the moment: page, intent, …"},
    )


class FactorsSchema(Schema):
    """priority = propensity · value · context · lever · fatigue · recency − cost."""

    propensity = fields.Float(required=True)
    value = fields.Float(required=True)
    context = fields.Float(required=True)
    lever = fields.Float(required=True)
    fatigue = fields.Float(required=True)
    recency = fields.Float(required=True)
    cost = fields.Float(required=True)


class ObjectionSchema(Schema):
    """What a customer may answer, and what to say then."""

    says = fields.String(allow_none=True)
    answer = fields.String(allow_none=True)


class AgentSchema(Schema):
    """What an agent needs to say it."""

    script = fields.String(required=True, allow_none=True)
    objections = fields.List(fields.Nested(ObjectionSchema), required=True)
    if_rejected = fields.String(required=True, allow_none=True, metadata={"description": "The action to offer then"})


class ContentSchema(Schema):
    """What the customer sees."""

    title = fields.String(allow_none=True)
    text = fields.String(allow_none=True)
    template = fields.String(allow_none=True)


class ActionSchema(Schema):
    """One action, ranked."""

    action_id = fields.String(required=True)
    treatment = fields.String(required=True)
    rank = fields.Integer(required=True)
    priority = fields.Float(required=True)
    factors = fields.Nested(FactorsSchema, required=True)
    probability = fields.Float(
        required=True, metadata={"description": "The chance to stand at this rank, given those above"}
    )
    shadow_price = fields.Float(
        required=True,
        metadata={"description": "What its share of a scarce budget or stock costs; priority is not below it"},
    )
    why = fields.List(fields.String(), required=True)
    not_before = fields.DateTime(required=True, allow_none=True)
    content = fields.Nested(ContentSchema, required=True)
    items = fields.List(fields.Dict(), required=True)
    agent = fields.Nested(AgentSchema, required=True, allow_none=True)


class DecisionSchema(Schema):
    """The answer of /next-best-action."""

    decision_id = fields.String(required=True)
    arm = fields.String(required=True, validate=validate.OneOf(ARMS))
    actions = fields.List(fields.Nested(ActionSchema), required=True)
    dropped = fields.Dict(keys=fields.String(validate=validate.OneOf(ORDER)), values=fields.Integer(), required=True)
    no_action_reason = fields.String(required=True, allow_none=True)
    catalogue_version = fields.String(required=True)
    model_version = fields.String(required=True, allow_none=True)
    valid_until = fields.DateTime(required=True)
    degraded = fields.Boolean(required=True)
    better_channel = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "On which she answers more, where this one comes to her; null: none does"},
    )


class ReplaySchema(Schema):
    """The decision made again from its record and the catalogue that stood then."""

    same = fields.Boolean(required=True, metadata={"description": "To the byte, products by id"})
    digest = fields.String(required=True)


class LoggedSchema(Schema):
    """A decision as it was logged."""

    decision_id = fields.String(required=True)
    customer_id = fields.String(required=True)
    channel = fields.String(required=True)
    placement = fields.String(required=True, allow_none=True)
    context = fields.Dict(required=True)
    at = fields.DateTime(required=True)
    tier = fields.String(metadata={"description": "That chances were learnt for"})
    seed = fields.Integer()
    chances = fields.Dict(
        keys=fields.String(),
        values=fields.Float(),
        metadata={"description": "Of every action to stand first, where it had one; they sum to 1"},
    )
    arm = fields.String(required=True, validate=validate.OneOf(ARMS))
    answer = fields.Nested(
        DecisionSchema,
        required=True,
        allow_none=True,
        metadata={
            "description": "Made again, products by id; null where its catalogue is no longer known, or another release decided"
        },
    )
    replay = fields.Nested(ReplaySchema, required=True, allow_none=True)
    outcomes = fields.Dict(keys=fields.String(validate=validate.OneOf(OUTCOMES)), values=fields.Raw())


SHOWN = ("decision_id", "customer_id", "channel", "placement", "context", "at", "tier", "seed", "arm", "chances")
QUERY, BODY = DecideQuery(), loading(DecideBody)
DECIDED = {"200": {"description": "The decision", "content": {"application/json": {"schema": DecisionSchema}}}}


@blueprint.route("/next-best-action", methods=["GET"])
@blueprint.doc(parameters=[{"in": "query", "schema": DecideQuery}], responses=DECIDED)
def decide_by_query() -> Response:
    """What to do for this customer now, asked for in a query."""
    return send(_decided(QUERY.load(query(QUERY))))


@blueprint.route("/next-best-action", methods=["POST"])
@blueprint.doc(
    requestBody={"required": True, "content": {"application/json": {"schema": DecideBody}}}, responses=DECIDED
)
def decide_by_body() -> Response:
    """What to do for this customer now, with what is known of the moment."""
    return send(_decided(BODY(without_nulls(json_body()))))


@blueprint.route("/next-best-action/batch", methods=["POST"])
@blueprint.doc(
    requestBody={"required": True, "content": {NDJSON: {"schema": DecideBody}}},
    responses={"200": {"description": "An answer a line, and a last line that says so", "content": {NDJSON: {}}}}
    | NO_ROOM,
)
def decide_by_lines() -> Response:
    """What to do for many customers, one request a line: all are scored first, then budgets and stock go to the highest priorities."""
    if request.mimetype != NDJSON:
        raise UnsupportedMediaType(f"Send one request a line, as {NDJSON}.")
    shop, lines = services(), spooled()
    bundle, now, actions = shop.overlay.bundle(), shop.clock(), shop.actions
    learnt = {lang: _learnt(bundle, shop, lang=lang, now=now) for lang in LANGUAGES}
    send = Send(
        lines=lambda: requests(lines, lambda document: _asked(BODY(without_nulls(document)), shop, actions)),
        store=shop.store,
        actions=actions,
        learnt=learnt.__getitem__,
        now=now,
        new_id=lambda: uuid4().hex,
        keep=shop.log,
        tell=metrics().decided,
    )
    return Response(stream_with_context(answered(lines, send.answers())), content_type=NDJSON)


@blueprint.route("/decisions/<id:decision_id>", methods=["GET"])
@blueprint.doc(responses={"200": {"description": "Logged", "content": {"application/json": {"schema": LoggedSchema}}}})
def decision(decision_id: str) -> Response:
    """One decision as it was logged, and made again from that."""
    kept = logged(store(), decision_id)
    if kept is None:
        if store().get(EMPTIED, name_of(decision_id)) is not None:
            abort(410, "The customer of this decision was erased, and what it was made of with her.")
        abort(404, "There is no such decision, or it has expired.")
    again = replay(kept, services().shelf.at)
    shown = {name: kept[name] for name in SHOWN if name in kept}
    return send(
        {
            **shown,
            "answer": None if again is None else again.answer,
            "replay": None if again is None else {"same": again.same, "digest": kept["digest"]},
        }
    )


def _decided(loaded: dict[str, Any]) -> dict[str, Any]:
    shop = services()
    actions = shop.actions
    asked = _asked(loaded, shop, actions)
    came = shop.decisions.make((asked, actions), partial(_side_by_side, shop=shop))
    if isinstance(came, DecisionTakenError):
        raise ValidationError(
            {"decision_id": ["Another customer or channel has it; give each decision its own."]}
        ) from came
    metrics().decided(came, asked.channel)
    return came


def _side_by_side(several: Sequence[tuple[Request, Catalogue]], shop: Services) -> Iterator[Came]:
    """What was asked at the same time: customers are read in one round trip, decided from one bundle, and written in one transaction."""
    bundle, now = shop.overlay.bundle(), shop.clock()
    learnt = {lang: _learnt(bundle, shop, lang=lang, now=now) for lang in {request.lang for request, _ in several}}
    for actions, part in groupby(several, key=itemgetter(1)):
        asked = [Asked(request, learnt[request.lang], uuid4().hex) for request, _ in part]
        yield from next_best_actions(asked, store=shop.store, actions=actions, now=now, keep=shop.log)


def _asked(loaded: dict[str, Any], shop: Services, actions: Catalogue) -> Request:
    language = shop.settings.shop.language
    asked = Request(**{"lang": language if language in LANGUAGES else "en", **loaded})
    if asked.channel not in actions.channels:
        raise ValidationError({"channel": [f"Unknown; known here: {', '.join(actions.channels)}."]})
    return asked


def _learnt(bundle: Bundle | None, shop: Services, *, lang: str, now: int) -> Learnt:
    zone = ZoneInfo(shop.settings.shop.time_zone)
    if bundle is None:
        return Learnt(
            attach=lambda *_: [],
            believe=shop.beliefs,
            positives=shop.beliefs.positives,
            currency=shop.settings.shop.currency,
            zone=zone,
        )
    return Learnt(
        attach=attaching(bundle, shop, lang=lang, now=now),
        believe=shop.beliefs,
        positives=shop.beliefs.positives,
        response=bundle.models.response,
        tiers=bundle.models.tiers if bundle.version else None,
        currency=currency(),
        model_version=bundle.version or None,
        catalogue=bundle.models.catalogue,
        zone=zone,
    )
