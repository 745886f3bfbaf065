"""/customers: the shared picture, its timeline, and what she or the shop says of her: load → read or change → dump."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

import orjson
from flask import Response, abort
from flask_smorest import Blueprint
from marshmallow import Schema, ValidationError, fields, validate

from service.fields import Fields
from service.http.bodies import json_body, query
from service.http.documents import send
from service.http.paths import install
from service.http.schemas import ID, Whole
from service.http.services import currency, services, store
from service.nesting import TOO_DEEP, too_deep
from service.people import consents as consents_of
from service.people import facts as facts_of
from service.people.customers import SESSION
from service.people.facts import Facts
from service.people.identity import is_known, merge
from service.people.lookup import change_facts
from service.people.shared import Yardstick, known, shared
from service.people.timeline import mark, timeline
from service.store import Customer

blueprint = Blueprint("customers", __name__, description="The shared picture of a customer")
blueprint.record_once(lambda state: install(state.app))

MOST_ATTRIBUTE_BYTES = 16_384
MOST_CONSENTS = 100


class AtQuery(Schema):
    """GET /customers/{id}."""

    at = fields.String(
        metadata={"description": "As of this time (RFC 3339), from what is known today", "format": "date-time"}
    )


class PageQuery(Schema):
    """GET /customers/{id}/timeline."""

    limit = Whole(load_default=50, validate=validate.Range(1, 500))
    before = fields.String(metadata={"description": "What `next` said"})


class AttributesBody(Schema):
    """PATCH /customers/{id}. Only what is named changes."""

    attributes = fields.Dict(keys=fields.String(validate=ID), metadata={"description": "null takes one away"})
    do_not_contact = fields.List(
        fields.String(validate=ID), metadata={"description": "Channels that must not be used, `all` for every one"}
    )


class ConsentSchema(Schema):
    """What she said about a purpose on a channel."""

    purpose = fields.String(required=True, validate=ID, metadata={"description": "marketing, profiling, …"})
    channel = fields.String(load_default=facts_of.EVERY, validate=ID)
    status = fields.String(required=True, validate=validate.OneOf(facts_of.STATUSES))
    at = fields.String(metadata={"description": "When she said it; now by default", "format": "date-time"})
    source = fields.String(validate=ID)
    lawful_basis = fields.String(validate=ID)
    proof = fields.String(validate=ID)


class ConsentsBody(Schema):
    """PUT /customers/{id}/consents: added to the history, in force at once."""

    consents = fields.List(fields.Nested(ConsentSchema), required=True, validate=validate.Length(1, MOST_CONSENTS))


class MergeBody(Schema):
    """POST /customers/{id}/merge."""

    from_ = fields.String(
        required=True,
        validate=ID,
        data_key="from",
        metadata={"description": "A session_id, or an anonymous customer_id"},
    )


class ProfileSchema(Schema):
    """The shared picture."""

    customer_id = fields.String(required=True)
    as_of = fields.DateTime(required=True)
    tier = fields.Dict(required=True)
    lifecycle = fields.String(required=True, allow_none=True)
    segment = fields.String(required=True, allow_none=True)
    rfm = fields.Dict(required=True)
    orders = fields.Dict(required=True)
    expected = fields.Dict(required=True)
    intent = fields.Dict(required=True)
    fatigue = fields.Dict(required=True)
    satisfaction = fields.Dict(required=True)
    consents = fields.List(fields.Dict(), required=True)
    channels = fields.List(fields.Dict(), required=True)
    attributes = fields.Dict(required=True)
    segments = fields.List(fields.String(), required=True)
    cluster = fields.String(required=True, allow_none=True)
    aliases = fields.List(fields.String(), required=True)
    degraded = fields.Boolean(required=True)
    buys = fields.Dict(required=True, metadata={"description": "Favourite categories, their number, the price band"})
    engagement = fields.Dict(required=True, metadata={"description": "Messages, referrals, reviews, visits, counted"})
    person = fields.Dict(required=True, metadata={"description": "Persona, location, language: attributes by name"})
    preferences = fields.Dict(required=True, metadata={"description": "Channels, and the channel and hour to use"})


class TimelineSchema(Schema):
    """A page of the timeline, newest first."""

    entries = fields.List(fields.Dict(), required=True)
    next = fields.String(required=True, allow_none=True)


AT, PAGE, ATTRIBUTES, CONSENTS, MERGE = AtQuery(), PageQuery(), AttributesBody(), ConsentsBody(), MergeBody()


def _answers(schema: type) -> dict[str, Any]:
    return {"200": {"description": "As it stands", "content": {"application/json": {"schema": schema}}}}


def _takes(schema: type) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


@blueprint.route("/customers/<id:customer_id>", methods=["GET"])
@blueprint.doc(parameters=[{"in": "query", "schema": AtQuery}], responses=_answers(ProfileSchema))
def customer(customer_id: str) -> Response:
    """Who she is, how good a customer, where in her life cycle, what she allows."""
    at = _time(AT.load(query(AT)), "at")
    return _pictured(kept(customer_id), services().clock() if at is None else at)


@blueprint.route("/customers/<id:customer_id>/timeline", methods=["GET"])
@blueprint.doc(parameters=[{"in": "query", "schema": PageQuery}], responses=_answers(TimelineSchema))
def customer_timeline(customer_id: str) -> Response:
    """What happened, what we decided, what came of it, newest first."""
    asked = PAGE.load(query(PAGE))
    try:
        before = mark(asked["before"]) if "before" in asked else None
    except ValueError as error:
        raise ValidationError({"before": [str(error)]}) from error
    return send(timeline(store(), kept(customer_id), limit=asked["limit"], before=before))


@blueprint.route("/customers/<id:customer_id>", methods=["PATCH"])
@blueprint.doc(requestBody=_takes(AttributesBody), responses=_answers(ProfileSchema))
def patch_customer(customer_id: str) -> Response:
    """Change attributes; a customer nobody knew yet is known from now on."""
    body = ATTRIBUTES.load(json_body())
    attributes = body.get("attributes", {})
    if deep := [name for name, value in attributes.items() if too_deep(value)]:
        raise ValidationError({"attributes": {name: [f"{TOO_DEEP.capitalize()}."] for name in deep}})
    if len(orjson.dumps(attributes)) > MOST_ATTRIBUTE_BYTES:
        raise ValidationError({"attributes": [f"More than {MOST_ATTRIBUTE_BYTES} bytes."]})

    _refuse_personal(customer_id, attributes)

    def change(facts: Facts) -> Facts:
        facts = facts_of.with_attributes(facts, attributes)
        if "do_not_contact" in body:
            facts = {**facts, "do_not_contact": dict.fromkeys(body["do_not_contact"], "asked")}
        return facts

    change_facts(store(), services().pseudonyms, customer_id, change)
    return _pictured(kept(customer_id), services().clock())


@blueprint.route("/customers/<id:customer_id>/consents", methods=["PUT"])
@blueprint.doc(requestBody=_takes(ConsentsBody), responses=_answers(ProfileSchema))
def put_consents(customer_id: str) -> Response:
    """Add to what she allows and refuses; in force with the next request on every worker."""
    now = services().clock()
    said = CONSENTS.load(json_body())["consents"]
    consents = [{**consent, "at": _said_at(consent, place, now)} for place, consent in enumerate(said)]
    consents_of.change(store(), customer_id, lambda facts: facts_of.with_consents(facts, consents))
    return _pictured(kept(customer_id), now)


@blueprint.route("/customers/<id:customer_id>/merge", methods=["POST"])
@blueprint.doc(requestBody=_takes(MergeBody), responses=_answers(ProfileSchema))
def merge_customer(customer_id: str) -> Response:
    """Say that an anonymous visitor is this customer: what she did before counts for her, and so does what comes under that name."""
    anonymous = MERGE.load(json_body())["from_"]
    if anonymous == customer_id:
        raise ValidationError({"from": ["Is this customer already; name the anonymous one."]})
    if not is_known(store(), anonymous):
        raise ValidationError({"from": ["Nothing is known of this visitor, so that there is nothing to merge."]})
    merge(store(), anonymous=anonymous, known=customer_id)
    return _pictured(kept(customer_id), services().clock())


def _refuse_personal(customer_id: str, attributes: Mapping[str, Any]) -> None:
    """A visit without a name is given nothing that says who she is; a merge or a login says that first."""
    plain = facts_of.impersonal(attributes)
    said = sorted(name for name, value in attributes.items() if name not in plain or plain[name] != value)
    if not said:
        return
    by_name, visit = store().customers([customer_id, f"{SESSION}{customer_id.removeprefix(SESSION)}"])
    if by_name is None or customer_id.startswith(SESSION):
        named = visit is None or not visit.customer_id.startswith(SESSION)
        if not named:
            wrong = "Is personal, and this is a visit without a name; merge it with a customer first."
            raise ValidationError({"attributes": {name: [wrong] for name in said}})


def kept(customer_id: str) -> Customer:
    """A customer of whom something is known; 404 for all others."""
    found = store().customer(customer_id)
    if found is None or not known(found):
        _unknown()
    return found


def _unknown() -> NoReturn:
    abort(404, "Nothing is known of this customer.")


def picture(found: Customer, now: int) -> dict[str, Any]:
    """The shared picture, as of a time."""
    shop = services()
    bundle, laid = shop.live.bundle(), shop.overlay.bundle()
    by = Yardstick(
        tiers=bundle.models.tiers if bundle else None,
        lifetime=bundle.models.lifetime if bundle else None,
        currency=currency(),
        models=laid.models if bundle and laid else None,
        interest=shop.settings.interest,
        zone=shop.settings.shop.time_zone,
        segments=shop.segments,
    )
    return shared(found, by=by, channels=shop.actions.channels, now=now)


def _pictured(found: Customer, now: int) -> Response:
    return send(picture(found, now))


def _time(row: Mapping[str, Any], name: str) -> int | None:
    """A time of a query: any since 1990."""
    read = Fields(row)
    at = read.time(name, now=2**40)
    if read.errors:
        raise ValidationError(read.errors)
    return at


def _said_at(consent: Mapping[str, Any], place: int, now: int) -> int:
    read = Fields(consent)
    at = read.time("at", now=now)
    if read.errors:
        raise ValidationError({"consents": {place: read.errors}})
    return now if at is None else at
