"""Answers of /recommend and /rank as JSON: prepared item bodies go out as they lie in the bundle."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson

from models.bundle import Bundle
from models.catalogue import Catalogue
from service.lists.links import path
from service.lists.picks import Pick
from service.lists.recommend import Answer
from service.lists.request import Request
from service.lists.timing import Due
from service.lists.tokens import Token, sign
from service.signing import token

DIGITS = 6


@dataclass(frozen=True)
class Listed:
    """An answer, and all of its document that time and store do not change.

    token  of its recommendation_id, of no time yet
    """

    answer: Answer
    token: Token
    lasting: Mapping[str, Any]

    def document(self, *, degraded: bool, now: int, secret: bytes) -> dict[str, Any]:
        """The contract's answer, ready for orjson, as of `now`."""
        return {
            "recommendation_id": sign(self.token, secret, at=now),
            **self.lasting,
            "degraded": degraded or not self.token.model_version,
            "generated_at": _time(now),
        }


class Ready:
    """A list that is sent again and again: its items are bytes, and within one second all of it is the same."""

    def __init__(self, listed: Listed) -> None:
        items = orjson.Fragment(orjson.dumps(listed.lasting["items"]))
        self.answer = listed.answer
        self._listed = replace(listed, lasting={**listed.lasting, "items": items})
        self._latest: tuple[object, dict[str, Any]] = (None, {})

    def document(self, *, degraded: bool, now: int, secret: bytes) -> dict[str, Any]:
        """As of any list; not to be changed."""
        moment, said = self._latest
        if moment != (degraded, now):
            said = self._listed.document(degraded=degraded, now=now, secret=secret)
            self._latest = ((degraded, now), said)
        return said


def listed(answer: Answer, request: Request, *, bundle: Bundle | None, secret: bytes) -> Listed:
    """The answer to this request, to be sent once or often."""
    catalogue = None if bundle is None else bundle.models.catalogue
    # "" where nothing is learnt yet, and the shop's items are all there is
    version = (bundle.version or None) if bundle else None
    lasting: dict[str, Any] = {
        "model_version": version,
        "placement": request.placement,
        "intent": answer.intent,
        "items": [] if catalogue is None else _items(answer.picks, request, catalogue),
        "fallback": answer.fallback,
        "degraded": None,
        "missing_ids": answer.missing_ids,
        "experiment": _experiment(request),
        "generated_at": None,
    }
    if answer.intent == "because_you":
        lasting["rows"] = [] if catalogue is None else _rows(answer, request, catalogue)
    if answer.trace is not None:
        lasting["debug"] = answer.trace.document()
    return Listed(answer, token(answer, request, model_version=version, secret=secret), lasting)


def document(
    answer: Answer, request: Request, *, bundle: Bundle | None, secret: bytes, degraded: bool, now: int
) -> dict[str, Any]:
    """The contract's answer to one request, ready for orjson, as of `now`."""
    made = listed(answer, request, bundle=bundle, secret=secret)
    return made.document(degraded=degraded, now=now, secret=secret)


def _items(picks: Iterable[Pick], request: Request, catalogue: Catalogue) -> list[dict[str, Any]]:
    items = []
    for rank, pick in enumerate(picks, start=1):
        reason = pick.reason
        item = {
            "item_id": pick.item_id,
            "rank": rank,
            "score": pick.score,
            "source": pick.source,
            "reason": {"code": reason.code, "because": reason.because, "text": reason.text} if reason else None,
            "item": _body(catalogue, pick.row, request),
        }
        if pick.due is not None:
            item["due"] = _due(pick.due)
        if pick.probability is not None:
            item["probability"] = pick.probability
        if request.explain != "none":
            item["explain"] = _explained(pick.shares, request.explain)
        items.append(item)
    return items


def _due(due: Due) -> dict[str, Any]:
    last_at, expected_at = _time(due.last_at), _time(due.expected_at)
    return {"state": due.state, "interval_days": due.interval_days, "last_at": last_at, "expected_at": expected_at}


def with_links(answered: Mapping[str, Any], secret: bytes) -> None:
    """Give each item of an e-mail its open-time link: to itself, else to the next of the list that is in stock."""
    items = answered["items"]
    ids = [item["item_id"] for item in items]
    for nth, item in enumerate(items):
        item["link"] = path([ids[nth], *ids[nth + 1 :], *ids[:nth]], answered["recommendation_id"], secret=secret)


def _rows(answer: Answer, request: Request, catalogue: Catalogue) -> list[dict[str, Any]]:
    return [
        {
            "anchor": {"item_id": catalogue.items.text(row), "item": _body(catalogue, row, request)},
            "items": _items(picks, request, catalogue),
        }
        for row, picks in answer.anchored
    ]


def _body(catalogue: Catalogue, row: int | None, request: Request) -> orjson.Fragment | dict[str, Any]:
    """The product fields: all of them as bytes, or those asked for; in Thai where the title has a Thai one."""
    if row is None:
        return {}
    if not request.fields and request.lang != "th":
        return orjson.Fragment(catalogue.json(row))
    body: dict[str, Any] = orjson.loads(catalogue.json(row))
    if request.lang == "th" and body.get("title_th"):
        body["title"] = body["title_th"]
    return {name: body[name] for name in request.fields if name in body} if request.fields else body


def _explained(shares: Mapping[str, float], explain: str) -> dict[str, float]:
    """The strongest source, or all of them, strongest first."""
    ordered = sorted(shares.items(), key=lambda share: (-share[1], share[0]))
    return {name: round(share, DIGITS) for name, share in (ordered[:1] if explain == "top" else ordered)}


def _experiment(request: Request) -> dict[str, str] | None:
    trial = request.trial
    return {"name": trial.experiment.name, "variant": trial.variant.name} if trial else None


@lru_cache(maxsize=256)
def _time(now: int) -> str:
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
