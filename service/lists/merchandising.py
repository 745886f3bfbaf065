"""Merchandising: which of the shop's rules fire for a request now, and what they wish of its list.

A rule fires in its placements, within its window, while its condition holds. What conditions read is gathered only when a rule asks for it; a
rule that cannot be decided counts as RULE_ERROR, does not fire, and harms no other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from models.bundle import Models
from models.catalogue import Catalogue
from models.filters import Filter, column, mask
from models.merchandising import WEEKDAYS, Merchandising
from models.profile import EMPTY, money
from models.rules import UNKNOWN, Kind, Names, Rule, RuleFailedError, Value, context, is_a, kind_of
from models.settings import Settings, names
from models.toml import Place
from service.lists.question import Mask, Scores
from service.lists.request import Request
from service.lists.selection import NOTHING, Cap, Share, Wishes
from service.people.customers import Known
from service.people.facts import may_profile
from service.people.picture import picture
from service.people.windows import windows

FIRED, NOT_NOW, FALSE, RULE_ERROR = "fired", "not now", "condition false", "RULE_ERROR"
UNSURE = "days_since"  # may be an unknown number, too
MOST_COMBINATIONS = 64  # of rules that fire together, whose arrays are kept
NO_VALUE: Mapping[Kind, Value] = {"text": "", "number": UNKNOWN, "flag": False}


@dataclass(frozen=True)
class Scene:
    """What conditions may look at."""

    request: Request
    known: Known
    models: Models
    zone: tzinfo
    now: int


@dataclass(frozen=True)
class Ready:
    """A rule that is ready to be asked: its place in the settings, its window in seconds since 1970, and its condition."""

    number: int
    rule: Merchandising
    window: tuple[float, float]
    condition: Rule | None


class Rulebook:
    """The shop's merchandising rules, compiled once, and the arrays they make over the catalogue that answers."""

    def __init__(self, settings: Settings) -> None:
        self._names = names(settings)
        self._zone = ZoneInfo(settings.shop.time_zone)
        self._rules = tuple(self._ready(number, rule) for number, rule in enumerate(settings.merchandising))
        self._kept: tuple[Catalogue | None, dict[tuple[int, ...], Wishes]] = (None, {})

    def wishes(self, request: Request, *, known: Known, models: Models, now: int) -> Wishes:
        """What the rules that fire wish of the list; NOTHING where there are none for its placement."""
        without = request.trial.variant.without if request.trial else ()
        here = [
            ready for ready in self._rules if ready.rule.stands_at(request.placement) and ready.rule.name not in without
        ]
        if not here:
            return NOTHING
        states = self._states(here, Scene(request, known, models, self._zone, now))
        fired = tuple(ready for ready, state in zip(here, states, strict=True) if state == FIRED)
        told = {ready.rule.name: state for ready, state in zip(here, states, strict=True)}
        return replace(self._combined(fired, models.catalogue), rules=told)

    def _ready(self, number: int, rule: Merchandising) -> Ready:
        place = Place("valet.toml", "") / "merchandising" / str(number) / "when"
        condition = None if rule.when is None else Rule.parse(rule.when, self._names, place)
        return Ready(number, rule, rule.window(self._zone), condition)

    def _states(self, here: Sequence[Ready], scene: Scene) -> list[str]:
        """What becomes of each rule; what the conditions read is gathered once, for all of them."""
        live = {ready.number: ready.condition for ready in here if ready.window[0] <= scene.now < ready.window[1]}
        conditions = [condition for condition in live.values() if condition is not None]
        states = decided(conditions, self._names, scene) if conditions else {}
        return [states.get(live[ready.number], FIRED) if ready.number in live else NOT_NOW for ready in here]

    def _combined(self, fired: tuple[Ready, ...], catalogue: Catalogue) -> Wishes:
        """The wishes of these rules together; made once a catalogue."""
        if self._kept[0] is not catalogue:
            self._kept = (catalogue, {})
        kept = self._kept[1]
        key = tuple(ready.number for ready in fired)
        if key not in kept:
            if len(kept) >= MOST_COMBINATIONS:
                kept.clear()
            kept[key] = combined([ready.rule for ready in fired], catalogue)
        return kept[key]


