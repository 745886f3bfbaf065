"""The next best action: for a customer, on a channel, now.

one read (the customer) → funnel (who may be told what) → arbitration (what is worth most) → one reservation in her ledger → log → answer

The reservation compares and sets: where another decision was faster, this one is made again on what the ledger then says, so that a limit of
two contacts is two, whatever races. With the store away nothing is made from ignorance: service messages only, nothing is reserved or
logged, and the answer says `degraded`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from models import thompson
from models.actions import Action, Actions, Items, Treatment
from models.errors import StoreUnavailable
from models.profile import EMPTY, Profile, load, rfc3339
from models.propensity import Belief
from models.tiers import Tiers
from service import facts as facts_of
from service import ledger as ledger_of
from service.arbitration import Candidate, ranked
from service.beliefs import starting
from service.choice import Choice, Terms, choose
from service.funnel import ORDER, Look, Situation, funnel, look, treatment
from service.ledger import DAY_S, Contact, Ledger
from service.picture import NOTHING, Picture, picture
from service.store import Customer, Store
from service.why import Explain, say, why

DECISIONS_KEPT_S = 90 * DAY_S
CONTACTS_KEPT_S = 400 * DAY_S
AGENT, AGENT_N = "agent", 3

Attach = Callable[
    [Items, Profile, Sequence[str]], Sequence[Any]
]  # (what, whose, item ids it is about) -> items of an answer


Believe = Callable[[Actions, str, str, int], Belief]  # (catalogue, channel, tier, now)


class DecisionTakenError(Exception):
    """A decision_id that another customer's or channel's decision has already."""


@dataclass(frozen=True)
class Request:
    """One decision, asked for. `n`: None is 3 for an agent, else 1. `decision_id` makes the call idempotent."""

    customer_id: str
    channel: str
    placement: str | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
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


@dataclass(frozen=True)
class Learnt:
    """What a decision uses of the bundle, all None as long as there is none, and of the counters.

    attach   finds the products that go with a treatment
    believe  what is thought of the chances; without counters, where they start
    """

    attach: Attach
    believe: Believe = starting
    tiers: Tiers | None = None
    currency: str | None = None
    model_version: str | None = None


IGNORANT = Learnt(attach=lambda *_: [])


@dataclass(frozen=True)
class Decision:
    """What was decided, and of what."""

    choice: Choice
    candidates: tuple[Candidate, ...]
    dropped: Mapping[str, str]  # action id -> drop code
    seen: Look

    @property
    def best(self) -> tuple[Candidate, ...]:
        """What was chosen, best first."""
        return self.choice.best

    @property
    def speaks(self) -> bool:
        """Whether there is something to say to the customer."""
        return any(one.action.class_ != "silence" for one in self.best)

    def counts(self) -> dict[str, int]:
        """How many actions each stage dropped, in the order of the funnel; stages that dropped none are left out."""
        counts = Counter(self.dropped.values())
        return {code: counts[code] for code in ORDER if code in counts}

    def no_action_reason(self) -> str | None:
        """Where there is nothing to say: the stage that stopped the action that came furthest."""
        return None if self.speaks else next(reversed(self.counts()), None)


def next_best_action(
    request: Request, *, store: Store | None, actions: Actions, learnt: Learnt, now: int, new_id: str
) -> dict[str, Any]:
    """The answer of the contract. Raises DecisionTakenError for the decision_id of another customer or channel."""
    decision_id = request.decision_id or new_id
    try:
        if store is None:
            raise StoreUnavailable("this service runs without a store")
        if request.decision_id and not request.dry_run and (kept := logged(store, decision_id)):
            return _repeated(store, kept, request)
        customer = store.customer(request.customer_id) or Customer(request.customer_id)
        situation = situate(request, customer, actions=actions, learnt=learnt, now=now)
        if request.dry_run:
            return answer(decide(request, situation), request, learnt=learnt, decision_id=decision_id)
        decision = _reserve(store, request, situation, decision_id=decision_id, known=customer.ledger)
        made = answer(decision, request, learnt=learnt, decision_id=decision_id)
        return _log(store, made, request, decision)
    except StoreUnavailable:
        situation = ignorant(request, actions=actions, now=now)
        return answer(decide(request, situation), request, learnt=learnt, decision_id=decision_id)


def situate(request: Request, customer: Customer, *, actions: Actions, learnt: Learnt, now: int) -> Situation:
    """The situation of a customer whom the store knows. Her profile is not looked at where she refused that, save for open complaints."""
    facts = facts_of.load(customer.facts)
    profile = load(customer.profile)
    profiled = facts_of.may_profile(facts)
    told = profile if profiled else EMPTY
    seen = picture(told, facts, tiers=learnt.tiers, currency=learnt.currency, now=now) if profiled else NOTHING
    return Situation(
        channel=request.channel,
        placement=request.placement,
        context=request.context,
        now=now,
        facts=facts,
        profile=told,
        picture=seen,
        actions=actions,
        belief=learnt.believe(actions, request.channel, tier(seen), now),
        ledger=ledger_of.load(customer.ledger),
        complaint=profile.open_complaints > 0,
        profiled=profiled,
        arm=actions.arms.arm(customer.customer_id),
        seed=_seed(request, customer.customer_id, actions, learnt, now),
    )


def tier(seen: Picture) -> str:
    """The tier that chances are learnt for; "" where none is known."""
    return seen.tiers[0] if seen.tiers else ""


def _seed(request: Request, customer_id: str, actions: Actions, learnt: Learnt, now: int) -> int:
    """One seed for a customer, place, version and day, so that a page that is loaded again says the same; the request's own wins."""
    if request.seed is not None:
        return thompson.seed("asked", request.seed)
    day = now // DAY_S
    return thompson.seed(customer_id, request.channel, request.placement, actions.version, learnt.model_version, day)


