"""The action catalogue: `actions.toml` as frozen dataclasses.

issue → group → action → treatments: an action is what we may do for a customer; a treatment is how that looks on one channel. The version
is a hash of what is said, so that the same catalogue has the same version on every machine, whatever its comments and order of keys, and
whatever defaults a later release adds. models.action_checks says what must hold; models.action_catalogue makes it ready for decisions.

Values and costs are in units of the shop's choice, the same for all actions (the default catalogue: an average order earns 100).
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from hashlib import blake2b
from typing import Any, Literal

from models.arms import Arms
from models.propensity import Learning, Starts

Texts = Mapping[str, str]  # language -> text
Class = Literal["regulatory", "service", "retention", "growth", "thanks", "silence"]
State = Literal["draft", "active", "paused", "retired"]

SERVING: tuple[str, ...] = ("regulatory", "service", "silence")  # need no consent and count to no limit
OUTCOMES = (
    "shown",
    "clicked",
    "accepted",
    "rejected",
    "converted",
    "not_sent",
    "no_response",
    "maybe_later",
    "complaint",
    "unsubscribed",
)
LISTS = {  # what is hers already: `items` may name one of these instead of a recommend intent
    "cart": "what lies in her cart and can be had",
    "last_order": "what she ordered last",
    "wish_drops": "what became cheaper on her wish list, by how much",
    "viewed_low_stock": "what she looked at within a week and of which few are left, newest first",
}
PACING = 2.0  # reaches .86-.97 of the best possible use where two to five want each token (simulated; first come, first served: .4-.6)
FACTS = {  # what `needs` may ask of a customer; an unknown fact meets no need
    "orders": "number of orders",
    "spent": "value of all orders, major units",
    "days_since_order": "days since the last order",
    "days_since_seen": "days since anything was heard of her",
    "cart_items": "different items in the cart",
    "hours_since_cart": "hours since the cart last changed, while something lies in it",
    "searches": "terms searched for since the last order",
    "hours_since_search": "hours since she last searched, while she has ordered nothing since",
    "order_due": "days since the last order / her usual interval: 1 is the day it is due",
    "tier_progress": "how much of the next tier's threshold is reached, 0-1; unknown in the highest tier",
    "tier_at_risk": "1 while she is below what keeps her tier, else 0",
    "open_complaints": "complaints not yet resolved",
    "days_since_trouble": "days since the last refund, dislike or resolved complaint",
    "marketing_known": "1 when she has said yes or no to marketing on any channel, else 0",
    "days_to_birthday": "days until her next birthday, 0 on the day itself",
    "wish_drops": "items on her wish list that became cheaper",
    "viewed_low_stock": "items she looked at within a week, and did not buy since, of which few are left",
}
# {…} in texts
WORDS = (
    "tier",
    "next_tier",
    "missing",
    "currency",
    "orders",
    "days_since_order",
    "cart_items",
    "wish_drops",
    "viewed_low_stock",
    "days_to_birthday",
    "lifecycle",
)


@dataclass(frozen=True)
class Objection:
    """What a customer may answer the agent, and what the agent may say then."""

    says: Texts
    answer: Texts


@dataclass(frozen=True)
class Items:
    """The products to attach: `n` of a recommend intent, or of one of LISTS."""

    intent: str
    n: int = 4


@dataclass(frozen=True)
class Treatment:
    """How an action looks on a channel. No placements or languages: it stands anywhere on the channel, for everybody.

    scripts      what the agent says to some: by tier ("highest" is one) or life cycle, the first that fits; else `script`
    if_rejected  the action to offer then
    """

    channel: str
    id: str = ""  # default: <action>_<channel>
    placements: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    title: Texts = field(default_factory=dict)
    text: Texts = field(default_factory=dict)
    template: str | None = None
    items: Items | None = None
    script: Texts = field(default_factory=dict)
    scripts: Mapping[str, Texts] = field(default_factory=dict)
    objections: tuple[Objection, ...] = ()
    if_rejected: str | None = None


@dataclass(frozen=True)
class Recency:
    """An action counts more just after something: 1 + boost · 2^(−age / half-life). `since` is a fact in days or hours."""

    since: str
    boost: float
    half_life: float  # in the unit of the fact


@dataclass(frozen=True)
class Limit:
    """At most so many contacts in any `days` days: on one channel or over all, of one group or of all, for some tiers or for everybody."""

    contacts: int
    days: float
    channel: str | None = None
    group: str | None = None
    tiers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ramp:
    """A new action reaches `start` of the customers, and all once it has `positives` positive answers; in between linearly."""

    start: float = 0.02
    positives: float = 200.0


@dataclass(frozen=True)
class Action:
    """One thing that we may do.

    value, cost    see the module; `value_by_tier` and `cost_by_tier` overrule for the tiers they name
    propensity     where the chance of success starts, None: where its group stands; `evidence` is how many answers weigh as much as that
    tiers          names of tiers, "highest", or "none" for who has no tier; () all
    lifecycles     of models.tiers.LIFECYCLES; () all
    needs          fact -> [least] or [least, most], see FACTS; all must hold
    eligibility    whether she may have it at all, as CEL (models.action_rules); `applicability`: whether it is relevant now; `suitability`:
                   whether it is in her interest
    cool_off_days  outcome -> days in which this action rests after it
    limits         contacts with this action (channel and tiers may be said, no group)
    budget, spend  out of which budget it is paid, and how much of that a contact takes; default: its cost
    stock          how many there are to give away, all in all
    context        "key=value" of the request's context -> factor
    lever          percent that the business adds (-90 … 900)
    """

    id: str
    issue: str
    group: str
    class_: Class
    treatments: tuple[Treatment, ...]
    value: float = 0.0
    value_by_tier: Mapping[str, float] = field(default_factory=dict)
    cost: float = 0.0
    cost_by_tier: Mapping[str, float] = field(default_factory=dict)
    propensity: float | None = None
    evidence: float = 20.0
    purpose: str = "marketing"
    state: State = "active"
    starts: datetime | None = None
    ends: datetime | None = None
    tiers: tuple[str, ...] = ()
    lifecycles: tuple[str, ...] = ()
    needs: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    eligibility: str | None = None
    applicability: str | None = None
    suitability: str | None = None
    cool_off_days: Mapping[str, float] = field(default_factory=dict)
    limits: tuple[Limit, ...] = ()
    budget: str | None = None
    spend: float | None = None
    stock: int | None = None
    ramp: Ramp | None = None
    context: Mapping[str, float] = field(default_factory=dict)
    recency: Recency | None = None
    lever: float = 0.0
    why: Texts = field(default_factory=dict)

    @cached_property
    def serving(self) -> bool:
        """Whether it serves the customer rather than the shop: no consent needed, not counted to limits."""
        return self.class_ in SERVING

    @cached_property
    def forms(self) -> Mapping[str, tuple[Treatment, ...]]:
        """Its treatments by channel."""
        channels = dict.fromkeys(one.channel for one in self.treatments)
        return {channel: tuple(one for one in self.treatments if one.channel == channel) for channel in channels}

    @cached_property
    def lifespan(self) -> tuple[float, float]:
        """From when and until when it may be used, seconds since 1970."""
        starts = self.starts.timestamp() if self.starts else -math.inf
        return starts, self.ends.timestamp() if self.ends else math.inf

    @cached_property
    def rules(self) -> Mapping[str, str]:
        """Its conditions, by the stage that asks them."""
        written = {
            "ELIGIBILITY": self.eligibility,
            "APPLICABILITY": self.applicability,
            "SUITABILITY": self.suitability,
        }
        return {stage: source for stage, source in written.items() if source is not None}


@dataclass(frozen=True)
class Channel:
    """`outbound`: we come to the customer, and marketing needs her yes; inbound, she came to us, and a no is enough to stop it.

    quiet  ["21:00", "08:00"]: between these hours of her day nothing is sent; a message waits for the end of it, if it is valid then
    """

    outbound: bool = False
    valid_minutes: int = 30  # how long an answer may be used; inbound, also how long an unshown one counts as a contact
    quiet: tuple[str, ...] = ()


@dataclass(frozen=True)
class Budget:
    """What may be spent in a period, in units of `spend`, over all actions that name it.

    days    the length of a period; the first starts at `starts`
    pacing  how hard it is spread over the period: 0 is first come, first served; see models.budgets
    """

    name: str
    amount: float
    days: float
    starts: datetime = datetime(2020, 1, 6, tzinfo=UTC)  # a Monday
    pacing: float = PACING


@dataclass(frozen=True)
class Suppression:
    """After an outcome came `times` times within `days`, what `rests` (the action, its group or all marketing) rests for `rest_days`."""

    outcome: str
    rest_days: float
    times: int = 1
    days: float = 30.0
    reason: str | None = None  # only rejections for this reason
    channel: str | None = None
    rests: Literal["action", "group", "all"] = "action"


@dataclass(frozen=True)
class Policy:
    """What holds for all actions."""

    min_value: float = 0.0  # a priority must be above it
    min_value_by_tier: Mapping[str, float] = field(default_factory=dict)
    min_propensity: float = 0.0  # a chance must be at least so high
    fatigue: float = 0.15  # each unanswered contact within `fatigue_days` costs this much, exp(−fatigue · contacts)
    fatigue_by_tier: Mapping[str, float] = field(default_factory=dict)
    fatigue_days: float = 14.0
    complaint_lift: float = 2.0  # the context factor of service while a complaint is open
    pacing: float = PACING  # of stock that has an end


def _channels() -> Mapping[str, Channel]:
    return {"website": Channel(), "email": Channel(outbound=True, valid_minutes=1440), "agent": Channel()}


@dataclass(frozen=True)
class Actions:
    """All of `actions.toml`. `levers` are percent by issue or group, added to an action's own."""

    actions: tuple[Action, ...] = ()
    channels: Mapping[str, Channel] = field(default_factory=_channels)
    limits: tuple[Limit, ...] = ()
    suppressions: tuple[Suppression, ...] = ()
    budgets: tuple[Budget, ...] = ()
    levers: Mapping[str, float] = field(default_factory=dict)
    policy: Policy = Policy()
    learning: Learning = field(default_factory=Learning)
    arms: Arms = field(default_factory=Arms)

    @cached_property
    def rows(self) -> Mapping[str, int]:
        """The place of each action in `actions`."""
        return {action.id: row for row, action in enumerate(self.actions)}

    @cached_property
    def starts(self) -> Starts:
        """Where the chances of the actions start."""
        return Starts.of([(one.id, one.group, one.propensity, one.evidence) for one in self.actions])

    @cached_property
    def purposes(self) -> frozenset[str]:
        """The purposes that need her consent."""
        return frozenset(action.purpose for action in self.actions if not action.serving)

    @cached_property
    def by_id(self) -> Mapping[str, Action]:
        """Its actions by their ids."""
        return {action.id: action for action in self.actions}

    @cached_property
    def version(self) -> str:
        """A hash of the content, 16 hexadecimal digits."""
        return blake2b(json.dumps(self.document, sort_keys=True).encode(), digest_size=8).hexdigest()

    @cached_property
    def document(self) -> dict[str, Any]:
        """What is said, as plain values that models.action_catalogue.read takes again; what is as by default is left out."""
        return _said(self, dataclasses.fields(Actions))


def _said(value: Any, fields: Iterable[dataclasses.Field[Any]]) -> dict[str, Any]:
    """What differs from the defaults."""
    parts = ((part, getattr(value, part.name)) for part in fields)
    return {part.name.rstrip("_"): _plain(held) for part, held in parts if held != _default(part)}


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return _said(value, dataclasses.fields(value))
    if isinstance(value, Mapping):
        return {key: _plain(held) for key, held in value.items()}
    if isinstance(value, tuple):
        return [_plain(held) for held in value]
    return value.isoformat() if isinstance(value, datetime) else value


def _default(part: dataclasses.Field[Any]) -> Any:
    return part.default if part.default_factory is dataclasses.MISSING else part.default_factory()
