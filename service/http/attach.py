"""The products that go with a treatment: a list made for her, or one of what is hers already (models.actions.LISTS)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from models.actions import LISTS, Items
from models.bundle import Bundle
from models.catalogue import Catalogue
from models.profile import Profile
from models.vocabulary import MISSING
from service.decisions import news
from service.decisions.situation import Attach
from service.http.answers import document
from service.lists.picks import Pick
from service.lists.reasons import plain
from service.lists.recommend import Answer, recommend
from service.lists.request import Request
from service.lists.taste import taste
from service.people.customers import NOBODY
from service.services import Services


def attaching(bundle: Bundle, services: Services, *, lang: str, now: int) -> Attach:
    """What finds the products, in a language, as of `now`."""

    def attach(items: Items, profile: Profile, item_ids: Sequence[str]) -> list[Any]:
        if items.intent in LISTS:
            asked = Request(n=items.n, lang=lang)
            answer = _hers(items, profile, bundle.models.catalogue, lang=lang, now=now)
        else:
            asked = Request(intent=items.intent, item_ids=tuple(item_ids), n=items.n, lang=lang).at(None)
            answer = _made(asked, profile, bundle, services, now)
        answered = document(answer, asked, bundle=bundle, secret=services.secret, degraded=False, now=now)
        listed: list[Any] = answered["items"]
        return listed

    return attach


def _made(asked: Request, profile: Profile, bundle: Bundle, services: Services, now: int) -> Answer:
    own = taste(profile, bundle.models, now=now, interest=services.settings.interest)
    known = replace(NOBODY, profile=profile)
    wishes = services.rulebook.wishes(asked, known=known, models=bundle.models, now=now)
    return recommend(asked, models=bundle.models, taste=own, now=now, wishes=wishes)


def _hers(items: Items, profile: Profile, catalogue: Catalogue, *, lang: str, now: int) -> Answer:
    """What of a list of hers the catalogue knows, in the order of the list."""
    ids = news.listed(items.intent, profile, catalogue, now=now)
    rows = catalogue.items.rows(ids).tolist()
    known = [(row, item_id) for row, item_id in zip(rows, ids, strict=True) if row != MISSING][: items.n]
    why = plain(items.intent, lang)
    return Answer(items.intent, tuple(Pick(row, item_id, 1.0, items.intent, why, {}) for row, item_id in known))
