"""The situation: what is asked, and all that is known when it is decided. From here on nothing is read, and a decision is a pure function."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any, Literal, NamedTuple

from models import thompson
from models.action_catalogue import Catalogue
from models.actions import Actions, Channel, Items
from models.arms import Arm
from models.budgets import Level
from models.catalogue import Catalogue as ItemCatalogue
from models.profile import EMPTY, Profile
from models.propensity import Belief
from models.response import Response
from models.tiers import Tiers
from service.decisions import hours
from service.decisions.beliefs import starting
from service.decisions.ledger import DAY_S, Ledger
from service.decisions.person import Person, read
from service.decisions.reach import ANYHOW, Reach, reach
from service.people import facts as facts_of
from service.people.facts import Facts
from service.people.picture import NOTHING, Picture, picture
from service.people.windows import UNKNOWN_WINDOWS, windows
from service.store import Customer

AGENT, AGENT_N = "agent", 3
NO_LEVELS: Mapping[str, Level] = {}

Explain = Literal["none", "top", "full"]
# (what, whose, item ids it is about) -> items of an answer
Attach = Callable[[Items, Profile, Sequence[str]], Sequence[Any]]
Believe = Callable[[Catalogue, str, str, int], Belief]  # (catalogue, channel, tier, now)


class Request(NamedTuple):
    """One decision, asked for. `n`: None is 3 for an agent, else 1. `decision_id` makes the call idempotent."""

    customer_id: str
    channel: str
    placement: str | None = None
    context: Mapping[str, Any] = {}
    n: int | None = None
    decision_id: str | None = None
    seed: int | None = None
    explain: Explain = "top"
    dry_run: bool = False
    lang: str = "en"

    @property
    def length(self) -> int:
        """How many actions are wanted."""
        return self.n or (AGENT_N if self.channel == AGENT else 1)


class Learnt(NamedTuple):
    """What a decision uses of the bundle, all None as long as there is none, and of the counters.

    attach   finds the products that go with a treatment
    believe  what is thought of the chances; without counters, where they start
    positives  how often each action was taken so far: what a ramp goes by
    """

    attach: Attach
    believe: Believe = starting
    positives: Callable[[Actions, int], Mapping[str, float]] = lambda *_: {}
    response: Response | None = None
    tiers: Tiers | None = None
    currency: str | None = None
    model_version: str | None = None
    catalogue: ItemCatalogue | None = None  # the items as they are now
    zone: tzinfo = UTC  # the shop's


IGNORANT = Learnt(attach=lambda *_: [])


class Situation(NamedTuple):
    """All that a decision depends on: a customer on a channel, now, and the catalogue.

    blind      the store is away: nothing is known of consent, complaints and contacts
    complaint  whether a complaint is open, known even of who refused to be profiled: it keeps marketing away
    profiled   whether profile and picture may be read; they are empty where not
    belief     what is believed of the chance of every action of the catalogue here
    response   how that differs from customer to customer, where it was learnt
    arm        of the experiment that goes on all the time; `seed` is that of the choice
    zone       her time zone, else the shop's
    reach      when and where she is best reached
    levels     how the pools of budgets and stock stand (models.budgets)
    closed     pools that this decision may not draw on: they refused, or a batch gave them to others
    allotted   whether a batch has shared out the pools: then their price is not asked
    positives  action id -> positive answers so far, over all customers: what a ramp goes by
    windows    the windowed functions of conditions (service.people.windows); nothing is known of them while the store is away
    """

    channel: str
    now: int
    facts: Facts
    profile: Profile
    picture: Picture
    actions: Catalogue
    belief: Belief
    response: Response | None = None
    customer_id: str = ""
    placement: str | None = None
    language: str = "en"
    context: Mapping[str, object] = {}
    ledger: Ledger = Ledger()
    blind: bool = False
    complaint: bool = False
    profiled: bool = True
    arm: Arm = "full"
    seed: int = 0
    zone: tzinfo = UTC
    reach: Reach = ANYHOW
    levels: Mapping[str, Level] = {}
    closed: frozenset[str] = frozenset()
    allotted: bool = False
    positives: Mapping[str, float] = {}
    windows: Mapping[str, Callable[..., float]] = UNKNOWN_WINDOWS

    @property
    def way(self) -> Channel:
        """The channel's settings."""
        return self.actions.channels[self.channel]

    @property
    def local(self) -> datetime:
        """Her clock."""
        return datetime.fromtimestamp(self.now, self.zone)


def situate(
    request: Request,
    customer: Customer | Person,
    *,
    actions: Catalogue,
    learnt: Learnt,
    now: int,
    levels: Mapping[str, Level] = NO_LEVELS,
) -> Situation:
    """The situation of a customer whom the store knows. Her profile is not looked at where she refused that, save for open complaints."""
    person = customer if isinstance(customer, Person) else read(customer)
    customer_id, facts, profile, ledger = person
    profiled = facts_of.may_profile(facts)
    told = profile if profiled else EMPTY
    zone = hours.zone_of(facts["attributes"], learnt.zone)
    seen = _pictured(told, facts, learnt=learnt, zone=zone, now=now) if profiled else NOTHING
    return Situation(
        channel=request.channel,
        customer_id=customer_id,
        placement=request.placement,
        language=request.lang,
        context=request.context,
        now=now,
        facts=facts,
        profile=told,
        picture=seen,
        actions=actions,
        belief=learnt.believe(actions, request.channel, tier(seen), now),
        response=learnt.response,
        ledger=ledger,
        complaint=profile.open_complaints > 0,
        profiled=profiled,
        arm=actions.arms.arm(customer_id),
        seed=_seed(request, customer_id, actions, learnt, now),
        positives=learnt.positives(actions, now),
        zone=zone,
        reach=reach(request.channel, actions.channels, person, _hours(seen, learnt), zone=zone, now=now),
        levels=levels,
        windows=windows(told, learnt.catalogue, now=now) if profiled else UNKNOWN_WINDOWS,
    )


def _pictured(profile: Profile, facts: Facts, *, learnt: Learnt, zone: tzinfo, now: int) -> Picture:
    return picture(
        profile, facts, tiers=learnt.tiers, currency=learnt.currency, catalogue=learnt.catalogue, zone=zone, now=now
    )


def _hours(seen: Picture, learnt: Learnt) -> Sequence[float]:
    """When people of her tier do what they do; nothing where nobody knows."""
    tier = next((name for name in seen.tiers if name != "none"), None)
    return learnt.tiers.hours_of(tier) if learnt.tiers is not None else ()


def tier(seen: Picture) -> str:
    """The tier that chances are learnt for; "" where none is known."""
    return seen.tiers[0] if seen.tiers else ""


def _seed(request: Request, customer_id: str, actions: Catalogue, learnt: Learnt, now: int) -> int:
    """One seed for a customer, place, version and day, so that a page that is loaded again says the same; the request's own wins."""
    if request.seed is not None:
        return thompson.seed("asked", request.seed)
    day = now // DAY_S
    return thompson.seed(customer_id, request.channel, request.placement, actions.version, learnt.model_version, day)


def ignorant(request: Request, *, actions: Catalogue, now: int) -> Situation:
    """The situation while the store is away."""
    nobody = situate(request, Customer(request.customer_id), actions=actions, learnt=IGNORANT, now=now)
    return nobody._replace(picture=NOTHING, windows=UNKNOWN_WINDOWS, blind=True, arm="full")
