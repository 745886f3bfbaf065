"""/recommend, /recommend/batch and /rank: load → recommend → dump. A request takes one bundle, reads its customer once, and writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import orjson
from flask import Response, request
from flask_smorest import Blueprint
from marshmallow import ValidationError

from models.bundle import Bundle
from models.rules import is_a
from models.settings import Settings
from service.customers import Known, key, visitor
from service.http.access import Whose, whose
from service.http.answers import document
from service.http.batch import answer_lines, spooled
from service.http.bodies import json_body, query, without_nulls
from service.http.metrics import metrics
from service.http.schemas import AnswerSchema, PageBody, PageSchema, RankBody, RecommendBody, RecommendQuery
from service.http.services import services
from service.reasons import LANGUAGES
from service.recommend import Answer, rank, recommend
from service.request import Boost, Promotion, Request
from service.segment import said
from service.selection import NOTHING, Wishes
from service.sends import as_of
from service.services import Services
from service.taste import taste

blueprint = Blueprint("recommend", __name__, description="Lists of products")

NDJSON = "application/x-ndjson"
Count = Callable[[Mapping[str, Any], Mapping[str, str]], None]
QUERY, BODY, PAGE, RANK = RecommendQuery(), RecommendBody(), PageBody(), RankBody()


def _answers(schema: type) -> dict[str, Any]:
    return {"200": {"description": "The list", "content": {"application/json": {"schema": schema}}}}


def _takes(schema: type) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


@blueprint.route("/recommend", methods=["GET"])
@blueprint.doc(parameters=[{"in": "query", "schema": RecommendQuery}], responses=_answers(AnswerSchema))
def recommend_by_query() -> Response:
    """One list, asked for in a query."""
    loaded = QUERY.load(query(QUERY))
    return _send(_recommended(loaded | {"item_ids": loaded.pop("item_id", ())}))


@blueprint.route("/recommend", methods=["POST"])
@blueprint.doc(requestBody=_takes(RecommendBody), responses=_answers(AnswerSchema))
def recommend_by_body() -> Response:
    """One list, asked for in a document: with filters, boosts and a cart."""
    return _send(_recommended(BODY.load(without_nulls(json_body()))))


@blueprint.route("/recommend/batch", methods=["POST"])
@blueprint.doc(requestBody=_takes(PageBody), responses=_answers(PageSchema))
def recommend_batch() -> Response:
    """The lists of one page (JSON), or one request a line for many customers (NDJSON, answered line by line)."""
    if request.mimetype == NDJSON:
        return _stream(services())
    page = PAGE.load(without_nulls(json_body()))
    return _send(
        {"results": _page([without_nulls(part) for part in page["requests"]], distinct=page.get("distinct", False))}
    )


@blueprint.route("/rank", methods=["POST"])
@blueprint.doc(requestBody=_takes(RankBody), responses=_answers(AnswerSchema))
def rank_items() -> Response:
    """The items given, best first for this customer; none is left out."""
    shop = services()
    asked = replace(_asked(RANK.load(without_nulls(json_body())), shop.settings, whose()), intent="for_you")
    known = visitor(shop.store, asked.customer_id, asked.session_id)
    bundle = shop.overlay.bundle()
    now = shop.clock()
    answer = Answer("for_you") if bundle is None else rank(asked, **_reading(known, bundle, shop, now))
    return _send(document(answer, asked, bundle=bundle, services=shop, degraded=known.degraded, now=now))


def _recommended(loaded: dict[str, Any]) -> dict[str, Any]:
    shop = services()
    asked = _asked(loaded, shop.settings, whose())
    known = visitor(shop.store, asked.customer_id, asked.session_id)
    return _answer(asked, known, shop.overlay.bundle(), shop, metrics().recommended)


def _answer(asked: Request, known: Known, bundle: Bundle | None, shop: Services, count: Count) -> dict[str, Any]:
    known, now = _moment(asked, known, shop)
    asked = replace(asked, segment=said(asked.context, known.attributes))
    wishes = NOTHING
    answer = Answer(asked.intent or "popular")
    if bundle is not None:
        wishes = shop.rulebook.wishes(asked, known=known, models=bundle.models, now=now)
        make = partial(_made, asked, known, bundle, shop, now, wishes)
        answer = shop.remembered.answer(asked, make, models=bundle.models, wishes=wishes)
    answered = document(answer, asked, bundle=bundle, services=shop, degraded=known.degraded, now=now)
    count(answered, wishes.rules)
    return answered


def _made(asked: Request, known: Known, bundle: Bundle, shop: Services, now: int, wishes: Wishes) -> Answer:
    return recommend(asked, **_reading(known, bundle, shop, now), wishes=wishes)


def _moment(asked: Request, known: Known, shop: Services) -> tuple[Known, int]:
    """What is known and the time: now, or when the send began that this request is part of."""
    now = shop.clock()
    send = shop.sends.begun(asked.send_id, now=now) if asked.send_id is not None else None
    if send is None or shop.store is None:
        return known, now
    who = key(asked.customer_id, asked.session_id)
    return (known if who is None else as_of(known, send, store=shop.store, customer_id=who)), send.at


def _reading(known: Known, bundle: Bundle, shop: Services, now: int) -> dict[str, Any]:
    return {
        "models": bundle.models,
        "taste": taste(known.telling, bundle.models, now=now, interest=shop.settings.interest),
        "now": now,
    }


def _page(requests: list[dict[str, Any]], *, distinct: bool) -> list[dict[str, Any]]:
    """All lists from one bundle; with `distinct` each leaves out what the lists before it show."""
    shop = services()
    bundle = shop.overlay.bundle()
    answers: list[dict[str, Any]] = []
    customers: dict[tuple[str | None, str | None], Known] = {}
    for place, loaded in enumerate(requests):
        asked = _placed(loaded, shop.settings, place)
        who = asked.customer_id, asked.session_id
        known = customers[who] = customers.get(who) or visitor(shop.store, *who)
        shown = [item_id for answer in answers for item_id in _shown(answer)] if distinct else []
        answers.append(
            _answer(replace(asked, exclude=(*asked.exclude, *shown)), known, bundle, shop, metrics().recommended)
        )
    return answers


def _shown(answer: Mapping[str, Any]) -> Iterator[str]:
    """The ids of all that an answer shows: its list, and its rows where it has some."""
    for items in (answer["items"], *(row["items"] for row in answer.get("rows", ()))):
        yield from (item["item_id"] for item in items)


def _stream(shop: Services) -> Response:
    bundle = shop.overlay.bundle()  # one for all lines
    count, named = metrics().recommended, whose()

    def ask(document: Any) -> Request:
        return _asked(BODY.load(without_nulls(document)), shop.settings, named)

    def answer(asked: Request, known: Known) -> dict[str, Any]:
        return _answer(asked, known, bundle, shop, count)

    return Response(answer_lines(spooled(), ask=ask, answer=answer, store=shop.store), content_type=NDJSON)


def _placed(loaded: dict[str, Any], settings: Settings, place: int) -> Request:
    try:
        return _asked(loaded, settings, whose())
    except ValidationError as error:
        raise ValidationError({"requests": {place: error.messages}}) from error


def _asked(loaded: Mapping[str, Any], settings: Settings, named: Whose) -> Request:
    """The request of a loaded document, with the defaults of its placement. A placement nobody set up is a label, unless others are."""
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in loaded.items()
    }
    values["customer_id"] = named(values.get("customer_id"), values.pop("customer_token", None))
    values.setdefault("lang", settings.shop.language if settings.shop.language in LANGUAGES else "en")
    values["boost"] = tuple(Boost(**boost) for boost in values.get("boost", ()))
    values["promotions"] = tuple(Promotion(**promotion) for promotion in values.get("promotions", ()))
    values["context"] = tuple(values.get("context", {}).items())
    placement = values.get("placement")
    if placement is not None and settings.placements and placement not in settings.placements:
        raise ValidationError({"placement": [f"Unknown; known here: {', '.join(settings.placements)}."]})
    _check_context(values["context"], settings)
    return Request(**values).at(settings.placements.get(placement) if placement else None)


def _check_context(context: Sequence[tuple[str, Any]], settings: Settings) -> None:
    """What conditions may read must be of the kind that the settings say."""
    wrong = {
        name: [f"Must be a {settings.context[name]}, as valet.toml says."]
        for name, value in context
        if name in settings.context and not is_a(settings.context[name], value)
    }
    if wrong:
        raise ValidationError({"context": wrong})


def _send(answered: Mapping[str, Any]) -> Response:
    return Response(orjson.dumps(answered), content_type="application/json")
