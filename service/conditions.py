"""What the conditions of actions read of a situation, and whether they hold. A value is looked up when the first condition asks for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from math import isnan
from typing import TYPE_CHECKING, Literal

from models import quick_rules
from models.action_rules import WEEKDAYS
from models.profile import money
from models.rules import UNKNOWN, Kind, Rule, RuleFailedError, Value, context, is_a, kind_of

if TYPE_CHECKING:
    from service.funnel import Situation

Said = Literal["holds", "fails", "RULE_ERROR"]
NO_VALUE: Mapping[Kind, Value] = {"text": "", "number": UNKNOWN, "flag": False}


class Values(dict[str, Value]):
    """The values of a situation by name; what is not known is "", or an unknown number. A flag that is not known is false."""

    def __init__(self, at: Situation) -> None:
        super().__init__()
        self._at = at

    def __missing__(self, name: str) -> Value:
        room, _, key = name.partition(".")
        value = self[name] = READERS[room](self._at, key)
        return value


class Conditions:
    """The conditions of one decision: each is asked by CEL only where it is more than plain comparisons (models.quick_rules)."""

    def __init__(self, at: Situation) -> None:
        self._values = Values(at)

    def ask(self, rule: Rule) -> Said:
        """Whether it holds on what is known. Where a number that it reads is unknown, it fails; RULE_ERROR where CEL cannot say."""
        if rule.quick is not None:
            return "holds" if quick_rules.holds(rule.quick, self._values) else "fails"
        held = {name: self._values[name] for name in rule.names}
        try:
            return "holds" if rule.holds(context(held)) else "fails"
        except RuleFailedError:
            return "fails" if any(isnan(value) for value in held.values() if isinstance(value, float)) else "RULE_ERROR"


def _customer(at: Situation, key: str) -> Value:
    if key == "tier":
        return next((name for name in at.picture.tiers if name != "none"), "")
    if key == "lifecycle":
        return at.picture.lifecycle or ""
    return at.picture.numbers.get(key, UNKNOWN)


def _cart(at: Situation, key: str) -> Value:
    cart = at.profile.cart if at.profiled and not at.blind else None
    if cart is None:
        return UNKNOWN
    return float(len(cart)) if key == "items" else money(sum(line.amount for line in cart.values()))


def _time(at: Situation, key: str) -> Value:
    local = datetime.fromtimestamp(at.now, at.zone)
    if key == "hour":
        return float(local.hour)
    return WEEKDAYS[local.weekday()] if key == "weekday" else local.date().isoformat()


def _request(at: Situation, key: str) -> Value:
    return at.channel if key == "channel" else at.placement or ""


def _attribute(at: Situation, key: str) -> Value:
    told = at.facts["attributes"] if at.profiled and not at.blind else {}
    return _as(kind_of(at.actions.known[f"attributes.{key}"]), told.get(key))


def _context(at: Situation, key: str) -> Value:
    return _as(kind_of(at.actions.known[f"context.{key}"]), at.context.get(key))


def _as(kind: Kind, value: object) -> Value:
    """What was said, where it is of the declared kind."""
    if not is_a(kind, value):
        return NO_VALUE[kind]
    return float(value) if kind == "number" else value  # type: ignore[arg-type, return-value]


READERS: Mapping[str, Callable[[Situation, str], Value]] = {
    "customer": _customer,
    "cart": _cart,
    "attributes": _attribute,
    "context": _context,
    "request": _request,
    "time": _time,
}
