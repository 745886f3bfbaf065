"""What was asked of /recommend and /rank: documents and queries as requests, checked, with the defaults of their placement."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import orjson
from flask import request
from marshmallow import Schema, ValidationError

from models.rules import is_a
from models.settings import Settings
from service.customer_tokens import LONGEST as MOST_TOKEN
from service.http.access import Whose, whose
from service.http.bodies import loading, query, without_nulls
from service.http.schemas import MOST_ID, RecommendBody, RecommendQuery
from service.lists.reasons import LANGUAGES
from service.lists.request import Boost, N, Promotion, Request
from service.services import Services

NAMES = {"customer_id": MOST_ID, "session_id": MOST_ID, "customer_token": MOST_TOKEN}  # and how long they may be
LONGEST = 1_000  # bytes of what may be asked again
Load = Callable[[Any], dict[str, Any]]


def _but_for_whom(load: Load) -> Load:
    """Loads as `load`. Shops ask the same again and again, for others: what differs from what was asked before by its customer or visit
    alone is not looked at anew.
    """
    known = lru_cache(maxsize=256)(lambda rest: load(orjson.loads(rest)))

    def read(document: Any) -> dict[str, Any]:
        whose = _named(document)
        try:
            rest = orjson.dumps({**document, **dict.fromkeys(whose)}) if whose else b""
        except orjson.JSONEncodeError:  # it reads more than it writes: nested deeper than anything that is taken
            return load(document)
        return {**known(rest), **whose} if whose and len(rest) <= LONGEST else load(document)

    return read


def _named(document: Any) -> dict[str, str]:
    """Whom it names in a way that nothing can be wrong with."""
    if not isinstance(document, dict):
        return {}
    given = {name: document[name] for name in NAMES if document.get(name) is not None}
    plain = all(isinstance(text, str) and NAMES[name] >= len(text) > 0 for name, text in given.items())
    return given if plain else {}


def _loading(kind: type[Schema]) -> Load:
    load = loading(kind)
    return lambda document: load(without_nulls(document))


SCHEMA = RecommendQuery()
QUERY, BODY = _but_for_whom(_loading(RecommendQuery)), _but_for_whom(_loading(RecommendBody))


def by_query(shop: Services) -> Request:
    """The request of this query string. Raises ValidationError."""

    def load() -> Request:
        return checked(QUERY(query(SCHEMA)), shop.settings, whose())

    return shop.remembered.read(request.query_string, load)


def by_document(document: Any, settings: Settings, named: Whose) -> Request:
    """The request of a JSON document. Raises ValidationError."""
    return checked(BODY(document), settings, named)


def checked(loaded: Mapping[str, Any], settings: Settings, named: Whose) -> Request:
    """The request of a loaded document. A placement nobody set up is a label, unless others are. Raises ValidationError."""
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in loaded.items()
    }
    if named.page and "send_id" in values:
        raise ValidationError(
            {"send_id": ["Pages name none: the shop's mailing would begin when a page first named it."]}
        )
    values["customer_id"] = named(values.get("customer_id"), values.pop("customer_token", None))
    values.setdefault("lang", settings.shop.language if settings.shop.language in LANGUAGES else "en")
    values["boost"] = tuple(Boost(**boost) for boost in values.get("boost", ()))
    values["promotions"] = tuple(Promotion(**promotion) for promotion in values.get("promotions", ()))
    values["context"] = tuple(values.get("context", {}).items())
    placement = values.get("placement")
    if placement is None:
        values.setdefault("n", N)
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
