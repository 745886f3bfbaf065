"""The schemas of /recommend and /rank: they document the contract and check what comes in. Answers are checked against them by tests."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from models.filters import COMPARABLE, MOST_PARTS, Filter, FilterError, count, parse
from service.customer_tokens import LONGEST
from service.lists.reasons import LANGUAGES
from service.lists.request import INTENTS
from service.lists.selection import EXPLORED, PINNED, PROMOTED
from service.lists.timing import STATES

EXPLAIN = ("none", "top", "full")
MOST = 100
CURE = (
    "Join those of one field with in, or write what always holds into valet.toml: a placement's filter, merchandising."
)
MOST_IDS = 1_000
MOST_EXCLUDED = 20_000
PRICE = validate.Range(0, 1e12)
MOST_ID = 4_000  # characters
ID = validate.Length(1, MOST_ID)


FILTERS = f"all, any, not; or field, op, value. At most {MOST_PARTS} conditions in all filters of a request"


class Whole(fields.Integer):
    """An integer: 5, "5" in a query; 5.5 is wrong."""

    def _validated(self, value: Any) -> int:
        if isinstance(value, float):
            raise self.make_error("invalid", input=value)
        return super()._validated(value)


class Bounded(fields.List[Any]):
    """A list that is refused for its length before anybody looks at what it holds: each of 25,000 wrong things would be told of."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        if isinstance(value, list):
            self._validate(value)
        return super()._deserialize(value, attr, data, **kwargs)


class FilterField(fields.Field[Filter]):
    """A filter over items, see models.filters."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Filter:
        try:
            return parse(value)
        except FilterError as error:
            messages: Any = [error.message]
            for key in reversed(error.place):
                messages = {key: messages}
            raise ValidationError(messages) from error


class Scalar(fields.Field[Any]):
    """A text, a number, true or false."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, str | int | float | bool):
            raise ValidationError("Must be a text, a number, true or false.")
        return value


def short(value: Any) -> None:
    """A validator of what conditions may look through, each of them."""
    if isinstance(value, str) and len(value) > MOST_ID:
        raise ValidationError(f"Longer than {MOST_ID} characters.")


def _id(**metadata: str) -> fields.String:
    return fields.String(validate=ID, metadata=metadata)


def _texts(
    description: str, *, most: int = MOST_IDS, choices: tuple[str, ...] | None = None, name: str | None = None
) -> Bounded:
    inner = fields.String(validate=validate.OneOf(choices) if choices else ID)
    return Bounded(
        inner, validate=validate.Length(max=most), metadata={"description": description}, data_key=name, attribute=name
    )


COMPARED = (*COMPARABLE, "color")


class ListSchema(Schema):
    """What GET and POST share."""

    customer_id = _id(description="Whose list it is")
    customer_token = fields.String(
        validate=validate.Length(1, LONGEST),
        metadata={
            "description": "Instead of customer_id, from pages: a JWT (HS256) of `sub` and `exp` that the shop signed"
        },
    )
    session_id = _id(description="The visit, where the customer is not known")
    placement = _id(description="Where the list stands; gives intent and n their defaults")
    send_id = fields.String(
        validate=validate.Length(1, 200),
        metadata={
            "description": "A mailing: its lists are of what was known as it began, and items carry a link; not from pages"
        },
    )
    intent = fields.String(validate=validate.OneOf(INTENTS))
    n = Whole(validate=validate.Range(1, MOST), metadata={"description": "Length of the list, 10 by default"})
    category = _texts("In one of these categories or below it", most=MOST)
    brand = _texts("Of one of these brands", most=MOST)
    price_min = fields.Float(validate=PRICE)
    price_max = fields.Float(validate=PRICE)
    # `exclude` and `fields` are marshmallow's own words
    exclude_ = _texts("Not these items", most=MOST_EXCLUDED, name="exclude")
    exclude_owned = fields.Boolean(
        metadata={"description": "Leave out what the customer owns; by default where the list is for her"}
    )
    same = _texts("Alike the items asked about in these fields", most=MOST, choices=COMPARED)
    different = _texts("Unlike the items asked about in these fields", most=MOST, choices=COMPARED)
    diversity = fields.Float(
        validate=validate.Range(0, 1),
        metadata={"description": "0: the best as they are; 1: as unlike one another as can be"},
    )
    exploration = fields.Float(
        validate=validate.Range(0, 1), metadata={"description": "The share of slots for items that little is known of"}
    )
    fields_ = _texts("Product fields to return; all by default", most=MOST, name="fields")
    lang = fields.String(validate=validate.OneOf(LANGUAGES), metadata={"description": "Of titles and reasons"})
    explain = fields.String(
        validate=validate.OneOf(EXPLAIN), metadata={"description": "What each source gave to a score"}
    )
    strict = fields.Boolean(metadata={"description": "No fallback: rather a short list"})
    debug = fields.Boolean(metadata={"description": "Tell what each mask removed and which rules fired"})

    @validates_schema
    def _check_prices(self, loaded: dict[str, Any], **kwargs: Any) -> None:
        least, most = loaded.get("price_min"), loaded.get("price_max")
        if least is not None and most is not None and least > most:
            raise ValidationError(f"Below price_min, {least:g}.", "price_max")


