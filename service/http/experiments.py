"""/experiments: settings → report → dump."""

from __future__ import annotations

from flask import Response
from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from models.arms import ARMS
from service.experiments import report
from service.http.documents import send
from service.http.services import services, store

blueprint = Blueprint("experiments", __name__, description="What variants brought")


class LiftSchema(Schema):
    """How much more than the control: 0.1 is a tenth."""

    relative = fields.Float(required=True)
    interval = fields.List(
        fields.Float(), required=True, metadata={"description": "95 %, for one look at an end set beforehand"}
    )
    always_valid = fields.List(fields.Float(), required=True, metadata={"description": "95 %, however often one looks"})


class VariantSchema(Schema):
    """One variant; rates are null while there are fewer than two customers."""

    name = fields.String(required=True)
    share = fields.Float(required=True)
    customers = fields.Integer(required=True, metadata={"description": "Who was shown a list"})
    exposures = fields.Integer(required=True)
    clicks = fields.Integer(required=True)
    conversions = fields.Integer(required=True)
    value = fields.Float(required=True, metadata={"description": "Major units"})
    click_rate = fields.Float(required=True, allow_none=True, metadata={"description": "Clicks a list"})
    conversions_per_customer = fields.Float(required=True, allow_none=True)
    value_per_customer = fields.Float(required=True, allow_none=True)
    lift = fields.Dict(
        keys=fields.String(),
        values=fields.Nested(LiftSchema, allow_none=True),
        required=True,
        allow_none=True,
        metadata={"description": "By rate, beside the control; null for the control"},
    )


class SampleRatioSchema(Schema):
    """Whether customers were counted as they were dealt."""

    p_value = fields.Float(required=True)
    trusted = fields.Boolean(required=True)


class ExperimentSchema(Schema):
    """One experiment."""

    name = fields.String(required=True)
    placement = fields.String(required=True)
    control = fields.String(required=True)
    sample_ratio = fields.Nested(SampleRatioSchema, required=True)
    variants = fields.List(fields.Nested(VariantSchema), required=True)
    warnings = fields.List(fields.String(), required=True)


class NeededSchema(Schema):
    """How many customers it takes to find `minimum_effect` with `power`: of the control, and of this arm."""

    customers = fields.List(fields.Integer(), required=True)
    still = fields.List(fields.Integer(), required=True, metadata={"description": "Of them, still to come"})


class ArmSchema(Schema):
    """One arm of decisions; rates are null while there are fewer than two customers."""

    name = fields.String(required=True, validate=validate.OneOf(ARMS))
    share = fields.Float(required=True)
    customers = fields.Integer(required=True, metadata={"description": "Who was decided for, whatever was said"})
    buyers = fields.Integer(required=True, metadata={"description": "Of them, who bought within `within_days`"})
    orders = fields.Integer(required=True)
    value = fields.Float(required=True, metadata={"description": "Major units"})
    buyers_per_customer = fields.Float(required=True, allow_none=True)
    value_per_customer = fields.Float(required=True, allow_none=True)
    lift = fields.Dict(
        keys=fields.String(), values=fields.Nested(LiftSchema, allow_none=True), required=True, allow_none=True
    )
    needed = fields.Dict(
        keys=fields.String(), values=fields.Nested(NeededSchema, allow_none=True), required=True, allow_none=True
    )


class ArmsSchema(Schema):
    """What deciding is worth: customers who are decided for otherwise beside the others, by what they bought after their first decision."""

    control = fields.String(required=True)
    within_days = fields.Integer(required=True)
    minimum_effect = fields.Float(required=True, metadata={"description": "The relative difference not to be missed"})
    power = fields.Float(required=True)
    sample_ratio = fields.Nested(SampleRatioSchema, required=True)
    arms = fields.List(fields.Nested(ArmSchema), required=True)
    warnings = fields.List(fields.String(), required=True)


class ExperimentsSchema(Schema):
    """The experiments of valet.toml, and the arms of actions.toml; null where nobody is decided for otherwise."""

    experiments = fields.List(fields.Nested(ExperimentSchema), required=True)
    arms = fields.Nested(ArmsSchema, required=True, allow_none=True)


@blueprint.route("/experiments")
@blueprint.doc(
    responses={
        "200": {"description": "The experiments", "content": {"application/json": {"schema": ExperimentsSchema}}}
    }
)
def experiments() -> Response:
    """What variants of lists and arms of decisions brought. The first question reads the whole log, the next ones what is new."""
    shop = services()
    running = [(name, one.experiment) for name, one in shop.settings.placements.items() if one.experiment is not None]
    found = report(store(), shop.evidence, running, arms=shop.actions.arms)
    return send(found)
