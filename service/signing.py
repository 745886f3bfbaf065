"""Signing: the key of tokens and links, and what the recommendation_id of an answer says."""

from __future__ import annotations

import secrets
from dataclasses import replace
from itertools import chain

from models.errors import StoreUnavailable
from service.lists.recommend import Answer
from service.lists.request import Request, Trial
from service.lists.selection import EXPLORED
from service.lists.tokens import Token, digest, mark, sign, unit_digest
from service.store import Store


def signing_key(store: Store | None) -> bytes:
    """The key that the store keeps for all workers and machines; one of this process alone while there is no store to ask."""
    fresh = secrets.token_bytes(32)
    if store is None:
        return fresh
    try:
        store.put("secret", "tokens", fresh)
        return store.get("secret", "tokens") or fresh
    except StoreUnavailable:
        return fresh


def recommendation_id(answer: Answer, request: Request, *, model_version: str | None, at: int, secret: bytes) -> str:
    """The signed token that says where and from what a list came."""
    return sign(token(answer, request, model_version=model_version, secret=secret), secret, at=at)


def token(answer: Answer, request: Request, *, model_version: str | None, secret: bytes) -> Token:
    """What the recommendation_id says of where and from what a list came; of no time yet, `at` is 0."""
    shown = [pick.item_id for pick in answer.picks]
    told = Token(
        placement=request.placement,
        variant=None,
        model_version=model_version,
        at=0,
        explored=_explored(answer),
        request=digest((request.customer_id, request.session_id, request.item_ids, shown), secret),
    )
    return _tried(told, request.trial, secret)


def _explored(answer: Answer) -> tuple[tuple[float, str], ...]:
    """What was explored in the list and its rows, by the chance of it."""
    marks: dict[float, str] = {}
    for pick in chain(answer.picks, *(row for _, row in answer.anchored)):
        if pick.source == EXPLORED and pick.probability is not None:
            marks[pick.probability] = marks.get(pick.probability, "") + mark(pick.item_id)
    return tuple(marks.items())


def _tried(token: Token, trial: Trial | None, secret: bytes) -> Token:
    """The token with the experiment that the list stands in."""
    if trial is None:
        return token
    unit = unit_digest(trial.experiment.name, trial.unit, secret)
    return replace(token, variant=trial.variant.name, experiment=trial.experiment.name, unit=unit)
