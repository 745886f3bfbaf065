"""What the conditions of actions read of a situation, and whether they hold. A value is looked up when the first condition asks for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from math import isnan
from typing import TYPE_CHECKING, Any

from models.action_catalogue import Set
from models.action_rules import WEEKDAYS
from models.clauses import call
from models.profile import money
from models.rules import UNKNOWN, Kind, Rule, RuleFailedError, Value, context, is_a, kind_of

if TYPE_CHECKING:
    from service.decisions.situation import Situation

NO_VALUE: Mapping[Kind, Value] = {"text": "", "number": UNKNOWN, "flag": False}


class Values(dict[str, Value]):
    """The values of a situation by name; what is not known is "", or an unknown number. A flag that is not known is false."""

    def __init__(self, at: Situation) -> None:
        super().__init__()
        self._at = at

    def __missing__(self, name: str) -> Value:
        if name[-1] == ")":
            function, arguments = call(name)
            value: Value = self._at.windows[function](*arguments)
        else:
            room, _, key = name.partition(".")
            value = READERS[room](self._at, key)
        self[name] = value
        return value


class Conditions:
    """The conditions of one decision: plain ones are asked all at once (models.sieve), CEL only for what is more.

    Whom a stage drops, no later one may ask for again.
    """

    def __init__(self, at: Situation) -> None:
        self._at = at
        self._values = Values(at)
        self._failed: dict[str, Set] = {}  # by stage; found for all of them when the first is asked
        self._ground: Any = None  # what CEL reads

    def ruled_out(self, stage: str, alive: Set) -> tuple[Set, Set]:
        """(whose condition of this stage does not hold, whose cannot be decided) of those who are still there.

        Where a number that it reads is unknown, a condition does not hold.
        """
        index, wrong = self._at.actions.index, 0
        if not self._failed:
            self._failed = index.failing(alive, self._values)
        failed = self._failed[stage] & alive
        left = alive & ~failed
        rules = {number: rule for number, rule in index.by_cel[stage].items() if left >> number & 1}
        if not rules:
            return failed, wrong
        if self._ground is None:  # made once: it costs as much as twenty conditions
            self._ground = context({name: self._values[name] for name in index.read_by_cel}, self._at.windows)
        for number, rule in rules.items():
            try:
                failed |= (not rule.holds(self._ground)) << number
            except RuleFailedError:
                unsure = self._unsure(rule)
                failed, wrong = failed | unsure << number, wrong | (not unsure) << number
        return failed, wrong

    def _unsure(self, rule: Rule) -> bool:
        """Whether it may fail because a number is unknown; what happened of late may always be."""
        numbers = (self._values[name] for name in rule.names)
        return bool(rule.functions) or any(isinstance(value, float) and isnan(value) for value in numbers)


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
