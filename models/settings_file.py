"""`valet.toml`, parsed once at start and checked. Pure: a text comes in, settings or an InputError go out.

An unknown table or key is an error that says where, so that a typing mistake is never silence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from ipaddress import ip_network
from typing import get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from models import conditions, merchandising
from models.experiment import check as check_experiment
from models.filters import Filter
from models.merchandising import Moment, read_filter, read_moment
from models.rules import Rule
from models.settings import (
    DAY_S,
    Browser,
    ComplementSettings,
    Intent,
    Limits,
    Placement,
    Settings,
    TierSettings,
    names,
    segment_names,
    usual_half_lives,
    usual_weights,
)
from models.toml import Place, build

MOST_WEIGHT = 100  # of an event
MOST_N = 100
MOST_RATE = 1_000_000  # requests a second


def parse(text: str, source: str) -> Settings:
    """The settings in a TOML text; `source` names it in errors. Raises InputError with the line where it is known."""
    settings = build(Settings, text, source, readers={Filter: read_filter, Moment: read_moment})
    _check(settings, Place(source, text))
    return replace(
        settings,
        event_weights={**usual_weights(), **settings.event_weights},
        event_half_life_days={**usual_half_lives(), **settings.event_half_life_days},
    )


def _check(settings: Settings, place: Place) -> None:
    try:
        ZoneInfo(settings.shop.time_zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise (place / "shop" / "time_zone").error(
            f"{settings.shop.time_zone!r} is no IANA time zone, like Asia/Bangkok"
        ) from error
    for name in ("not_product_ids", "not_product_titles"):
        for pattern in getattr(settings.history, name):
            try:
                re.compile(pattern)
            except re.error as error:
                raise (place / "history" / name).error(f"{pattern!r} is no regular expression: {error}") from error
    if settings.shop.url is not None and not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", settings.shop.url):
        raise (place / "shop" / "url").error(f"{settings.shop.url!r} is no address; write https://shop.example")
    _check_placements(settings.placements, place / "placements")
    _check_browser(settings.browser, place / "browser")
    _check_limits(settings.limits, place / "limits")
    _check_experiments(settings, place / "placements")
    _check_merchandising(settings, place)
    _check_segments(settings, place / "segments")
    _check_events(settings, place)
    _check_complements(settings.complements, place / "complements")
    _check_tiers(settings.tiers, place / "tiers")
    for key in ("neighbours", "minimum_support", "keep_bundles"):
        if getattr(settings.training, key) < 1:
            raise (place / "training" / key).error("must be at least 1")


def _check_tiers(said: TierSettings, place: Place) -> None:
    for key, least in (("window_days", 1), ("grace_days", 0)):
        if getattr(said, key) < least:
            raise (place / key).error(f"must be at least {least}")
    for number, rule in enumerate(said.rules):
        for key, text in (("when", rule.when), ("keep", rule.keep)):
            if text is not None:
                conditions.parse(text, place / "rules" / str(number) / key)
    if said.by != "spend" and not said.rules:
        raise (place / "by").error("thresholds are learnt of spend alone; write [[tiers.rules]] with theirs")
    entries = [rule.entry for rule in said.rules]
    if entries != sorted(entries):
        raise (place / "rules").error("entry thresholds must rise: write the lowest tier first")


def _check_events(settings: Settings, place: Place) -> None:
    if settings.event_max_age_days < 0:
        raise (place / "event_max_age_days").error("must be at least 0")
    if settings.events_keep_days < max(settings.event_max_age_days, 1):
        raise (place / "events_keep_days").error("must be at least 1, and event_max_age_days: a repeat must be known")
    if settings.events_keep_most < 0:
        raise (place / "events_keep_most").error("must be at least 0")
    for table in ("event_weights", "event_half_life_days"):
        for name, value in getattr(settings, table).items():
            if name not in usual_weights():
                raise (place / table / name).error(f"says nothing of an item; known here: {', '.join(usual_weights())}")
            if table == "event_weights" and not -MOST_WEIGHT <= value <= MOST_WEIGHT:
                raise (place / table / name).error(f"must be between -{MOST_WEIGHT} and {MOST_WEIGHT}")
            if table == "event_half_life_days" and value <= 0:
                raise (place / table / name).error("must be above 0")


def _check_complements(said: ComplementSettings, place: Place) -> None:
    for key, table in (("add", said.add), ("forbid", said.forbid)):
        for name, others in table.items():
            if not name.strip() or not others or not all(other.strip() for other in others):
                raise (place / key / name).error('name a type and what completes it, like dress = ["shoes"]')
    if not all(name.strip() for name in said.self_):
        raise (place / "self").error('name types, like self = ["teacup"]')
    for name, others in said.forbid.items():
        for other in others:
            if other in said.add.get(name, ()) or (other == name and name in said.self_):
                raise (place / "forbid" / name).error(f"{other!r} is forbidden here and allowed above; leave one out")


def _check_placements(placements: Mapping[str, Placement], place: Place) -> None:
    for name, placement in placements.items():
        for key, least, most in (("n", 1, MOST_N), ("diversity", 0, 1), ("exploration", 0, 1)):
            if not least <= getattr(placement, key) <= most:
                raise (place / name / key).error(f"must be between {least} and {most}")


def _check_merchandising(settings: Settings, place: Place) -> None:
    for table in ("context", "attributes"):
        for name in getattr(settings, table):
            if not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII):
                raise (place / table / name).error(f"{name!r} cannot stand in a condition; letters, digits and _ can")
    merchandising.check(
        settings.merchandising,
        place / "merchandising",
        lengths={name: placement.n for name, placement in settings.placements.items()},
        known=names(settings),
        zone=ZoneInfo(settings.shop.time_zone),
    )


def _check_segments(settings: Settings, place: Place) -> None:
    named: set[str] = set()
    for number, segment in enumerate(settings.segments):
        if not segment.name.strip() or segment.name in named:
            raise (place / str(number) / "name").error(f"{segment.name!r} is empty or there twice; name it otherwise")
        Rule.parse(segment.when, segment_names(settings), place / str(number) / "when")
        named.add(segment.name)


def _check_browser(browser: Browser, place: Place) -> None:
    for number, origin in enumerate(browser.origins):
        if not re.fullmatch(r"https?://[^\s/?#@*]+", origin):
            raise (place / "origins" / str(number)).error(
                f"{origin!r} is no origin; write scheme and host alone, like https://shop.example"
            )
    if browser.key is not None and not re.fullmatch(r"[\w.-]{1,100}", browser.key):
        raise (place / "key").error("write 1 to 100 letters, digits, '_', '-' or '.'")


def _check_limits(limits: Limits, place: Place) -> None:
    for name in ("per_key", "per_address"):
        if not 0 <= getattr(limits, name) <= MOST_RATE:
            raise (place / name).error(f"must be between 0 (no limit) and {MOST_RATE} requests a second")
    if not 1 <= limits.burst_seconds <= DAY_S:
        raise (place / "burst_seconds").error(f"must be between 1 and {DAY_S}")
    for number, proxy in enumerate(limits.proxies):
        try:
            ip_network(proxy)
        except ValueError as error:
            raise (place / "proxies" / str(number)).error(
                f"{error}; write addresses and networks, like 10.0.0.0/8"
            ) from error


def _check_experiments(settings: Settings, place: Place) -> None:
    """Each experiment can be run, and its name is its own: reports and lists go by it."""
    rules = [rule.name for rule in settings.merchandising]
    named: set[str] = set()
    for name, placement in settings.placements.items():
        if placement.experiment is None:
            continue
        where = place / name / "experiment"
        check_experiment(placement.experiment, where, intents=get_args(Intent), rules=rules)
        if placement.experiment.name in named:
            raise (where / "name").error(
                f"{placement.experiment.name!r} is another placement's experiment; name it otherwise"
            )
        named.add(placement.experiment.name)
