"""The action catalogue: `actions.toml` as frozen dataclasses. Pure: a text comes in, actions or an InputError go out.

issue → group → action → treatments: an action is what we may do for a customer; a treatment is how that looks on one channel. The version
is a hash of the content, so that the same catalogue has the same version on every machine, whatever its comments and order of keys.

Values and costs are in units of the shop's choice, the same for all actions (the default catalogue: an average order earns 100).
"""

from __future__ import annotations

import dataclasses
import json
import math
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from hashlib import blake2b
from typing import Any, Literal

from models.arms import Arms
from models.arms import check as check_arms
from models.propensity import Learning, Starts
from models.propensity import check as check_learning
from models.tiers import LIFECYCLES
from models.toml import Place, build

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
FACTS = {  # what `needs` may ask of a customer; an unknown fact meets no need
    "orders": "number of orders",
    "spent": "value of all orders, major units",
    "days_since_order": "days since the last order",
    "days_since_seen": "days since anything was heard of her",
    "cart_items": "different items in the cart",
    "hours_since_cart": "hours since the cart last changed, while something lies in it",
    "order_due": "days since the last order / her usual interval: 1 is the day it is due",
    "tier_progress": "how much of the next tier's threshold is reached, 0-1; unknown in the highest tier",
    "tier_at_risk": "1 while she is below what keeps her tier, else 0",
    "open_complaints": "complaints not yet resolved",
    "days_since_trouble": "days since the last refund, dislike or resolved complaint",
    "marketing_known": "1 when she has said yes or no to marketing on any channel, else 0",
}
WORDS = (
    "tier",
    "next_tier",
    "missing",
    "currency",
    "orders",
    "days_since_order",
    "cart_items",
    "lifecycle",
)  # {…} in texts


@dataclass(frozen=True)
class Objection:
    """What a customer may answer the agent, and what the agent may say then."""

    says: Texts
    answer: Texts


@dataclass(frozen=True)
class Items:
    """The products to attach: `n` of a recommend intent."""

    intent: str
    n: int = 4


@dataclass(frozen=True)
class Treatment:
    """How an action looks on a channel. No placements: it stands anywhere on the channel. `if_rejected` names an action."""

    channel: str
    id: str = ""  # default: <action>_<channel>
    placements: tuple[str, ...] = ()
    title: Texts = field(default_factory=dict)
    text: Texts = field(default_factory=dict)
    template: str | None = None
    items: Items | None = None
    script: Texts = field(default_factory=dict)
    objections: tuple[Objection, ...] = ()
    if_rejected: str | None = None


@dataclass(frozen=True)
class Recency:
    """An action counts more just after something: 1 + boost · 2^(−age / half-life). `since` is a fact in days or hours."""

    since: str
    boost: float
    half_life: float  # in the unit of the fact


@dataclass(frozen=True)
class Action:
    """One thing that we may do.

    value, cost    see the module; `value_by_tier` overrules for the tiers it names
    propensity     where the chance of success starts, None: where its group stands; `evidence` is how many answers weigh as much as that
    tiers          names of tiers, "highest", or "none" for who has no tier; () all
    lifecycles     of models.tiers.LIFECYCLES; () all
    needs          fact -> [least] or [least, most], see FACTS; all must hold
    cool_off_days  outcome -> days in which this action rests after it
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
    propensity: float | None = None
    evidence: float = 20.0
    purpose: str = "marketing"
    state: State = "active"
    starts: datetime | None = None
    ends: datetime | None = None
    tiers: tuple[str, ...] = ()
    lifecycles: tuple[str, ...] = ()
    needs: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    cool_off_days: Mapping[str, float] = field(default_factory=dict)
    context: Mapping[str, float] = field(default_factory=dict)
    recency: Recency | None = None
    lever: float = 0.0
    why: Texts = field(default_factory=dict)

    @cached_property
    def serving(self) -> bool:
        """Whether it serves the customer rather than the shop: no consent needed, not counted to limits."""
        return self.class_ in SERVING

    @cached_property
    def profiled(self) -> bool:
        """Whether choosing it reads the customer's profile."""
        return bool(self.tiers or self.lifecycles or self.needs or self.value_by_tier or self.recency)

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


@dataclass(frozen=True)
class Channel:
    """`outbound`: we come to the customer, and marketing needs her yes; inbound, she came to us, and a no is enough to stop it."""

    outbound: bool = False
    valid_minutes: int = 30  # how long an answer may be used; inbound, also how long an unshown one counts as a contact


@dataclass(frozen=True)
class Limit:
    """At most so many contacts in any `days` days, on one channel or over all."""

    contacts: int
    days: float
    channel: str | None = None


@dataclass(frozen=True)
class Policy:
    """What holds for all actions."""

    min_value: float = 0.0  # a priority must be above it
    fatigue: float = 0.15  # each unanswered contact within `fatigue_days` costs this much, exp(−fatigue · contacts)
    fatigue_days: float = 14.0
    complaint_lift: float = 2.0  # the context factor of service while a complaint is open


def _channels() -> Mapping[str, Channel]:
    return {"website": Channel(), "email": Channel(outbound=True, valid_minutes=1440), "agent": Channel()}


@dataclass(frozen=True)
class Actions:
    """All of `actions.toml`. `levers` are percent by issue or group, added to an action's own."""

    actions: tuple[Action, ...] = ()
    channels: Mapping[str, Channel] = field(default_factory=_channels)
    limits: tuple[Limit, ...] = ()
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
    def version(self) -> str:
        """A hash of the content, 16 hexadecimal digits."""
        document = json.dumps(dataclasses.asdict(self), sort_keys=True, default=datetime.isoformat)
        return blake2b(document.encode(), digest_size=8).hexdigest()