class RecommendQuery(ListSchema):
    """GET /recommend."""

    item_ids = Bounded(
        fields.String(validate=ID),
        validate=validate.Length(max=MOST),
        data_key="item_id",
        metadata={"description": "The items asked about; repeat for a cart"},
    )


class BoostSchema(Schema):
    """Items that pass count more (above 1) or less (below)."""

    filter = FilterField(required=True)
    weight = fields.Float(required=True, validate=validate.Range(0.01, 100))


class PromotionSchema(Schema):
    """A share of the list for items that pass."""

    name = fields.String(required=True, validate=ID)
    percent = fields.Float(required=True, validate=validate.Range(0, 100))
    filter = FilterField(required=True)


class RecommendBody(ListSchema):
    """POST /recommend."""

    item_ids = _texts("The items asked about, a cart for example", most=MOST)
    filter = FilterField(metadata={"description": FILTERS})
    boost = Bounded(fields.Nested(BoostSchema), validate=validate.Length(max=20))
    promotions = Bounded(fields.Nested(PromotionSchema), validate=validate.Length(max=20))
    context = fields.Dict(
        keys=fields.String(),
        values=Scalar(validate=short),
        metadata={"description": "Device, country …, for the conditions of the shop's merchandising"},
    )

    @validates_schema
    def _check_promotions(self, loaded: dict[str, Any], **kwargs: Any) -> None:
        promised = sum(promotion["percent"] for promotion in loaded.get("promotions", ()))
        if promised > 100:
            raise ValidationError(f"{promised:g} % of the slots are promised; at most 100.", "promotions")

    @validates_schema
    def _check_filters(self, loaded: dict[str, Any], **kwargs: Any) -> None:
        asked = count(loaded["filter"]) if "filter" in loaded else 0
        for name in ("boost", "promotions"):
            asked += sum(count(one["filter"]) for one in loaded.get(name, ()))
            if asked > MOST_PARTS:
                raise ValidationError(
                    f"{asked} conditions in all filters of a request; at most {MOST_PARTS}. {CURE}", name
                )


class PageBody(Schema):
    """POST /recommend/batch: the lists of one page."""

    requests = Bounded(fields.Nested(RecommendBody), required=True, validate=validate.Length(1, 20))
    distinct = fields.Boolean(metadata={"description": "No item twice on the page; earlier lists choose first"})


class RankBody(Schema):
    """POST /rank."""

    item_ids = Bounded(fields.String(validate=ID), required=True, validate=validate.Length(1, MOST_IDS))
    customer_id = _id()
    session_id = _id()
    placement = _id()
    fields_ = _texts("Product fields to return; all by default", most=MOST, name="fields")
    lang = fields.String(validate=validate.OneOf(LANGUAGES))
    explain = fields.String(validate=validate.OneOf(EXPLAIN))
    debug = fields.Boolean()


class ReasonSchema(Schema):
    """Why an item stands there."""

    code = fields.String(required=True)
    because = fields.List(fields.String(), required=True, metadata={"description": "The items that carried its score"})
    text = fields.String(required=True)


class DueSchema(Schema):
    """When the customer is due to buy an item again."""

    state = fields.String(required=True, validate=validate.OneOf(STATES))
    interval_days = fields.Integer(
        required=True, validate=validate.Range(1), metadata={"description": "Her interval and the item's, shrunk"}
    )
    last_at = fields.DateTime(required=True, format="iso")
    expected_at = fields.DateTime(required=True, format="iso", metadata={"description": "May be past"})


