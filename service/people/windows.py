"""What conditions ask of a customer's days: views("shoes", 7), searched("shoes", 7), spent(90), days_since("purchase"); see models.rules."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from itertools import accumulate

from models.catalogue import Catalogue
from models.profile import DAY_S, NEVER, Profile, money
from models.profile.items import newest_views, seen_since
from models.rules import UNKNOWN, WINDOWED

LONGEST = 30  # days that a window of views has at most (models.rules.WINDOWED)
Looks = Sequence[Sequence[int]]  # days, and how often
UNKNOWN_WINDOWS: Mapping[str, Callable[..., float]] = dict.fromkeys(WINDOWED, lambda *_: UNKNOWN)


def windows(profile: Profile, catalogue: Catalogue | None, *, now: int) -> Mapping[str, Callable[..., float]]:
    """The windowed functions for this customer, as of `now`; a window of n days is today and the n - 1 days before it (UTC).

    Without a catalogue nobody knows what was viewed.
    """
    days = _Days(profile, catalogue, now)
    return {"views": days.views, "searched": days.searched, "spent": days.spent, "days_since": days.days_since}


class _Days:
    """Her days; what several windows need is found when the first is asked for."""

    def __init__(self, profile: Profile, catalogue: Catalogue | None, now: int) -> None:
        self._profile, self._catalogue, self._now, self._today = profile, catalogue, now, now // DAY_S
        self._looks: dict[str, list[Sequence[int]]] = {}

    def views(self, what: str, days: int) -> float:
        if self._catalogue is None:
            return UNKNOWN
        if what not in self._looks:
            wanted = what.casefold()
            words = wanted.split()  # of several, each may be another of its values
            these = [days for values, days in self._seen if wanted in values or values.issuperset(words)]
            self._looks[what] = [look for days in these for look in days]
        return float(sum([count for day, count in self._looks[what] if self._today - days < day <= self._today]))

    def searched(self, what: str, days: int) -> float:
        words, today = what.casefold().split(), self._today
        terms = (term for term, at in self._profile.searches.items() if today - days < at // DAY_S <= today)
        return float(sum(all(word in term for word in words) for term in terms))

    def spent(self, days: int) -> float:
        dates, sums = self._spendings
        return money(sums[bisect_right(dates, self._today)] - sums[bisect_right(dates, self._today - days)])

    def days_since(self, event: str) -> float:
        at = _newest(self._profile, event, self._now)
        return UNKNOWN if at == NEVER else (self._now - at) / DAY_S

    @cached_property
    def _seen(self) -> Sequence[tuple[frozenset[str], Looks]]:
        return () if self._catalogue is None else _seen(self._profile, self._catalogue, since=self._today - LONGEST)

    @cached_property
    def _spendings(self) -> tuple[Sequence[int], Sequence[int]]:
        """Days, ascending, and what was spent before each."""
        return [*self._profile.days], [*accumulate(self._profile.days.values(), initial=0)]


def _seen(profile: Profile, catalogue: Catalogue, *, since: int) -> Sequence[tuple[frozenset[str], Looks]]:
    """What the items that she viewed after a day are, and when: their type, colour, brand, gender, and the levels of their category."""
    newest = seen_since(profile.items, (since + 1) * DAY_S)
    found = [(catalogue.kinds_of(item_id), days) for item_id, _, _, days in newest if days and days[-1][0] > since]
    return [(kinds, days) for kinds, days in found if kinds is not None]


def _newest_view(profile: Profile, now: int) -> int:
    """When an item was last viewed up to `now`: its newest time where that is of the same day, else the day's beginning."""
    newest = NEVER
    for seen_at, viewed in newest_views(profile.items):
        if seen_at <= newest:
            break  # those before it were seen earlier still
        if viewed:
            day = viewed[-1][0]
            at = seen_at if seen_at // DAY_S == day else day * DAY_S
            newest = max(newest, at) if at <= now else newest
    return newest


def _newest(profile: Profile, event: str, now: int) -> int:
    """When it last happened up to `now`; NEVER where nothing is known of it."""
    if event == "view":
        return _newest_view(profile, now)
    if event == "cart":
        times = [line.at for line in profile.cart.values()]
    elif event == "search":
        times = list(profile.searches.values())
    elif event in ("purchase", "event"):
        times = [profile.last_at if event == "purchase" else profile.last_seen]
    else:
        times = [at for at, name in profile.recent if name == event]
    return max((at for at in times if at <= now), default=NEVER)
