"""What the conditions of actions read of a situation, and whether they hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isnan
from typing import TYPE_CHECKING, Any

from models.action_catalogue import Set
from models.action_rules import WEEKDAYS
from models.profile import money
from models.rules import UNKNOWN, Kind, Rule, RuleFailedError, Value, context, is_a

if TYPE_CHECKING:
    from service.decisions.situation import Situation

NO_VALUE: Mapping[Kind, Value] = {"text": "", "number": UNKNOWN, "flag": False}


def values(at: Situation) -> dict[str, Value]:
    """What the catalogue's conditions read, by name; what is not known is "", or an unknown number. A flag that is not known is false."""
    reads, numbers, windows = at.actions.index.reads, at.picture.numbers, at.windows
    told = at.facts["attributes"] if at.profiled and not at.blind else {}
    found: dict[str, Value] = {name: numbers.get(fact, UNKNOWN) for name, fact in reads.facts}
    for said, names in ((told, reads.attributes), (at.context, reads.context)):
        for name, key, kind in names:
            found[name] = _as(kind, said.get(key))
    for name, function, arguments in reads.windows:
        found[name] = windows[function](*arguments)
    for name in reads.others:
        found[name] = READERS[name](at)
    return found


class Conditions:
    """The conditions of one decision: plain ones were asked all at once (models.sieve), CEL only for what is more.

    failed  by stage, whose plain conditions do not hold with these values
    """

    def __init__(self, at: Situation, told: Mapping[str, Value], failed: Mapping[str, Set]) -> None:
        self._at, self._values, self._failed = at, told, failed
        self._ground: Any = None  # what CEL reads

    def ruled_out(self, stage: str, alive: Set) -> tuple[Set, Set]:
        """(whose condition of this stage does not hold, whose cannot be decided) of those who are still there.

        Where a number that it reads is unknown, a condition does not hold.
        """
        index, wrong = self._at.actions.index, 0
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


def conditions(several: Sequence[Situation]) -> list[Conditions]:
    """The conditions of each of several decisions of one catalogue."""
    told = [values(at) for at in several]
    failed = several[0].actions.index.failing(told)
    return [Conditions(*one) for one in zip(several, told, failed, strict=True)]


def _tier(at: Situation) -> Value:
    return next((name for name in at.picture.tiers if name != "none"), "")


def _cart_items(at: Situation) -> Value:
    return float(len(at.profile.cart)) if at.profiled and not at.blind else UNKNOWN


def _cart_total(at: Situation) -> Value:
    known = at.profiled and not at.blind
    return money(sum(line.amount for line in at.profile.cart.values())) if known else UNKNOWN


def _as(kind: Kind, value: object) -> Value:
    """What was said, where it is of the declared kind."""
    if not is_a(kind, value):
        return NO_VALUE[kind]
    return float(value) if kind == "number" else value  # type: ignore[arg-type, return-value]


READERS: Mapping[str, Callable[[Situation], Value]] = {
    "customer.tier": _tier,
    "customer.lifecycle": lambda at: at.picture.lifecycle or "",
    "cart.items": _cart_items,
    "cart.total": _cart_total,
    "request.channel": lambda at: at.channel,
    "request.placement": lambda at: at.placement or "",
    "time.hour": lambda at: float(at.local.hour),
    "time.weekday": lambda at: WEEKDAYS[at.local.weekday()],
    "time.date": lambda at: at.local.date().isoformat(),
}
