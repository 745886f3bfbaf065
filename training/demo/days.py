"""The demo shop's calendar: 549 days in Bangkok, the last of them 2026-11-20. A day is a number of days since the start, fractions allowed."""

from __future__ import annotations

from bisect import bisect
from datetime import date, datetime, timedelta, timezone
from itertools import accumulate

import numpy as np

BANGKOK = timezone(timedelta(hours=7))  # without summer time
START = datetime(2025, 5, 21, tzinfo=BANGKOK)
DAYS = 549
START_S = int(START.timestamp())
NOW = START_S + DAYS * 86_400  # the midnight that ends the last day
# Visits by hour: lunch and evening
HOURS = (1, 0.5, 0.2, 0.2, 0.2, 0.5, 1, 2, 3, 4, 5, 6, 8, 6, 5, 5, 5, 5, 6, 8, 11, 11, 7, 3)
SALES = {(6, 6), (9, 9), (11, 11), (12, 12)}  # the double days of Thai retail, as (month, day)
SALE_DEMAND = 4.0
SALE_SHARE = 0.8  # of the price, on a double day

HOUR_EDGES = tuple(accumulate(HOURS))


def at(day: float) -> int:
    """The time of a day number, in seconds since 1970 UTC."""
    return START_S + int(day * 86_400)


def moment(day: int, rng: np.random.Generator) -> int:
    """A time on that day at which people shop, in seconds since 1970 UTC."""
    drawn = rng.random() * HOUR_EDGES[-1]
    hour = bisect(HOUR_EDGES, drawn)
    past = 1 - (HOUR_EDGES[hour] - drawn) / HOURS[hour]
    return START_S + day * 86_400 + hour * 3_600 + int(past * 3_600)


def date_of(day: float) -> date:
    """The date of a day number in Bangkok."""
    return (START + timedelta(days=int(day))).date()


def _demand(day: int) -> float:
    if is_sale(day):
        return SALE_DEMAND
    today = date_of(day)
    payday = 1.3 if today.day >= 25 else 1.0
    festive = 1.3 if today.month == 12 or (today.month == 4 and today.day < 13) else 1.0
    return payday * festive


def is_sale(day: float) -> bool:
    """Whether prices are reduced on this day."""
    today = date_of(day)
    return (today.month, today.day) in SALES


# float64[DAYS]: how much is bought on a day beside a usual one: double days, paydays, New Year, Songkran
DEMAND = np.array([_demand(day) for day in range(DAYS)])
