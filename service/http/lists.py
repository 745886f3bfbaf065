"""Lists as they are answered: what is asked and known → asked of the models → the list → its document.

Everybody's are remembered. Personal ones that are asked for at the same time, by threads or in the lines of one call, are made side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import Any

from models.bundle import Bundle
from models.profile import EMPTY
from service.http.answers import Listed, Ready, listed, with_links
from service.lists.block import Ask, recommend_all
from service.lists.recommend import Answer, recommend
from service.lists.remembered import everybodys
from service.lists.request import Request
from service.lists.segment import said
from service.lists.sends import as_of
from service.lists.taste import NONE, Taste, taste, tastes
from service.people.customers import NOBODY, Known, key, visitors
from service.services import Services

Count = Callable[[Mapping[str, Any], Mapping[str, str]], None]  # of each document, with the rules that were asked


def recommended(asked: Request, shop: Services, count: Count) -> Mapping[str, Any]:
    """One list."""
    if everybodys(asked):
        return answer_one(asked, NOBODY, shop.overlay.bundle(), shop, count)[0]
    return shop.lists.make(asked, partial(_side_by_side, shop=shop, count=count))


def _side_by_side(several: Sequence[Request], shop: Services, count: Count) -> Iterator[Mapping[str, Any]]:
    """What was asked at the same time: customers are read in one round trip, and all answered from one bundle."""
    known = visitors(shop.store, [(one.customer_id, one.session_id) for one in several])
    return answer_all(list(zip(several, known, strict=True)), shop.overlay.bundle(), shop, count)


def answer_all(
    asked: Sequence[tuple[Request, Known]], bundle: Bundle | None, shop: Services, count: Count
) -> Iterator[Mapping[str, Any]]:
    """Lists for customers, in their order, all from one bundle."""
    for lone, part in groupby(asked, key=lambda one: bundle is None or everybodys(one[0])):
        if bundle is None or lone:
            yield from (answer_one(*one, bundle, shop, count)[0] for one in part)
        else:
            yield from _mailing(list(part), bundle, shop, count)


def answer_one(
    asked: Request, known: Known, bundle: Bundle | None, shop: Services, count: Count
) -> tuple[dict[str, Any], Answer]:
    """The answer as it is sent, and as the models gave it."""
    known, now = _moment(asked, known, shop)
    if bundle is None:
        found: Listed | Ready = listed(Answer(asked.intent or "popular"), asked, bundle=None, secret=shop.secret)
        answered = found.document(degraded=known.degraded, now=now, secret=shop.secret)
        count(answered, {})
        return answered, found.answer
    ask = _ask(asked, known, now, bundle, shop, taste_of(known, bundle, shop, now))
    found = shop.remembered.answer(
        ask.request, partial(_made, ask, bundle, shop), models=bundle.models, wishes=ask.wishes
    )
    return _sent(found, ask, known, bundle, shop, count), found.answer


def _mailing(
    asked: Sequence[tuple[Request, Known]], bundle: Bundle, shop: Services, count: Count
) -> Iterator[dict[str, Any]]:
    """As `answer_one` sends each; what is asked alike for several customers is answered side by side."""
    moments = [(one, *_moment(one, known, shop)) for one, known in asked]
    told, interest = [(known.telling, now) for _, known, now in moments], shop.settings.interest
    own = iter(tastes(told, bundle.models, interest=interest))
    asks = [_ask(one, known, now, bundle, shop, next(own)) for one, known, now in moments]
    answers = recommend_all(asks, models=bundle.models)
    for ask, (_, known, _), answer in zip(asks, moments, answers, strict=True):
        shop.remembered.made()
        yield _sent(listed(answer, ask.request, bundle=bundle, secret=shop.secret), ask, known, bundle, shop, count)


def _ask(asked: Request, known: Known, now: int, bundle: Bundle, shop: Services, own: Taste) -> Ask:
    """What is asked of the models."""
    if segment := said(asked.context, known.attributes):
        asked = asked._replace(segment=segment)
    wishes = shop.rulebook.wishes(asked, known=known, models=bundle.models, now=now)
    return Ask(asked, own, wishes, now)


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


def taste_of(known: Known, bundle: Bundle, shop: Services, now: int) -> Taste:
    """What this bundle understands of a customer; nothing where she refused to be profiled."""
    if known.profile is EMPTY:
        return NONE
    return taste(known.telling, bundle.models, now=now, interest=shop.settings.interest)