def ignorant(request: Request, *, actions: Actions, now: int) -> Situation:
    """The situation while the store is away."""
    nobody = situate(request, Customer(request.customer_id), actions=actions, learnt=IGNORANT, now=now)
    return replace(nobody, picture=NOTHING, blind=True, arm="full")


def decide(request: Request, situation: Situation) -> Decision:
    """The decision, a pure function of what is asked and what is known."""
    seen = look(situation)
    passed, dropped = funnel(seen)
    candidates = ranked(passed, seen)
    rows = [situation.actions.rows[one.action.id] for one in candidates]
    choice = choose(
        candidates,
        Belief(seen.belief.mean[rows], seen.belief.evidence[rows]),
        Terms(
            n=request.length,
            distinct_groups=request.channel == AGENT,
            min_value=situation.actions.policy.min_value,
            arm=situation.arm,
            exploration="none" if situation.blind else situation.actions.learning.exploration,
            seed=situation.seed,
        ),
    )
    return Decision(choice, tuple(candidates), {**dropped, **choice.dropped}, seen)


def _reserve(
    store: Store, request: Request, situation: Situation, *, decision_id: str, known: bytes | None
) -> Decision:
    """Decide, and put the contact into the ledger in the same breath; silence writes nothing."""
    decision = decide(request, replace(situation, ledger=situation.ledger.without(decision_id)))
    if not decision.speaks:
        return decision

    def reserve(document: bytes | None) -> bytes | None:
        nonlocal decision
        ledger = ledger_of.load(document).without(decision_id)
        if document != known:
            decision = decide(request, replace(situation, ledger=ledger))
        return _with_contact(ledger, decision, decision_id) if decision.speaks else None

    store.change(request.customer_id, "ledger", reserve)
    return decision


def _with_contact(ledger: Ledger, decision: Decision, decision_id: str) -> bytes:
    at = decision.seen.at
    contact = Contact(
        decision_id=decision_id,
        channel=at.channel,
        at=at.now,
        until=None if at.way.outbound else at.now + at.way.valid_minutes * 60,
        counted=any(not one.action.serving for one in decision.best),
        actions=tuple(one.action.id for one in decision.best),
    )
    return ledger_of.dump(ledger_of.reserve(ledger, contact, keep_s=CONTACTS_KEPT_S))


