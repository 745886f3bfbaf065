"""Merchandising: what the shop wants of its lists, as `[[merchandising]]` in `valet.toml`, checked at load. service.lists applies it.

    pin 2 of items     they stand at slot 2, the first of them that may      hide          they are not shown
    boost 1.5          they count one and a half times                       bury 3        they count a third
    promote 20         at least 20 % of the slots are theirs                 at_most 2     of them, or of each brand with per = "brand"

A rule has one of these verbs, says of which items (`items` or `filter`), where (`placements`; everywhere without), from and until when, and
under which condition (`when`, see models.rules).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import combinations
from math import inf
from typing import Any, Literal, get_args

from models.actions import FACTS
from models.filters import Condition, Filter, FilterError, parse
from models.rules import Kind, Name, Names, Rule
from models.tiers import LIFECYCLES
from models.toml import Place

Verb = Literal["pin", "hide", "boost", "bury", "promote", "at_most"]
Per = Literal["brand", "category", "colour", "gender", "group_id", "product_type"]
Moment = datetime | date
VERBS: tuple[Verb, ...] = get_args(Verb)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MOST_SLOTS = 100
MOST_FACTOR = 100.0


@dataclass(frozen=True)
class Merchandising:
    """One rule; see the module. boost and bury are factors above 1, promote is percent of the slots, pin a slot from 1."""

    name: str
    placements: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    filter: Filter | None = None
    pin: int | None = None
    hide: bool = False
    boost: float | None = None
    bury: float | None = None
    promote: float | None = None
    at_most: int | None = None
    per: Per | None = None
    from_: Moment | None = None
    until: Moment | None = None
    when: str | None = None

    @property
    def verbs(self) -> list[Verb]:
        """What it does: one verb, once it is checked."""
        return [verb for verb in VERBS if getattr(self, verb) is not None and getattr(self, verb) is not False]

    @property
    def chosen(self) -> Filter | None:
        """The filter of its items; None: all items."""
        return Condition("item_id", "in", list(self.items)) if self.items else self.filter

    def stands_at(self, placement: str | None) -> bool:
        """Whether it is meant for this placement."""
        return not self.placements or placement in self.placements

    def window(self, zone: tzinfo) -> tuple[float, float]:
        """From and until when, seconds since 1970; a date is the whole day, and times without an offset are the shop's."""
        return (-inf if self.from_ is None else _at(self.from_, zone)), (
            inf if self.until is None else _at(self.until, zone, whole_day=True)
        )


def names(
    *, context: Mapping[str, Kind], attributes: Mapping[str, Kind], tiers: Sequence[str], placements: Sequence[str]
) -> Names:
    """What a condition may read, by name; without tiers of the shop's own any text is one, and placements alike."""
    known: dict[str, Name] = {
        "customer.known": "flag",
        "customer.tier": ("", *tiers) if tiers else "text",
        "customer.lifecycle": ("", *LIFECYCLES),
        **{f"customer.{fact}": "number" for fact in FACTS},
        "cart.items": "number",
        "cart.total": "number",
        "request.placement": ("", *placements) if placements else "text",
        "request.intent": "text",
        "request.items": "number",
        "time.hour": "number",
        "time.weekday": WEEKDAYS,
        "time.date": "text",
    }
    known |= {f"context.{name}": kind for name, kind in context.items()}
    return known | {f"attributes.{name}": kind for name, kind in attributes.items()}


def read_filter(document: Any, place: Place) -> Filter:
    """The filter of a TOML table; InputError at its wrong part."""
    try:
        return parse(document)
    except FilterError as error:
        for part in error.place:
            place = place / part
        raise place.error(error.message) from error


def read_moment(value: Any, place: Place) -> Moment:
    """A date or a time as it is written."""
    if not isinstance(value, date):
        raise place.error(f"{value!r} is not a time; write 2026-11-20 or 2026-11-20T18:00:00+07:00, without quotes")
    return value


def check(
    rules: Sequence[Merchandising], place: Place, *, lengths: Mapping[str, int], known: Names, zone: tzinfo
) -> None:
    """Raise InputError for the first rule that cannot be, or that contradicts another.

    lengths  the placements and how long their lists are      known  what conditions may read
    """
    for number, rule in enumerate(rules):
        here = place / str(number)
        _check_verb(rule, here)
        _check_items(rule, here)
        _check_where_and_when(rule, here, lengths, zone)
        if rule.when is not None:
            Rule.parse(rule.when, known, here / "when")
        if rule.name in [other.name for other in rules[:number]]:
            raise (here / "name").error(f"{rule.name!r} is there twice; give one of them another name")
    for (_, first), (number, second) in combinations(enumerate(rules), 2):
        if _meet(first, second, zone):
            _check_pair(first, second, place / str(number))
    _check_shares(rules, place, lengths, zone)