def combined(rules: Sequence[Merchandising], catalogue: Catalogue) -> Wishes:
    """What these rules wish together, over this catalogue. Factors multiply; of two pins at one slot the first that may stands there."""
    hidden = [_items(rule.chosen, catalogue) for rule in rules if rule.hide]
    factors = [(_items(rule.chosen, catalogue), _factor(rule)) for rule in rules if rule.boost or rule.bury]
    pins: dict[int, tuple[int, ...]] = {}
    for rule in rules:
        if rule.pin is not None:
            rows = catalogue.items.rows(rule.items)
            pins[rule.pin - 1] = (*pins.get(rule.pin - 1, ()), *rows[rows >= 0].tolist())
    return Wishes(
        hidden=np.logical_or.reduce(hidden) if hidden else None,
        boosts=_boosts(factors, len(catalogue)) if factors else None,
        pins=pins,
        shares=tuple(Share(rule.promote, _items(rule.chosen, catalogue)) for rule in rules if rule.promote is not None),
        caps=tuple(_cap(rule, rule.at_most, catalogue) for rule in rules if rule.at_most is not None),
    )


def _items(chosen: Filter | None, catalogue: Catalogue) -> Mask:
    return np.ones(len(catalogue), dtype=np.bool_) if chosen is None else mask(chosen, catalogue)


def _factor(rule: Merchandising) -> float:
    return rule.boost if rule.boost is not None else 1 / (rule.bury or 1.0)


def _boosts(factors: Sequence[tuple[Mask, float]], items: int) -> Scores:
    counts = np.ones(items, dtype=np.float32)
    for chosen, factor in factors:
        counts[chosen] *= np.float32(factor)
    return counts


def _cap(rule: Merchandising, most: int, catalogue: Catalogue) -> Cap:
    """Of each brand (or what `per` names) among the rule's items, or of all of them together."""
    codes = np.zeros(len(catalogue), dtype=np.int32) if rule.per is None else column(catalogue, rule.per).code
    return Cap(most, np.where(_items(rule.chosen, catalogue), codes, -1).astype(np.int32))


def decided(conditions: Sequence[Rule], known: Names, scene: Scene) -> dict[Rule | None, str]:
    """Each condition's state. Where a number that it reads is unknown, it is false, not wrong."""
    asked = frozenset[str]().union(*(condition.names for condition in conditions))
    values = _values(asked, known, scene)
    called = any(condition.functions for condition in conditions)
    ground = context(values, windows(scene.known.telling, scene.models.catalogue, now=scene.now) if called else None)
    states: dict[Rule | None, str] = {}
    for condition in conditions:
        try:
            states[condition] = FIRED if condition.holds(ground) else FALSE
        except RuleFailedError:
            unknown = UNSURE in condition.functions or any(values[name] != values[name] for name in condition.names)
            states[condition] = FALSE if unknown else RULE_ERROR
    return states


def _values(asked: frozenset[str], known: Names, scene: Scene) -> dict[str, Value]:
    """A value for each name; what is not known, or not of the declared kind, is "", false, or an unknown number."""
    rooms = {room: READERS[room](scene) for room in {name.partition(".")[0] for name in asked}}
    values: dict[str, Value] = {}
    for name in asked:
        room, _, key = name.partition(".")
        kind = kind_of(known[name])
        values[name] = _as(kind, rooms[room].get(key))
    return values


def _as(kind: Kind, value: Any) -> Value:
    if not is_a(kind, value):
        return NO_VALUE[kind]
    return float(value) if kind == "number" else value


def _customer(scene: Scene) -> Mapping[str, object]:
    known = scene.known
    if known.degraded or not may_profile(known.facts):
        return {}
    seen = picture(known.profile, known.facts, tiers=scene.models.tiers, currency=None, now=scene.now)
    tier = next((name for name in seen.tiers if name != "none"), "")
    named = scene.request.customer_id is not None and known.profile is not EMPTY
    return {**seen.numbers, "tier": tier, "lifecycle": seen.lifecycle, "known": named}


def _attributes(scene: Scene) -> Mapping[str, object]:
    attributes: Mapping[str, object] = scene.known.facts["attributes"] if may_profile(scene.known.facts) else {}
    return attributes


def _cart(scene: Scene) -> Mapping[str, object]:
    if scene.known.degraded:
        return {}
    cart = scene.known.telling.cart
    return {"items": len(cart), "total": money(sum(line.amount for line in cart.values()))}


def _context(scene: Scene) -> Mapping[str, object]:
    return dict(scene.request.context)


def _request(scene: Scene) -> Mapping[str, object]:
    request = scene.request
    return {"placement": request.placement, "intent": request.intent, "items": len(request.item_ids)}


def _time(scene: Scene) -> Mapping[str, object]:
    local = datetime.fromtimestamp(scene.now, scene.zone)
    return {"hour": local.hour, "weekday": WEEKDAYS[local.weekday()], "date": local.date().isoformat()}


READERS: Mapping[str, Callable[[Scene], Mapping[str, object]]] = {
    "customer": _customer,
    "attributes": _attributes,
    "cart": _cart,
    "context": _context,
    "request": _request,
    "time": _time,
}
