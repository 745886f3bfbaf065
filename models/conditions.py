"""Conditions of tiers: CEL over what a customer has within the window (models.rules), parsed once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from models.rules import Name, Rule, RuleFailedError, context
from models.toml import Place

NAMES: Mapping[str, Name] = {"spend": "number", "orders": "number", "points": "number"}


def parse(source: str, place: Place) -> Rule:
    """The condition in a text. Raises InputError at `place` for what does not parse or names something else than NAMES."""
    return Rule.parse(source, NAMES, place)


def holds(source: str, *, spend: float, orders: float, points: float) -> bool:
    """Whether it holds; False where CEL cannot say."""
    try:
        return _parsed(source).holds(context({"spend": spend, "orders": orders, "points": points}))
    except RuleFailedError:
        return False


@lru_cache(maxsize=256)
def _parsed(source: str) -> Rule:
    return parse(source, Place("tiers", source))