def _check_verb(rule: Merchandising, place: Place) -> None:
    verbs = rule.verbs
    if len(verbs) != 1:
        said = f"{' and '.join(verbs)} at once" if verbs else "does nothing"
        raise place.error(f"{said}; write one of {', '.join(VERBS)}, and a rule of its own for another")
    verb = verbs[0]
    value = getattr(rule, verb)
    bounds = {
        "pin": (1, MOST_SLOTS),
        "hide": (0, 1),
        "boost": (1, MOST_FACTOR),
        "bury": (1, MOST_FACTOR),
        "promote": (0, 100),
        "at_most": (1, MOST_SLOTS),
    }
    least, most = bounds[verb]
    if not least <= value <= most or (verb in ("boost", "bury", "promote") and value == least):
        above = "above" if verb in ("boost", "bury", "promote") else "at least"
        raise (place / verb).error(f"{value:g} must be {above} {least} and at most {most:g}")


def _check_items(rule: Merchandising, place: Place) -> None:
    verb = rule.verbs[0]
    if rule.items and rule.filter is not None:
        raise (place / "filter").error("names items too; write items or filter")
    if verb == "pin" and not rule.items:
        raise (place / "pin").error("pins which items? Write items = [ … ], the first that may be shown stands there")
    if rule.per is not None and verb != "at_most":
        raise (place / "per").error('belongs to at_most, as in at_most = 2, per = "brand"')
    if rule.chosen is None and rule.per is None:
        raise (place / verb).error("of which items? Write items = [ … ] or filter = { … }")


def _check_where_and_when(rule: Merchandising, place: Place, lengths: Mapping[str, int], zone: tzinfo) -> None:
    for name in rule.placements:
        if name not in lengths:
            raise (place / "placements").error(f"{name!r} is no placement; known here: {', '.join(lengths) or 'none'}")
    longest = max((lengths[name] for name in rule.placements), default=MOST_SLOTS)
    if rule.pin is not None and rule.pin > longest:
        raise (place / "pin").error(f"slot {rule.pin} of a list of {longest}; raise the placement's n or pin higher")
    start, end = rule.window(zone)
    if start >= end:
        raise (place / "until").error("must be later than from")


def _check_pair(first: Merchandising, second: Merchandising, place: Place) -> None:
    """Two rules that always hold, at one time and in one placement."""
    if first.pin is not None and first.pin == second.pin:
        raise (place / "pin").error(f"slot {first.pin} is pinned by {first.name!r} already; merge their items")
    both = sorted(set(first.items) & set(second.items))
    if both and {first.verbs[0], second.verbs[0]} in ({"hide", "pin"}, {"hide", "promote"}, {"hide", "boost"}):
        raise (place / "items").error(f"{both[0]!r} is hidden by one and wanted by the other, {first.name!r}")
    if (
        first.chosen is not None
        and first.chosen == second.chosen
        and {first.verbs[0], second.verbs[0]} == {"boost", "bury"}
    ):
        raise (place / second.verbs[0]).error(f"boosted and buried at once, see {first.name!r}; keep one of them")


def _check_shares(rules: Sequence[Merchandising], place: Place, lengths: Mapping[str, int], zone: tzinfo) -> None:
    """What is promoted at one time in one placement must leave the list a list: at most all slots."""
    promoting = [(number, rule) for number, rule in enumerate(rules) if rule.promote is not None]
    for number, rule in promoting:
        places: tuple[str | None, ...] = rule.placements or (None, *lengths)
        for placement in places:
            met = [other for _, other in promoting if other is rule or _meet(rule, other, zone)]
            share = sum(other.promote or 0 for other in met if other.stands_at(placement))
            if rule.when is None and share > 100:
                raise (place / str(number) / "promote").error(f"{share:g} % of the slots are promised; at most 100")


def _meet(first: Merchandising, second: Merchandising, zone: tzinfo) -> bool:
    """Whether both hold at some time in some placement, whoever is asked for."""
    if first.when is not None or second.when is not None:
        return False
    if first.placements and second.placements and not set(first.placements) & set(second.placements):
        return False
    (from_1, until_1), (from_2, until_2) = first.window(zone), second.window(zone)
    return from_1 < until_2 and from_2 < until_1


def _at(moment: Moment, zone: tzinfo, *, whole_day: bool = False) -> float:
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment + timedelta(days=whole_day), time())
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC).timestamp()
