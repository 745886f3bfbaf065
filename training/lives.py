"""Lives: what tiers are reckoned from, of customers of a history who bought; what the service reckons from one profile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from models.profile import Event, Profile
from models.tiers import Tiers
from training.days import Days
from training.history import History
from training.profiles import whole


def lives(
    history: History,
    days: Days,
    tiers: Tiers,
    *,
    now: int,
    every: int = 1,
    returned: History | None = None,
    also: Mapping[str, Sequence[Event]] | None = None,
) -> Iterator[tuple[int, Profile]]:
    """(place in `days.start`, profile) of every so many-th customer who bought, by place.

    Where no condition of a tier reads more, a profile holds the days alone: most shops need not wait for the rest.
    `returned`, `also`: see training.profiles.
    """
    places = range(0, len(days.start), every)
    if not tiers.conditions:
        for place in places:
            own = slice(int(days.start[place]), int(days.end[place]))
            bought_on = days.day[own].tolist()
            yield (
                place,
                Profile(days=dict(zip(bought_on, days.amount[own].tolist(), strict=True)), bought_on=tuple(bought_on)),
            )
        return
    place_of = {history.customers.text(int(days.customer[days.start[place]])): place for place in places}
    for customer_id, profile in whole(
        _of(history, place_of), now=now, returned=returned and _of(returned, place_of), also=also
    ):
        if customer_id in place_of:
            yield place_of[customer_id], profile


def _of(history: History, customers: Mapping[str, int]) -> History:
    """The rows of some customers."""
    rows = [history.customers.row(customer_id) for customer_id in customers]
    return history.where(np.isin(history.customer, rows))
