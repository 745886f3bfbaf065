"""/recommend, /recommend/batch and /rank: load → recommend → dump. A request takes one bundle, reads its customer once, and writes nothing.

Personal lists that are asked for at the same time, by threads or in the lines of one call, are made side by side (service.lists.block).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby
from typing import Any

import orjson
from flask import Response, request
from flask_smorest import Blueprint
from marshmallow import ValidationError

from models.bundle import Bundle
from models.profile import EMPTY
from service.http.access import whose
from service.http.answers import Listed, Ready, document, listed, with_links
from service.http.asking import by_document, by_query, checked
from service.http.batch import answer_lines, spooled
from service.http.bodies import json_body, without_nulls
from service.http.metrics import metrics
from service.http.schemas import AnswerSchema, PageBody, PageSchema, RankBody, RecommendBody, RecommendQuery
from service.http.services import services
from service.lists.block import Ask, recommend_all
from service.lists.recommend import Answer, rank, recommend
from service.lists.remembered import everybodys
from service.lists.request import Request
from service.lists.segment import said
from service.lists.sends import as_of
from service.lists.taste import NONE, Taste, taste
from service.people.customers import NOBODY, Known, key, visitor, visitors
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


def _recommended(asked: Request, shop: Services) -> Mapping[str, Any]:
    count = metrics().recommended
    if everybodys(asked):
        return _answer(asked, NOBODY, shop.overlay.bundle(), shop, count)[0]
    return shop.lists.make(asked, partial(_side_by_side, shop=shop, count=count))


def _side_by_side(several: Sequence[Request], shop: Services, count: Count) -> Iterator[Mapping[str, Any]]:
    """What was asked at the same time: customers are read in one round trip, and all answered from one bundle."""
    known = visitors(shop.store, [(one.customer_id, one.session_id) for one in several])
    return _answered(list(zip(several, known, strict=True)), shop.overlay.bundle(), shop, count)


def _answered(
    asked: Sequence[tuple[Request, Known]], bundle: Bundle | None, shop: Services, count: Count
) -> Iterator[Mapping[str, Any]]:
    for lone, part in groupby(asked, key=lambda one: bundle is None or everybodys(one[0])):
        if bundle is None or lone:
            yield from (_answer(*one, bundle, shop, count)[0] for one in part)
        else:
            yield from _mailing(list(part), bundle, shop, count)


def _answer(
    asked: Request, known: Known, bundle: Bundle | None, shop: Services, count: Count
) -> tuple[dict[str, Any], Answer]:
    """The answer as it is sent, and as the models gave it."""
    known, now = _moment(asked, known, shop)
    if bundle is None:
        found: Listed | Ready = listed(Answer(asked.intent or "popular"), asked, bundle=None, secret=shop.secret)
        answered = found.document(degraded=known.degraded, now=now, secret=shop.secret)
        count(answered, {})
        return answered, found.answer
    ask = _ask(asked, known, now, bundle, shop)
    found = shop.remembered.answer(
        ask.request, partial(_made, ask, bundle, shop), models=bundle.models, wishes=ask.wishes
    )
    return _sent(found, ask, known, bundle, shop, count), found.answer


def _mailing(
    asked: Sequence[tuple[Request, Known]], bundle: Bundle, shop: Services, count: Count
) -> Iterator[dict[str, Any]]:
    """As `_answer` sends each; what is asked alike for several customers is answered side by side."""
    moments = [(one, *_moment(one, known, shop)) for one, known in asked]
    asks = [_ask(one, known, now, bundle, shop) for one, known, now in moments]
    answers = recommend_all(asks, models=bundle.models)
    for ask, (_, known, _), answer in zip(asks, moments, answers, strict=True):
        shop.remembered.made()
        yield _sent(listed(answer, ask.request, bundle=bundle, secret=shop.secret), ask, known, bundle, shop, count)


def _ask(asked: Request, known: Known, now: int, bundle: Bundle, shop: Services) -> Ask:
    """What is asked of the models."""
    if segment := said(asked.context, known.attributes):
        asked = replace(asked, segment=segment)
    wishes = shop.rulebook.wishes(asked, known=known, models=bundle.models, now=now)
    return Ask(asked, _taste(known, bundle, shop, now), wishes, now)


def _made(ask: Ask, bundle: Bundle, shop: Services) -> Listed | Ready:
    request, taste, wishes, now = ask
    answer = recommend(request, models=bundle.models, taste=taste, now=now, wishes=wishes)
    made = listed(answer, request, bundle=bundle, secret=shop.secret)
    return Ready(made) if everybodys(request) else made


def _sent(
    found: Listed | Ready, ask: Ask, known: Known, bundle: Bundle, shop: Services, count: Count
) -> dict[str, Any]:
    request, now = ask.request, ask.now
    shop.shown.show(found.answer, bundle.version, now=now if request.send_id is None else shop.clock())
    answered = found.document(degraded=known.degraded, now=now, secret=shop.secret)
    if request.send_id is not None:
        with_links(answered, shop.secret)
    count(answered, ask.wishes.rules)
    return answered


def _moment(asked: Request, known: Known, shop: Services) -> tuple[Known, int]:
    """What is known and the time: now, or when the send began that this request is part of."""
    now = shop.clock()
    send = shop.sends.begun(asked.send_id, now=now) if asked.send_id is not None else None
    if send is None or shop.store is None:
        return known, now
    who = key(asked.customer_id, asked.session_id)
    return (known if who is None else as_of(known, send, store=shop.store, customer_id=who)), send.at


def _taste(known: Known, bundle: Bundle, shop: Services, now: int) -> Taste:
    if known.profile is EMPTY:
        return NONE
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
    count, ask = metrics().recommended, partial(by_document, settings=shop.settings, named=whose())

    def answers(asked: Sequence[tuple[Request, Known]]) -> Iterator[Mapping[str, Any]]:
        return _answered(asked, bundle, shop, count)

    return Response(answer_lines(spooled(), ask=ask, answers=answers, store=shop.store), content_type=NDJSON)


def _send(answered: Mapping[str, Any]) -> Response:
    return Response(orjson.dumps(answered), content_type="application/json")
