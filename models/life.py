"""A customer's life day by day: what was known of her at the end of any day, by the names that conditions of tiers read.

Only what a profile keeps with its day stands here. `turns` says on which days something may change, so that nobody need ask in between.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from math import floor
from typing import TYPE_CHECKING, Any

from models.clauses import call
from models.rules import UNKNOWN

if TYPE_CHECKING:
    from models.profile.state import Profile

DAY_S = 86_400
MINOR = 100  # minor units of a major one
OWN = "customer."
LAST = 1_000_000_000  # a day after everything


@dataclass(frozen=True)
class Life:
    """A profile as it was told until the end of `today`; a later day is one on which nothing more has happened.

    window_days: how far back `refunds` and `complaints` count
    """

    profile: Profile
    today: int
    window_days: int

    def at(self, day: int, **given: float) -> Then:
        """What was known at the end of a day, and what is `given` besides."""
        return Then(self, day, given)

    def turns(self, name: str, numbers: Sequence[float] = ()) -> set[int]:
        """The days on which the value under a name changes or, for an age, passes one of these numbers."""
        function, arguments = call(name) if "(" in name else (name, ())
        days, after = TURNS[function]
        offsets = after(self, arguments, numbers)
        return {day + offset for day in days(self, *arguments) for offset in offsets if day <= self.today}

    def upto(self, day: int) -> int:
        """The last day of which something is known, seen from a day."""
        return min(day, self.today)

    def orders(self, day: int) -> Sequence[int]:
        """The days with an order until then, as far as they are kept: the first and the newest."""
        bought = self.profile.bought_on
        return bought[: bisect_right(bought, self.upto(day))]

    def happened(self, event: str) -> Sequence[int]:
        """The days of a telling event, ascending, one for each."""
        return self._told.get(event, ())

    def spent(self, day: int) -> int:
        """Net spend of the days until then, of those that are kept, minor units."""
        days, sums = self._ledger
        return sums[bisect_right(days, day)]

    @cached_property
    def items(self) -> Sequence[int]:
        """The day on which each item was bought first, ascending."""
        return sorted(item.first_at // DAY_S for item in self.profile.items.values() if item.purchases)

    @cached_property
    def _ledger(self) -> tuple[Sequence[int], Sequence[int]]:
        return tuple(self.profile.days), tuple(accumulate(self.profile.days.values(), initial=0))

    @cached_property
    def _told(self) -> Mapping[str, Sequence[int]]:
        told: dict[str, list[int]] = {}
        for at, name in self.profile.recent:
            told.setdefault(name, []).append(at // DAY_S)
        return told


class Then(dict[str, float]):
    """What was known at the end of a day, each value reckoned when it is first read."""

    def __init__(self, life: Life, day: int, given: Mapping[str, float]) -> None:
        super().__init__(given)
        self._life, self._day = life, day

    def __missing__(self, name: str) -> float:
        function, arguments = call(name) if "(" in name else (name, ())
        value = self[name] = FACTS[function](self._life, self._day, *arguments)
        return value

    def asked(self, function: str) -> Callable[..., float]:
        """A windowed function as of that day."""
        return lambda *arguments: FACTS[function](self._life, self._day, *arguments)


def _spent(life: Life, day: int, days: int) -> float:
    return (life.spent(life.upto(day)) - life.spent(day - days)) / MINOR


def _spent_ever(life: Life, day: int) -> float:
    later = life.spent(LAST) - life.spent(life.upto(day))
    return (life.profile.value - later) / MINOR


def _order_days(life: Life, day: int) -> float:
    known = len(life.orders(day))
    return float(known + life.profile.earlier_days if known > 1 else known)


def _since_order(life: Life, day: int) -> float:
    known = life.orders(day)
    return float(day - known[-1]) if known else UNKNOWN


def _since_first_order(life: Life, day: int) -> float:
    known = life.orders(day)
    return float(day - known[0]) if known else UNKNOWN


def _days_since(life: Life, day: int, event: str) -> float:
    if event == "purchase":
        return _since_order(life, day)
    days = life.happened(event)
    known = bisect_right(days, life.upto(day))
    return float(day - days[known - 1]) if known else UNKNOWN


def _within(event: str) -> Callable[[Life, int], float]:
    def count(life: Life, day: int) -> float:
        days = life.happened(event)
        return float(bisect_right(days, life.upto(day)) - bisect_right(days, day - life.window_days))

    return count


def _items(life: Life, day: int) -> float:
    return float(bisect_right(life.items, life.upto(day)))


def _open_complaints(life: Life, day: int) -> float:
    """Those of her life, less what came after that day."""
    counts, until = life.profile.counts, life.upto(day)
    made, resolved = (
        counts.get(event, 0) - len(days) + bisect_right(days, until)
        for event, days in ((event, life.happened(event)) for event in ("complaint", "complaint_resolved"))
    )
    return float(max(made - resolved, 0))


FACTS: Mapping[str, Callable[..., float]] = {  # at the end of a day
    "refunds": _within("refund"),
    "complaints": _within("complaint"),
    f"{OWN}spent": _spent_ever,
    f"{OWN}order_days": _order_days,
    f"{OWN}items": _items,
    f"{OWN}open_complaints": _open_complaints,
    f"{OWN}days_since_order": _since_order,
    f"{OWN}days_since_first_order": _since_first_order,
    "spent": _spent,
    "days_since": _days_since,
}
AGES = (f"{OWN}days_since_order", f"{OWN}days_since_first_order", "days_since")  # these change every day

_Days = Callable[..., Sequence[int]]
_Offsets = Callable[[Life, tuple[Any, ...], Sequence[float]], Sequence[int]]


def _bought(life: Life) -> Sequence[int]:
    return life.profile.bought_on


def _at_once(*_: object) -> Sequence[int]:
    return (0,)


def _passing(life: Life, arguments: tuple[Any, ...], numbers: Sequence[float]) -> Sequence[int]:
    """An age begins anew, and passes a number on the day that equals it and on the next."""
    return (0, *(floor(number) + more for number in numbers for more in (0, 1) if number >= 0))


def _window(life: Life, arguments: tuple[Any, ...], numbers: Sequence[float]) -> Sequence[int]:
    return (0, arguments[0] if arguments else life.window_days)


TURNS: Mapping[str, tuple[_Days, _Offsets]] = {  # which days count, and how long after each a value turns
    "refunds": (lambda life: life.happened("refund"), _window),
    "complaints": (lambda life: life.happened("complaint"), _window),
    f"{OWN}spent": (lambda life: tuple(life.profile.days), _at_once),
    f"{OWN}order_days": (_bought, _at_once),
    f"{OWN}items": (lambda life: life.items, _at_once),
    f"{OWN}open_complaints": (
        lambda life: (*life.happened("complaint"), *life.happened("complaint_resolved")),
        _at_once,
    ),
    f"{OWN}days_since_order": (_bought, _passing),
    f"{OWN}days_since_first_order": (lambda life: life.profile.bought_on[:1], _passing),
    "spent": (lambda life, _: tuple(life.profile.days), _window),
    "days_since": (lambda life, event: _bought(life) if event == "purchase" else life.happened(event), _passing),
}
