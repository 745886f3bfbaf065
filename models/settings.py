"""The shop's settings: `valet.toml`, parsed once at start into frozen dataclasses. Pure: a text comes in, settings or an InputError go out.

Every table and every key is optional. An unknown one is an error that says where, so that a typing mistake is never silence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_network
from typing import Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from models import conditions, merchandising
from models.experiment import Experiment
from models.experiment import check as check_experiment
from models.filters import Filter
from models.merchandising import Merchandising, Moment, read_filter, read_moment
from models.rules import Kind, Names, Rule
from models.toml import Place, build

DAY_S = 86_400
MOST_WEIGHT = 100  # of an event
MOST_N = 100
MOST_RATE = 1_000_000  # requests a second

Intent = Literal[
    "complementary", "similar", "for_you", "buy_again", "trending", "popular", "recently_viewed", "because_you"
]
Adult = Literal["beside", "never", "always"]  # when adult items may be shown; beside: where one is asked about


@dataclass(frozen=True)
class Shop:
    """One deployment is one shop: one currency, one time zone, one default language."""

    currency: str | None = None  # ISO 4217; None: what the history says, else unknown
    time_zone: str = "UTC"
    language: str = "en"
    url: str | None = None  # where the shop's pages are, for addresses that the catalogue has in short


@dataclass(frozen=True)
class Browser:
    """What pages of the shop may call themselves (see valet.js): /events and /recommend, from these origins, with this public key."""

    origins: tuple[str, ...] = ()  # like https://shop.example; none: pages of other origins may not call
    key: str | None = None  # pages send it as ?key=…; everybody can read it: it tells shops apart, and proves nothing


@dataclass(frozen=True)
class Limits:
    """How much one caller may ask for. What comes from this machine without a key is not limited."""

    per_key: float = 0.0  # requests a second of each key; 0: any number
    per_address: float = 50.0  # of each address that has no key but a public one; IPv6 by /64; 0: any number
    burst_seconds: float = 10.0  # how many seconds' worth may come at once
    proxies: tuple[str, ...] = ()  # addresses and networks whose X-Forwarded-For is believed, like 10.0.0.0/8


@dataclass(frozen=True)
class HistorySettings:
    """Where the till's export lies and how to read it. Paths are relative to the settings file."""

    files: tuple[str, ...] = ()
    items: str | None = None
    customers: str | None = None
    events: str = "events"  # the folder where events drained from Redis are kept
    columns: Mapping[str, str] = field(default_factory=dict)  # our field -> the file's header
    day_first: bool = False  # 03/04/2011 is the 3rd of April
    # Lines that are no products, as regular expressions over the whole item id or title, case ignored. The defaults know the till's usual ones.
    not_product_ids: tuple[str, ...] = (
        r"post|dot|postage|shipping|delivery|carriage",
        r"manual|discount|adjust\d*|samples?|bank charges|amazonfee|cruk|pads|fee|tip",
        r"test\d*|gift_\d+(_\d+)?|gift ?card.*",
    )
    not_product_titles: tuple[str, ...] = (
        r"(dotcom )?postage|shipping|carriage|delivery|(next day )?carriage",
        r"discount|manual|samples?|bank charges|amazon fee|adjust(ment)? .*|.* commission|adjust bad debt",
        r"this is a test product\.?|test|dotcomgiftshop gift voucher.*",
    )


@dataclass(frozen=True)
class TierRule:
    """A tier: spend this much within the window to enter, that much to stay. Money in major units, as written."""

    name: str
    entry: float = 0.0
    maintenance: float | None = None  # None: 80 % of entry
    when: str | None = None  # CEL over what is known of her as of any day (models.conditions), to come in
    keep: str | None = None  # the same, to stay; None: `when`


@dataclass(frozen=True)
class TierSettings:
    """Tiers, lowest first. Without rules, entry thresholds are learnt from the customers' spend (see training.fit.tiers)."""

    window_days: int = 365
    grace_days: int = 30
    by: Literal["spend", "orders", "points"] = "spend"  # what `entry` and `maintenance` count
    points_per_unit: float = 1.0  # of money spent
    points_per_order: float = 0.0
    rules: tuple[TierRule, ...] = ()


@dataclass(frozen=True)
class Placement:
    """A named place of the shop where a list stands, with its defaults."""

    intent: Intent
    n: int = 10
    strict: bool = False  # no fallback: rather a short list
    filter: Filter | None = None  # what may stand there at all; a request's own filters narrow it further
    diversity: float = 0.0
    exploration: float = 0.0
    fields: tuple[str, ...] = ()  # of products, in the answer; (): all
    exclude_owned: bool | None = None  # None: where the list is chosen for her
    need_image: bool = False  # e-mail shows nothing without one
    adult: Adult = "beside"
    experiment: Experiment | None = None


