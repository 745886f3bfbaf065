"""/recommend, /recommend/batch and /rank: load → recommend → dump. A request takes one bundle, reads its customer once, and writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import repeat
from typing import Any

import orjson
from flask import Response, request
from flask_smorest import Blueprint
from marshmallow import ValidationError

from models.bundle import Bundle
from service.http.access import whose
from service.http.answers import Listed, Ready, document, listed, with_links
from service.http.asking import by_document, by_query, checked
from service.http.batch import answer_lines, spooled
from service.http.bodies import json_body, without_nulls
from service.http.metrics import metrics
from service.http.schemas import AnswerSchema, PageBody, PageSchema, RankBody, RecommendBody, RecommendQuery
from service.http.services import services
from service.lists.block import folded_in
from service.lists.recommend import Answer, rank, recommend
from service.lists.remembered import everybodys
from service.lists.request import Request
from service.lists.segment import said
from service.lists.selection import NOTHING, Wishes
from service.lists.sends import as_of
from service.lists.taste import Taste, taste
from service.people.customers import Known, key, visitor
from service.services import Services

blueprint = Blueprint("recommend", __name__, description="Lists of products")

NDJSON = "application/x-ndjson"
Count = Callable[[Mapping[str, Any], Mapping[str, str]], None]
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
    return _send(_recommended(by_query(shop), shop))


@blueprint.route("/recommend", methods=["POST"])
@blueprint.doc(requestBody=_takes(RecommendBody), responses=_answers(AnswerSchema))
def recommend_by_body() -> Response:
    """One list, asked for in a document: with filters, boosts and a cart."""
    shop = services()
    return _send(_recommended(by_document(json_body(), shop.settings, whose()), shop))


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
    asked = replace(checked(RANK.load(without_nulls(json_body())), shop.settings, whose()), intent="for_you")
    known = visitor(shop.store, asked.customer_id, asked.session_id)
    bundle = shop.overlay.bundle()
    now = shop.clock()
    answer = (
        Answer("for_you")
        if bundle is None
        else rank(asked, models=bundle.models, taste=_taste(known, bundle, shop, now), now=now)
    )
    return _send(document(answer, asked, bundle=bundle, secret=shop.secret, degraded=known.degraded, now=now))


def _recommended(asked: Request, shop: Services) -> dict[str, Any]:
    known = visitor(shop.store, asked.customer_id, asked.session_id)
    return _answer(asked, known, shop.overlay.bundle(), shop, metrics().recommended)[0]


def _answer(
    asked: Request, known: Known, bundle: Bundle | None, shop: Services, count: Count
) -> tuple[dict[str, Any], Answer]:
    """The answer as it is sent, and as the models gave it."""
    known, now = _moment(asked, known, shop)
    return _answer_at(now, asked, known, bundle, shop, count)


def _lists(
    asked: Sequence[tuple[Request, Known]], bundle: Bundle | None, shop: Services, count: Count
) -> Iterator[dict[str, Any]]:
    """As `_answer` sends each; the customers are folded in together."""
    moments = [(one, *_moment(one, known, shop)) for one, known in asked]
    tastes: Iterator[Taste | None] = repeat(None)
    if bundle is not None:
        tastes = folded_in([_taste(known, bundle, shop, now) for _, known, now in moments], bundle.models)
    for (one, known, now), own in zip(moments, tastes, strict=False):
        yield _answer_at(now, one, known, bundle, shop, count, own)[0]


def _answer_at(
    now: int,
    asked: Request,
    known: Known,
    bundle: Bundle | None,
    shop: Services,
    count: Count,
    own: Taste | None = None,
) -> tuple[dict[str, Any], Answer]:
    found: Listed | Ready
    if segment := said(asked.context, known.attributes):
        asked = replace(asked, segment=segment)
    if bundle is None:
        found, rules = listed(Answer(asked.intent or "popular"), asked, bundle=None, secret=shop.secret), NOTHING.rules
    else:
        wishes = shop.rulebook.wishes(asked, known=known, models=bundle.models, now=now)
        make = partial(_made, asked, known, bundle, shop, now, wishes, own)
        found, rules = shop.remembered.answer(asked, make, models=bundle.models, wishes=wishes), wishes.rules
        shop.shown.show(found.answer, bundle.version, now=now if asked.send_id is None else shop.clock())
    answered = found.document(degraded=known.degraded, now=now, secret=shop.secret)
    if asked.send_id is not None:
        with_links(answered, shop.secret)
    count(answered, rules)
    return answered, found.answer


def _made(
    asked: Request, known: Known, bundle: Bundle, shop: Services, now: int, wishes: Wishes, own: Taste | None
) -> Listed | Ready:
    own = own or _taste(known, bundle, shop, now)
    answer = recommend(asked, models=bundle.models, taste=own, now=now, wishes=wishes)
    made = listed(answer, asked, bundle=bundle, secret=shop.secret)
    return Ready(made) if everybodys(asked) else made


def _moment(asked: Request, known: Known, shop: Services) -> tuple[Known, int]:
    """What is known and the time: now, or when the send began that this request is part of."""
    now = shop.clock()
    send = shop.sends.begun(asked.send_id, now=now) if asked.send_id is not None else None
    if send is None or shop.store is None:
        return known, now
    who = key(asked.customer_id, asked.session_id)
    return (known if who is None else as_of(known, send, store=shop.store, customer_id=who)), send.at


def _taste(known: Known, bundle: Bundle, shop: Services, now: int) -> Taste:
    return taste(known.telling, bundle.models, now=now, interest=shop.settings.interest)


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
        asked = replace(asked, exclude=(*asked.exclude, *shown)) if distinct else asked
        answered, answer = _answer(asked, known, bundle, shop, metrics().recommended)
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
    count, named = metrics().recommended, whose()

    def ask(document: Any) -> Request:
        return by_document(document, shop.settings, named)

    def answers(asked: Sequence[tuple[Request, Known]]) -> Iterator[dict[str, Any]]:
        return _lists(asked, bundle, shop, count)

    return Response(answer_lines(spooled(), ask=ask, answers=answers, store=shop.store), content_type=NDJSON)


def _send(answered: Mapping[str, Any]) -> Response:
    return Response(orjson.dumps(answered), content_type="application/json")
