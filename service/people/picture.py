"""The picture: what a decision reads of a customer, as of now, in plain numbers and words."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from datetime import UTC, date, datetime, tzinfo
from typing import NamedTuple

from models.catalogue import Catalogue
from models.profile import DAY_S, EMPTY, Profile, money
from models.tiers import Standing, Tiers
from service.decisions import news
from service.people.facts import MARKETING, Facts

HOUR_S = 3_600
TROUBLE = ("refund", "dislike", "complaint_resolved")
UNKNOWN = "–"
BIRTHDAYS = ("birthday", "birth_date", "date_of_birth")  # attributes that may say when she was born, like 1990-03-14
COUNTED = ("orders", "days_since_order", "cart_items", "wish_drops", "viewed_low_stock", "days_to_birthday")


class Picture(NamedTuple):
    """See models.actions: `numbers` are its FACTS, `words` its WORDS. `tiers` are all the names that her tier answers to."""

    tiers: tuple[str, ...] = ()
    lifecycle: str | None = None
    numbers: Mapping[str, float] = {}
    words: Mapping[str, str] = {}
    item_ids: tuple[str, ...] = ()  # what complements are for: the cart, else the last order


NOTHING = Picture()  # of who refused to be profiled, or while the store is away: it meets no need


def picture(
    profile: Profile,
    facts: Facts,
    *,
    tiers: Tiers | None,
    currency: str | None,
    now: int,
    catalogue: Catalogue | None = None,
    zone: tzinfo = UTC,
) -> Picture:
    """The picture of a customer, in her time zone; without `tiers` (no bundle yet) tier and life cycle are unknown.

    catalogue  the items as they are now: what of hers became cheaper, or is nearly gone
    """
    today = now // DAY_S
    numbers = _numbers(profile, facts, now) | _news(profile, catalogue, now) | _birthday(facts, now, zone)
    standing, lifecycle = None, None
    if tiers is not None:
        days = profile.bought_on[: bisect_right(profile.bought_on, today)]
        standing = tiers.standing(profile, today=today, ahead=False)
        left_out = profile.earlier_days
        lifecycle = tiers.lifecycle(days, profile.orders, profile.value, today=today, left_out=left_out)
        numbers |= _tier_numbers(standing)
        if days:
            numbers["order_due"] = (today - days[-1]) / tiers.cadence_days(days, left_out=left_out)
    return Picture(
        tiers=_names(standing),
        lifecycle=lifecycle,
        numbers=numbers,
        words=_words(numbers, standing, lifecycle, currency),
        item_ids=_anchors(profile),
    )


def _numbers(profile: Profile, facts: Facts, now: int) -> dict[str, float]:
    cart = profile.cart
    trouble = [at for at, name in profile.recent if name in TROUBLE and at <= now]
    numbers = {
        "orders": float(profile.orders),
        "spent": money(profile.value),
        "cart_items": float(len(cart)),
        "open_complaints": float(profile.open_complaints),
        "marketing_known": float(any(consent["purpose"] == MARKETING for consent in facts["consents"])),
    }
    if profile.bought_on:
        numbers["days_since_order"] = max(now - profile.last_at, 0) / DAY_S
    if profile is not EMPTY and profile.last_seen:
        numbers["days_since_seen"] = max(now - profile.last_seen, 0) / DAY_S
    if cart:
        numbers["hours_since_cart"] = max(now - max(line.at for line in cart.values()), 0) / HOUR_S
    if searched := [at for at in profile.searches.values() if at <= now]:
        numbers |= {"searches": float(len(searched)), "hours_since_search": (now - max(searched)) / HOUR_S}
    if trouble:
        numbers["days_since_trouble"] = (now - max(trouble)) / DAY_S
    return numbers


def _news(profile: Profile, catalogue: Catalogue | None, now: int) -> dict[str, float]:
    return {
        "wish_drops": float(len(news.wish_drops(profile, catalogue))),
        "viewed_low_stock": float(len(news.viewed_low_stock(profile, catalogue, now=now))),
    }


def _birthday(facts: Facts, now: int, zone: tzinfo) -> dict[str, float]:
    """The days until her birthday by her own calendar; nothing where no attribute says a day. Who was born on a 29th has it on the 28th."""
    said = next((facts["attributes"][name] for name in BIRTHDAYS if name in facts["attributes"]), None)
    if said is None:
        return {}
    try:
        born = date.fromisoformat(str(said)[:10])
    except ValueError:
        return {}
    today = datetime.fromtimestamp(now, zone).date()
    years = (today.year, today.year + 1)
    days = ((_in_year(born, year) - today).days for year in years)
    return {"days_to_birthday": float(next(left for left in days if left >= 0))}


def _in_year(born: date, year: int) -> date:
    leap = born.month == 2 and born.day == 29
    return date(year, 2, 28) if leap else born.replace(year=year)


def _tier_numbers(standing: Standing) -> dict[str, float]:
    numbers = {"tier_at_risk": float(standing.name is not None and standing.below_since is not None)}
    if standing.missing is not None:
        threshold = standing.has + standing.missing
        numbers["tier_progress"] = standing.has / threshold if threshold > 0 else 1.0
    return numbers


def _names(standing: Standing | None) -> tuple[str, ...]:
    if standing is None:
        return ()
    if standing.name is None:
        return ("none",)
    return (standing.name, "highest") if standing.next is None else (standing.name,)


def _words(
    numbers: Mapping[str, float], standing: Standing | None, lifecycle: str | None, currency: str | None
) -> dict[str, str]:
    words = {name: f"{numbers[name]:.0f}" for name in COUNTED if name in numbers}
    if standing is not None:
        missing = None if standing.missing is None else f"{money(standing.missing):,.0f}"
        words |= {
            name: text
            for name, text in (("tier", standing.name), ("next_tier", standing.next), ("missing", missing))
            if text is not None
        }
    return {**words, "lifecycle": (lifecycle or UNKNOWN).replace("_", " "), "currency": currency or ""}


def _anchors(profile: Profile) -> tuple[str, ...]:
    if profile.cart:
        return tuple(sorted(profile.cart))
    return news.last_order(profile)