class PickSchema(Schema):
    """One item of a list."""

    item_id = fields.String(required=True)
    rank = fields.Integer(required=True, validate=validate.Range(1))
    score = fields.Float(
        required=True, validate=validate.Range(0), metadata={"description": "Never rises with the rank"}
    )
    source = fields.String(required=True, metadata={"description": "The model that gave most to the score"})
    reason = fields.Nested(ReasonSchema, required=True, allow_none=True)
    item = fields.Dict(required=True, metadata={"description": "Product fields"})
    due = fields.Nested(DueSchema, metadata={"description": "Of an item to be bought again"})
    probability = fields.Float(
        validate=validate.Range(0, 1, min_inclusive=False),
        metadata={"description": "Of a list that explores: the chance that this item stands here"},
    )
    link = fields.String(
        allow_none=True, metadata={"description": "Of a send: to this item, or what is in stock when it is followed"}
    )
    explain = fields.Dict(
        keys=fields.String(), values=fields.Float(), metadata={"description": "What each source gave"}
    )


class RowSchema(Schema):
    """A list that starts from one of the customer's items."""

    anchor = fields.Dict(required=True)
    items = fields.List(fields.Nested(PickSchema), required=True)


class CandidatesSchema(Schema):
    """What one intent had to offer."""

    intent = fields.String(required=True)
    items = fields.Integer(required=True, metadata={"description": "Eligible items that it speaks for"})
    sources = fields.Dict(
        required=True,
        keys=fields.String(),
        values=fields.Integer(),
        metadata={"description": "Source -> of how many of these it says something"},
    )


class PartsSchema(Schema):
    """What the score of a listed item is made of: the sum of its sources, times its boost."""

    item_id = fields.String(required=True)
    intent = fields.String(
        required=True, allow_none=True, metadata={"description": "Whose candidate it was; null: nobody's"}
    )
    by = fields.String(required=True, validate=validate.OneOf(("score", PINNED, PROMOTED, EXPLORED)))
    sources = fields.Dict(required=True, keys=fields.String(), values=fields.Float())
    boost = fields.Float(
        required=True, metadata={"description": "Of rules and of the request, and of what was shown in vain"}
    )


class DebugSchema(Schema):
    """How the list came about, where `debug` asks for it; of because_you, the list beside the rows."""

    items = fields.Integer(required=True, metadata={"description": "Of the catalogue"})
    removed = fields.Dict(
        required=True,
        keys=fields.String(),
        values=fields.Integer(),
        metadata={"description": "Mask -> how many items it took, in the order of the masks"},
    )
    eligible = fields.Integer(required=True, metadata={"description": "What the masks left"})
    rules = fields.Dict(
        required=True,
        keys=fields.String(),
        values=fields.String(),
        metadata={"description": "Merchandising rule -> fired, not now, condition false, RULE_ERROR"},
    )
    candidates = fields.List(
        fields.Nested(CandidatesSchema),
        required=True,
        metadata={"description": "The intent, and those of its fallbacks that were needed"},
    )
    scores = fields.List(fields.Nested(PartsSchema), required=True)


class AnswerSchema(Schema):
    """The answer of /recommend and /rank."""

    recommendation_id = fields.String(required=True)
    model_version = fields.String(required=True, allow_none=True)
    placement = fields.String(required=True, allow_none=True)
    intent = fields.String(required=True)
    items = fields.List(fields.Nested(PickSchema), required=True)
    rows = fields.List(fields.Nested(RowSchema), metadata={"description": "Of because_you"})
    fallback = fields.String(
        required=True, allow_none=True, metadata={"description": "The intent that filled the list instead"}
    )
    degraded = fields.Boolean(required=True, metadata={"description": "Without models, or without the customer"})
    missing_ids = fields.List(fields.String(), required=True)
    experiment = fields.Dict(required=True, allow_none=True)
    generated_at = fields.DateTime(required=True, format="iso")
    debug = fields.Nested(DebugSchema)


class PageSchema(Schema):
    """The answers of one page, in the order of its requests."""

    results = fields.List(fields.Nested(AnswerSchema), required=True)