def answer(decision: Decision, request: Request, *, learnt: Learnt, decision_id: str) -> dict[str, Any]:
    """The decision in the shape of the contract."""
    at = decision.seen.at
    return {
        "decision_id": decision_id,
        "arm": at.arm,
        "actions": [_action(rank, decision, request, learnt) for rank in range(1, len(decision.best) + 1)],
        "dropped": decision.counts(),
        "no_action_reason": decision.no_action_reason(),
        "catalogue_version": at.actions.version,
        "model_version": learnt.model_version,
        "valid_until": rfc3339(at.now + at.way.valid_minutes * 60),
        "degraded": at.blind,
    }


def _action(rank: int, decision: Decision, request: Request, learnt: Learnt) -> dict[str, Any]:
    one, at = decision.best[rank - 1], decision.seen.at
    form = _form(one.action, at)
    items = learnt.attach(form.items, at.profile, at.picture.item_ids) if form.items else []
    return {
        "action_id": one.action.id,
        "treatment": form.id,
        "rank": rank,
        "priority": one.priority,
        "factors": one.factors._asdict(),
        "probability": decision.choice.chances[rank - 1],
        "why": why(one, at.picture, explain=request.explain, lang=request.lang),
        "not_before": None,
        "content": {
            "title": say(form.title, at.picture, request.lang),
            "text": say(form.text, at.picture, request.lang),
            "template": form.template,
        },
        "items": items,
        "agent": _agent(one, form, decision, request.lang) if at.channel == AGENT else None,
    }


def _form(action: Action, at: Situation) -> Treatment:
    form = treatment(action, at.channel, at.placement)
    if form is None:
        raise ValueError(f"{action.id} passed the funnel without a treatment for {at.channel}")
    return form


def _agent(one: Candidate, form: Treatment, decision: Decision, lang: str) -> dict[str, Any]:
    words = decision.seen.at.picture
    return {
        "script": say(form.script, words, lang),
        "objections": [
            {"says": say(objection.says, words, lang), "answer": say(objection.answer, words, lang)}
            for objection in form.objections
        ],
        "if_rejected": _if_rejected(one, form, decision),
    }


def _if_rejected(one: Candidate, form: Treatment, decision: Decision) -> str | None:
    """The action to offer then: the one the catalogue names if it passed the funnel too, else the next best of another group."""
    others = [other.action for other in decision.candidates if other.action.class_ != "silence"]
    named = [action.id for action in others if action.id == form.if_rejected]
    next_best = [action.id for action in others if action.group != one.action.group]
    return next(iter(named or next_best), None)


def _log(store: Store, made: dict[str, Any], request: Request, decision: Decision) -> dict[str, Any]:
    """Keep the decision; where a call with the same decision_id was faster, its answer is the answer."""
    document = {
        "decision_id": made["decision_id"],
        "customer_id": request.customer_id,
        "channel": request.channel,
        "placement": request.placement,
        "context": dict(request.context),
        "at": rfc3339(decision.seen.at.now),
        "tier": tier(decision.seen.at.picture),
        "seed": decision.seen.at.seed,
        "chances": dict(decision.choice.first),
        "answer": made,
    }
    if store.put(
        "decision",
        made["decision_id"],
        orjson.dumps(document),
        expires_s=DECISIONS_KEPT_S,
        customer_id=request.customer_id,
    ):
        return made
    kept = logged(store, made["decision_id"])
    return made if kept is None else _repeated(store, kept, request)


def logged(store: Store, decision_id: str) -> dict[str, Any] | None:
    """A decision as it was logged; None where it is unknown or expired."""
    document = store.get("decision", decision_id)
    return None if document is None else orjson.loads(document)


def _repeated(store: Store, kept: dict[str, Any], request: Request) -> dict[str, Any]:
    if kept["channel"] != request.channel or not _same(store, kept["customer_id"], request.customer_id):
        raise DecisionTakenError(request.decision_id)
    made: dict[str, Any] = kept["answer"]
    return made


def _same(store: Store, one: str, other: str) -> bool:
    """Whether two names are of one customer."""
    if one == other:
        return True
    first, second = store.customers([one, other])
    return first is not None and second is not None and first.customer_id == second.customer_id