@dataclass(frozen=True)
class TrainingSettings:
    """What the offline job may choose from. Numbers left at None are searched on the validation cut."""

    neighbours: int = 200  # K, the others kept for each item
    factors: int | None = None
    iterations: int | None = None
    minimum_support: int = 1  # baskets or customers that must hold a pair
    test_days: int | None = None  # the last days are the test; None: a sixth of the window, 7 to 28 days
    keep_bundles: int = 5


@dataclass(frozen=True)
class ComplementSettings:
    """What the shop knows better than the learnt map of types (the report shows it)."""

    self_: tuple[str, ...] = ()  # types that complete themselves: the cups of a set
    add: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # type -> types that complete it
    forbid: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # type -> types that do not


def _event_weights() -> Mapping[str, float]:
    return {
        "purchase": 1.0,
        "add_to_cart": 0.5,
        "begin_checkout": 0.5,
        "add_to_wishlist": 0.4,
        "select_item": 0.2,
        "view_item": 0.2,
        "rating": 0.5,
        "review": 0.5,
        "share": 0.4,
        "dislike": -1.0,
        "refund": 0.0,  # what went back was not bought; below 0 it says that she does not want its like either
    }


def _event_half_lives() -> Mapping[str, float]:
    return dict.fromkeys((name for name in _event_weights() if name != "purchase"), 14.0)


@dataclass(frozen=True)
class Interest:
    """What events say of interest in their item, by name.

    weights         what one says when it happens, below 0 where it says no
    half_life_days  after how many days it says half as much; a purchase that is not named fades as training learnt (models.blend)
    """

    weights: Mapping[str, float] = field(default_factory=_event_weights)
    half_life_days: Mapping[str, float] = field(default_factory=_event_half_lives)


def _context() -> Mapping[str, Kind]:
    return {"device": "text", "country": "text"}


@dataclass(frozen=True)
class SegmentRule:
    """A named segment: the customers for whom a condition holds (models.rules)."""

    name: str
    when: str


@dataclass(frozen=True)
class Settings:
    """All of `valet.toml`."""

    shop: Shop = Shop()
    history: HistorySettings = HistorySettings()
    browser: Browser = Browser()
    limits: Limits = Limits()
    tiers: TierSettings = TierSettings()
    training: TrainingSettings = TrainingSettings()
    complements: ComplementSettings = ComplementSettings()
    placements: Mapping[str, Placement] = field(default_factory=dict)
    merchandising: tuple[Merchandising, ...] = ()
    segments: tuple[SegmentRule, ...] = ()
    context: Mapping[str, Kind] = field(default_factory=_context)  # what conditions read of a request's `context`
    attributes: Mapping[str, Kind] = field(default_factory=dict)  # and of a customer's attributes
    event_max_age_days: int = 30  # the service refuses older events; 0 for imports and replays
    events_keep_days: int = 400  # how long the log keeps an event after it came
    events_keep_most: int = 1_000_000  # of what training has drained, how much stays in Redis; SQLite keeps all
    # What an event of this name says of interest
    event_weights: Mapping[str, float] = field(default_factory=_event_weights)
    event_half_life_days: Mapping[str, float] = field(default_factory=_event_half_lives)  # and how fast that fades

    @property
    def interest(self) -> Interest:
        """What events say, and for how long."""
        return Interest(self.event_weights, self.event_half_life_days)


def parse(text: str, source: str) -> Settings:
    """The settings in a TOML text; `source` names it in errors. Raises InputError with the line where it is known."""
    settings = build(Settings, text, source, readers={Filter: read_filter, Moment: read_moment})
    _check(settings, Place(source, text))
    return replace(
        settings,
        event_weights={**_event_weights(), **settings.event_weights},
        event_half_life_days={**_event_half_lives(), **settings.event_half_life_days},
    )


def names(settings: Settings) -> Names:
    """What the conditions of this shop may read."""
    return merchandising.names(
        context=settings.context,
        attributes=settings.attributes,
        tiers=[rule.name for rule in settings.tiers.rules],
        placements=list(settings.placements),
    )


def segment_names(settings: Settings) -> Names:
    """What the conditions of segments may read: the customer, whatever the request."""
    rooms = ("customer", "attributes", "cart")
    return {name: kind for name, kind in names(settings).items() if name.partition(".")[0] in rooms}


def _check_segments(settings: Settings, place: Place) -> None:
    named: set[str] = set()
    for number, segment in enumerate(settings.segments):
        if not segment.name.strip() or segment.name in named:
            raise (place / str(number) / "name").error(f"{segment.name!r} is empty or there twice; name it otherwise")
        Rule.parse(segment.when, segment_names(settings), place / str(number) / "when")
        named.add(segment.name)


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
            if name not in _event_weights():
                raise (place / table / name).error(
                    f"says nothing of an item; known here: {', '.join(_event_weights())}"
                )
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
