"""/recommend, /recommend/batch and /rank: load → recommend → dump. A request takes one bundle, reads its customer once, and writes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from flask import Response, request
from flask_smorest import Blueprint
from marshmallow import ValidationError

from service.http.access import whose
from service.http.answers import document
from service.http.asking import by_document, by_query, checked
from service.http.batch import NO_ROOM, answer_lines, spooled
from service.http.bodies import json_body, without_nulls
from service.http.documents import send
from service.http.lists import answer_all, answer_one, recommended, taste_of
from service.http.metrics import metrics
from service.http.schemas import AnswerSchema, PageBody, PageSchema, RankBody, RecommendBody, RecommendQuery
from service.http.services import services
from service.lists.recommend import Answer, rank
from service.lists.request import Request
from service.people.customers import Known, visitor
from service.services import Services

blueprint = Blueprint("recommend", __name__, description="Lists of products")

NDJSON = "application/x-ndjson"
PAGE, RANK = PageBody(), RankBody()


def _answers(schema: type) -> dict[str, Any]:
    return {"200": {"description": "The list", "content": {"application/json": {"schema": schema}}}}


def _takes(schema: type) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


@blueprint.route("/recommend", methods=["GET"])
@blueprint.doc(parameters=[{"in": "query", "schema": RecommendQuery}], responses=_answers(AnswerSchema))
def recommend_by_query() -> Response:
    """One list, asked for in a query."""
    shop = services()
    return send(recommended(by_query(shop), shop, metrics().recommended))


@blueprint.route("/recommend", methods=["POST"])
@blueprint.doc(requestBody=_takes(RecommendBody), responses=_answers(AnswerSchema))
def recommend_by_body() -> Response:
    """One list, asked for in a document: with filters, boosts and a cart."""
    shop = services()
    return send(recommended(by_document(json_body(), shop.settings, whose()), shop, metrics().recommended))


@blueprint.route("/recommend/batch", methods=["POST"])
@blueprint.doc(requestBody=_takes(PageBody), responses=_answers(PageSchema) | NO_ROOM)
def recommend_batch() -> Response:
    """The lists of one page (JSON), or one request a line for many customers (NDJSON, answered line by line)."""
    if request.mimetype == NDJSON:
        return _stream(services())
    page = PAGE.load(without_nulls(json_body()))
    return send(
        {"results": _page([without_nulls(part) for part in page["requests"]], distinct=page.get("distinct", False))}
    )


@blueprint.route("/rank", methods=["POST"])
@blueprint.doc(requestBody=_takes(RankBody), responses=_answers(AnswerSchema))
def rank_items() -> Response:
    """The items given, best first for this customer; none is left out."""
    shop = services()
    asked = checked(RANK.load(without_nulls(json_body())), shop.settings, whose())._replace(intent="for_you")
    known = visitor(shop.store, asked.customer_id, asked.session_id)
    bundle = shop.overlay.bundle()
    now = shop.clock()
    answer = (
        Answer("for_you")
        if bundle is None
        else rank(asked, models=bundle.models, taste=taste_of(known, bundle, shop, now), now=now)
    )
    return send(document(answer, asked, bundle=bundle, secret=shop.secret, degraded=known.degraded, now=now))


def _page(requests: list[dict[str, Any]], *, distinct: bool) -> list[dict[str, Any]]:
    """All lists from one bundle; with `distinct` each leaves out what the lists before it show."""
    shop = services()
    bundle = shop.overlay.bundle()
    answers: list[dict[str, Any]] = []
    customers: dict[tuple[str | None, str | None], Known] = {}
    shown: list[str] = []
    for place, loaded in enumerate(requests):
        asked = _placed(loaded, shop, place)
        who = asked.customer_id, asked.session_id
        known = customers[who] = customers.get(who) or visitor(shop.store, *who)
        asked = asked._replace(exclude=(*asked.exclude, *shown)) if distinct else asked
        answered, answer = answer_one(asked, known, bundle, shop, metrics().recommended)
        answers.append(answered)
        shown += [pick.item_id for picks in (answer.picks, *(row for _, row in answer.anchored)) for pick in picks]
    return answers


def _placed(loaded: dict[str, Any], shop: Services, place: int) -> Request:
    try:
        return checked(loaded, shop.settings, whose())
    except ValidationError as error:
        raise ValidationError({"requests": {place: error.messages}}) from error


def _stream(shop: Services) -> Response:
    bundle = shop.overlay.bundle()  # one for all lines
    count, ask = metrics().recommended, partial(by_document, settings=shop.settings, named=whose())

    def answers(asked: Sequence[tuple[Request, Known]]) -> Iterator[Mapping[str, Any]]:
        return answer_all(asked, bundle, shop, count)

    return Response(answer_lines(spooled(), ask=ask, answers=answers, store=shop.store), content_type=NDJSON)