def parse(text: str, source: str) -> Actions:
    """The catalogue in a TOML text; `source` names it in errors. Raises InputError with line and cure."""
    actions = build(Actions, text, source)
    actions = dataclasses.replace(actions, actions=tuple(_named(action) for action in actions.actions))
    _check(actions, Place(source, text))
    return actions


def _named(action: Action) -> Action:
    treatments = (
        treatment if treatment.id else dataclasses.replace(treatment, id=f"{action.id}_{treatment.channel}")
        for treatment in action.treatments
    )
    return dataclasses.replace(action, treatments=tuple(treatments))


def _check(actions: Actions, place: Place) -> None:
    ids = [action.id for action in actions.actions]
    treatments: set[str] = set()
    for number, action in enumerate(actions.actions):
        here = place / "actions" / str(number)
        if ids.index(action.id) != number:
            raise (here / "id").error(f"{action.id!r} is there twice; give one of them another id")
        _check_action(action, here)
        for index, treatment in enumerate(action.treatments):
            there = here / "treatments" / str(index)
            _check_treatment(treatment, there, actions, ids)
            if treatment.id in treatments:
                raise (there / "id").error(f"{treatment.id!r} is there twice; give each treatment an id of its own")
            treatments.add(treatment.id)
    for number, limit in enumerate(actions.limits):
        _check_limit(limit, place / "limits" / str(number), actions)
    _check_policy(actions.policy, place / "policy")
    check_learning(actions.learning, place / "learning")
    check_arms(actions.arms, place / "arms")


def _check_action(action: Action, place: Place) -> None:
    if not action.id:
        raise (place / "id").error("is empty; name the action")
    if not action.treatments:
        raise (place / "treatments").error("is empty; say how the action looks on at least one channel")
    if action.propensity is not None and not 0 < action.propensity <= 1:
        raise (place / "propensity").error(f"{action.propensity} must be above 0 and at most 1")
    for key in ("evidence", "cost", "value"):
        if getattr(action, key) < 0:
            raise (place / key).error(f"{getattr(action, key)} must not be negative")
    if not -90 <= action.lever <= 900:
        raise (place / "lever").error(f"{action.lever} percent must be between -90 and 900")
    if action.starts and action.ends and action.ends <= action.starts:
        raise (place / "ends").error("must be later than starts")
    for lifecycle in action.lifecycles:
        _one_of(lifecycle, LIFECYCLES, place / "lifecycles")
    _check_needs(action, place)
    for outcome, days in action.cool_off_days.items():
        _one_of(outcome, OUTCOMES, place / "cool_off_days")
        _above_zero(days, place / "cool_off_days" / outcome)
    for pair, factor in action.context.items():
        _above_zero(factor, place / "context" / pair)
        if "=" not in pair:
            raise (place / "context" / pair).error('write "key=value" = factor, like "page=cart" = 1.5')
    _check_texts(action.why, place / "why")


def _check_needs(action: Action, place: Place) -> None:
    for fact, bounds in action.needs.items():
        _one_of(fact, FACTS, place / "needs")
        if len(bounds) not in (1, 2) or list(bounds) != sorted(bounds):
            raise (place / "needs" / fact).error(f"{list(bounds)} is no range; write [least] or [least, most]")
    if action.recency:
        _one_of(action.recency.since, [fact for fact in FACTS if "_since_" in fact], place / "recency" / "since")
        _above_zero(action.recency.half_life, place / "recency" / "half_life")
        if action.recency.boost < 0:
            raise (place / "recency" / "boost").error(f"{action.recency.boost} must not be negative")


def _check_treatment(treatment: Treatment, place: Place, actions: Actions, ids: list[str]) -> None:
    _one_of(treatment.channel, actions.channels, place / "channel")
    if treatment.if_rejected is not None:
        _one_of(treatment.if_rejected, ids, place / "if_rejected")
    if treatment.items and not 1 <= treatment.items.n <= 100:
        raise (place / "items" / "n").error(f"{treatment.items.n} must be between 1 and 100")
    for key in ("title", "text", "script"):
        _check_texts(getattr(treatment, key), place / key)
    for index, objection in enumerate(treatment.objections):
        for key in ("says", "answer"):
            _check_texts(getattr(objection, key), place / "objections" / str(index) / key)


def _check_limit(limit: Limit, place: Place, actions: Actions) -> None:
    if limit.contacts < 0:
        raise (place / "contacts").error(f"{limit.contacts} must not be negative")
    _above_zero(limit.days, place / "days")
    if limit.channel is not None:
        _one_of(limit.channel, actions.channels, place / "channel")


def _check_policy(policy: Policy, place: Place) -> None:
    for key in ("fatigue_days", "complaint_lift"):
        _above_zero(getattr(policy, key), place / key)
    if policy.fatigue < 0:
        raise (place / "fatigue").error(f"{policy.fatigue} must not be negative")


def _check_texts(texts: Texts, place: Place) -> None:
    for language, text in texts.items():
        for word in words(text, place / language):
            _one_of(word, WORDS, place / language)


def words(text: str, place: Place) -> Iterator[str]:
    """The {words} of a text; InputError at `place` where braces do not match."""
    try:
        parts = list(string.Formatter().parse(text))
    except ValueError as error:
        raise place.error(f"{error}; write {{{{ and }}}} for braces that are meant") from error
    for _, word, specification, conversion in parts:
        if specification or conversion:
            raise place.error(f"{{{word}…}}: a word stands alone in its braces, without ! or :")
        if word is not None:
            yield word


def _one_of(value: str, known: Any, place: Place) -> None:
    if value not in known:
        raise place.error(f"{value!r} is unknown; known here: {', '.join(known)}")


def _above_zero(value: float, place: Place) -> None:
    if not value > 0:
        raise place.error(f"{value} must be above 0")
