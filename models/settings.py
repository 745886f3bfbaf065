"""The shop's settings: what may stand in `valet.toml`, with its defaults. Every key is optional. models.settings_file reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from models import merchandising
from models.experiment import Experiment
from models.filters import Filter
from models.merchandising import Merchandising
from models.rules import Kind, Names

DAY_S = 86_400

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


def usual_weights() -> Mapping[str, float]:
    """What an event of each name says of interest, where the shop says nothing."""
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


def usual_half_lives() -> Mapping[str, float]:
    """Days after which it says half as much."""
    return dict.fromkeys((name for name in usual_weights() if name != "purchase"), 14.0)


@dataclass(frozen=True)
class Interest:
    """What events say of interest in their item, by name.

    weights         what one says when it happens, below 0 where it says no
    half_life_days  after how many days it says half as much; a purchase that is not named fades as training learnt (models.blend)
    """

    weights: Mapping[str, float] = field(default_factory=usual_weights)
    half_life_days: Mapping[str, float] = field(default_factory=usual_half_lives)


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
    event_weights: Mapping[str, float] = field(default_factory=usual_weights)
    event_half_life_days: Mapping[str, float] = field(default_factory=usual_half_lives)  # and how fast that fades

    @property
    def interest(self) -> Interest:
        """What events say, and for how long."""
        return Interest(self.event_weights, self.event_half_life_days)


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
