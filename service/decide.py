"""The next best action: for a customer, on a channel, now.

one read (the customer) → funnel (who may be told what) → arbitration (what is worth most) → one reservation in her ledger → log → answer

The reservation compares and sets: where another decision was faster, this one is made again on what the ledger then says, so that a limit of
two contacts is two, whatever races. Tokens of budgets and stock are taken in the same transaction; where a pool refuses, the decision is made
again without it. A catalogue with budgets or stock reads how they stand, which is a second read. With the store away nothing is made from
ignorance: service messages only, nothing is reserved or logged, and the answer says `degraded`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from typing import Any

import orjson

from models import thompson
from models.action_catalogue import Catalogue, numbers
from models.actions import Actions, Items, Texts, Treatment
from models.catalogue import Catalogue as ItemCatalogue
from models.errors import StoreUnavailable
from models.profile import EMPTY, Profile, load, rfc3339
from models.propensity import Belief
from models.tiers import Tiers
from service import budgets, hours
from service import facts as facts_of
from service import ledger as ledger_of
from service import record as record_of
from service.arbitration import Candidate, of_tier, ranked, too_little
from service.beliefs import starting
from service.choice import Choice, Terms, choose
from service.facts import Facts
from service.funnel import ORDER, Look, Passage, Situation, funnel, look
from service.ledger import DAY_S, Contact, Ledger
from service.picture import NOTHING, Picture, picture
from service.reach import reach
from service.store import Customer, Settlement, Store
from service.why import Explain, say, why

DECISIONS_KEPT_S = 90 * DAY_S
CONTACTS_KEPT_S = 400 * DAY_S
ANSWER = "answer"  # the kind of the documents that make a decision_id idempotent
AGENT, AGENT_N = "agent", 3

Attach = Callable[
    [Items, Profile, Sequence[str]], Sequence[Any]
]  # (what, whose, item ids it is about) -> items of an answer


Believe = Callable[[Catalogue, str, str, int], Belief]  # (catalogue, channel, tier, now)


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
    positives  how often each action was taken so far: what a ramp goes by
    """

    attach: Attach
    believe: Believe = starting
    positives: Callable[[Actions, int], Mapping[str, float]] = lambda *_: {}
    tiers: Tiers | None = None
    currency: str | None = None
    model_version: str | None = None
    catalogue: ItemCatalogue | None = None  # the items as they are now
    zone: tzinfo = UTC  # the shop's


@dataclass(frozen=True)
class Log:
    """How long records of decisions are kept, and who notes that there is one (decision_id, its bytes, now)."""

    keep_s: int = DECISIONS_KEPT_S
    note: Callable[[str, bytes, int], None] = lambda *_: None


IGNORANT = Learnt(attach=lambda *_: [])


@dataclass(frozen=True)
class Decision:
    """What was decided, and of what."""

    choice: Choice
    candidates: tuple[Candidate, ...]
    passage: Passage
    dropped: Mapping[
        str, int
    ]  # drop code -> how many actions, in the order of the funnel; stages that dropped none are left out
    seen: Look

    @property
    def best(self) -> tuple[Candidate, ...]:
        """What was chosen, best first."""
        return self.choice.best

    @property
    def speaks(self) -> bool:
        """Whether there is something to say to the customer."""
        return any(one.action.class_ != "silence" for one in self.best)

    def no_action_reason(self) -> str | None:
        """Where there is nothing to say: the stage that stopped the action that came furthest."""
        return None if self.speaks else next(reversed(list(self.dropped)), None)


def next_best_action(
    request: Request,
    *,
    store: Store | None,
    actions: Catalogue,
    learnt: Learnt,
    now: int,
    new_id: str,
    log: Log | None = None,
    closed: frozenset[str] | None = None,
) -> dict[str, Any]:
    """The answer of the contract. Raises DecisionTakenError for the decision_id of another customer or channel.

    closed  the pools that a send has shared out to others; None: this is no send, and the prices of pools are asked
    """
    decision_id, log = request.decision_id or new_id, log or Log()
    try:
        if store is None:
            raise StoreUnavailable("this service runs without a store")
        if request.decision_id and not request.dry_run and (kept := _answered(store, decision_id)):
            return _repeated(store, kept, request)
        customer = store.customer(request.customer_id) or Customer(request.customer_id)
        situation = situate(request, customer, actions=actions, learnt=learnt, now=now)
        situation = with_levels(situation, store)
        situation = replace(situation, closed=closed or frozenset(), allotted=closed is not None)
        if request.dry_run:
            return answer(decide(request, situation), request, learnt=learnt, decision_id=decision_id)
        decision = _reserve(store, request, situation, decision_id=decision_id, known=customer.ledger)
        made = answer(decision, request, learnt=learnt, decision_id=decision_id)
        return _log(store, made, request, decision, learnt=learnt, log=log)
    except StoreUnavailable:
        situation = ignorant(request, actions=actions, now=now)
        return answer(decide(request, situation), request, learnt=learnt, decision_id=decision_id)


def situate(request: Request, customer: Customer, *, actions: Catalogue, learnt: Learnt, now: int) -> Situation:
    """The situation of a customer whom the store knows. Her profile is not looked at where she refused that, save for open complaints."""
    facts = facts_of.load(customer.facts)
    profile = load(customer.profile)
    profiled = facts_of.may_profile(facts)
    told = profile if profiled else EMPTY
    zone = hours.zone_of(facts["attributes"], learnt.zone)
    seen = _pictured(told, facts, learnt=learnt, zone=zone, now=now) if profiled else NOTHING
    situation = Situation(
        channel=request.channel,
        customer_id=customer.customer_id,
        placement=request.placement,
        language=request.lang,
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
        positives=learnt.positives(actions, now),
        zone=zone,
    )
    return replace(situation, reach=reach(situation, learnt.tiers))


def _pictured(profile: Profile, facts: Facts, *, learnt: Learnt, zone: tzinfo, now: int) -> Picture:
    return picture(
        profile,
        facts,
        tiers=learnt.tiers,
        currency=learnt.currency,
        catalogue=learnt.catalogue,
        zone=zone,
        now=now,
    )


def tier(seen: Picture) -> str:
    """The tier that chances are learnt for; "" where none is known."""
    return seen.tiers[0] if seen.tiers else ""


def _seed(request: Request, customer_id: str, actions: Catalogue, learnt: Learnt, now: int) -> int:
    """One seed for a customer, place, version and day, so that a page that is loaded again says the same; the request's own wins."""
    if request.seed is not None:
        return thompson.seed("asked", request.seed)
    day = now // DAY_S
    return thompson.seed(customer_id, request.channel, request.placement, actions.version, learnt.model_version, day)


def with_levels(situation: Situation, store: Store) -> Situation:
    """The situation with how the pools stand that actions of this channel draw on; no read where none does."""
    index = situation.actions.index
    paid = index.paid & index.channels.get(situation.channel, 0)
    if not paid:
        return situation
    names = budgets.pools(situation.actions, [index.actions[n] for n in numbers(paid)], now=situation.now)
    return replace(situation, levels=store.levels(names, now=situation.now))


def ignorant(request: Request, *, actions: Catalogue, now: int) -> Situation:
    """The situation while the store is away."""
    nobody = situate(request, Customer(request.customer_id), actions=actions, learnt=IGNORANT, now=now)
    return replace(nobody, picture=NOTHING, blind=True, arm="full")


def decide(request: Request, situation: Situation) -> Decision:
    """The decision, a pure function of what is asked and what is known."""
    seen = look(situation)
    return settled(request, seen, funnel(seen))


def settled(request: Request, seen: Look, passage: Passage) -> Decision:
    """The decision of who came through the funnel; what a replay makes again."""
    situation = seen.at
    candidates = ranked(passage.passed, seen)
    policy = situation.actions.policy
    rows = [situation.actions.rows[one.action.id] for one in candidates]
    choice = choose(
        candidates,
        Belief(seen.belief.mean[rows], seen.belief.evidence[rows]),
        Terms(
            n=request.length,
            distinct_groups=request.channel == AGENT,
            min_value=of_tier(policy.min_value, policy.min_value_by_tier, seen),
            arm=situation.arm,
            exploration="none" if situation.blind else situation.actions.learning.exploration,
            seed=situation.seed,
            short=too_little(candidates, seen),
        ),
    )
    counts = Counter(choice.dropped.values())
    counts.update({code: gone.bit_count() for code, gone in passage.dropped.items()})
    in_order = {code: counts[code] for code in ORDER if code in counts}
    return Decision(choice, tuple(candidates), passage, in_order, seen)


def _reserve(
    store: Store, request: Request, situation: Situation, *, decision_id: str, known: bytes | None
) -> Decision:
    """Decide, and put the contact into the ledger in the same breath; silence writes nothing. Each refusal of a pool leaves one pool less."""
    while True:
        decision, refused = _try(store, request, situation, decision_id=decision_id, known=known)
        if not refused:
            return decision
        situation = replace(situation, closed=situation.closed | set(refused))


def _try(
    store: Store, request: Request, situation: Situation, *, decision_id: str, known: bytes | None
) -> tuple[Decision, list[str]]:
    """The decision as it stands in the ledger, or which pools refused it."""
    decision = decide(request, replace(situation, ledger=situation.ledger.without(decision_id)))
    if not decision.speaks:
        return decision, []

    def settle(document: bytes | None) -> Settlement | None:
        nonlocal decision
        before = ledger_of.load(document)
        ledger = before.without(decision_id)
        if document != known:
            decision = decide(request, replace(situation, ledger=ledger))
        if not decision.speaks:
            return None
        return _settlement(ledger, decision, decision_id, replaced=before.find(decision_id))

    refused = store.settle(request.customer_id, settle, now=situation.now)
    return decision, refused


def _settlement(ledger: Ledger, decision: Decision, decision_id: str, *, replaced: Contact | None) -> Settlement:
    """The ledger with the contact, and the tokens that go with it."""
    contact = _contact(decision, decision_id)
    at = decision.seen.at
    bids = {one.action.id: budgets.NO_PACING if at.allotted else one.priority for one in decision.best}
    moves = (*budgets.returns(replaced), *budgets.takes(contact, bids, at.actions))
    return Settlement(ledger_of.dump(ledger_of.reserve(ledger, contact, keep_s=CONTACTS_KEPT_S)), moves)


def _contact(decision: Decision, decision_id: str) -> Contact:
    at = decision.seen.at
    contact = Contact(
        decision_id=decision_id,
        channel=at.channel,
        at=at.now,
        until=None if at.way.outbound else at.now + at.way.valid_minutes * 60,
        counted=any(not one.action.serving for one in decision.best),
        actions=tuple(one.action.id for one in decision.best),
        groups=tuple(one.action.group for one in decision.best),
    )
    return replace(contact, drawn=budgets.drawn(contact, at.actions))


def answer(decision: Decision, request: Request, *, learnt: Learnt, decision_id: str) -> dict[str, Any]:
    """The decision in the shape of the contract."""
    at = decision.seen.at
    return {
        "decision_id": decision_id,
        "arm": at.arm,
        "actions": [_action(rank, decision, request, learnt) for rank in range(1, len(decision.best) + 1)],
        "dropped": dict(decision.dropped),
        "no_action_reason": decision.no_action_reason(),
        "catalogue_version": at.actions.version,
        "model_version": learnt.model_version,
        "valid_until": rfc3339(at.now + at.way.valid_minutes * 60),
        "degraded": at.blind,
        "better_channel": at.reach.better,
    }


def _action(rank: int, decision: Decision, request: Request, learnt: Learnt) -> dict[str, Any]:
    one, at = decision.best[rank - 1], decision.seen.at
    form = decision.seen.forms.by_number[at.actions.index.number[one.action.id]]
    waits = hours.not_before(at.way, zone=at.zone, now=at.now, hour=at.reach.hour)
    items = learnt.attach(form.items, at.profile, at.picture.item_ids) if form.items else []
    return {
        "action_id": one.action.id,
        "treatment": form.id,
        "rank": rank,
        "priority": one.priority,
        "factors": one.factors._asdict(),
        "probability": decision.choice.chances[rank - 1],
        "why": why(one, at.picture, explain=request.explain, lang=request.lang),
        "not_before": None if waits is None else rfc3339(waits),
        "shadow_price": budgets.shadow_price(one.action, at.actions, at.levels, now=at.now),
        "content": {
            "title": say(form.title, at.picture, request.lang),
            "text": say(form.text, at.picture, request.lang),
            "template": form.template,
        },
        "items": items,
        "agent": _agent(one, form, decision, request.lang) if at.channel == AGENT else None,
    }


def _agent(one: Candidate, form: Treatment, decision: Decision, lang: str) -> dict[str, Any]:
    words = decision.seen.at.picture
    return {
        "script": say(_script(form, decision.seen), words, lang),
        "objections": [
            {"says": say(objection.says, words, lang), "answer": say(objection.answer, words, lang)}
            for objection in form.objections
        ],
        "if_rejected": _if_rejected(one, form, decision),
    }


def _script(form: Treatment, seen: Look) -> Texts:
    """What is said to people like her: by tier or life cycle, where the catalogue knows how."""
    picture = seen.at.picture
    own = (form.scripts[name] for name in (*picture.tiers, picture.lifecycle or "") if name in form.scripts)
    return next(own, form.script)


def _if_rejected(one: Candidate, form: Treatment, decision: Decision) -> str | None:
    """The action to offer then: the one the catalogue names if it passed the funnel too, else the next best of another group."""
    others = [other.action for other in decision.candidates if other.action.class_ != "silence"]
    named = [action.id for action in others if action.id == form.if_rejected]
    next_best = [action.id for action in others if action.group != one.action.group]
    return next(iter(named or next_best), None)


def _log(
    store: Store, made: dict[str, Any], request: Request, decision: Decision, *, learnt: Learnt, log: Log
) -> dict[str, Any]:
    """Keep the record, and under a caller's decision_id the whole answer; where a call with the same one was faster, its answer counts."""
    decision_id, whose, at = made["decision_id"], request.customer_id, decision.seen.at
    if request.decision_id is not None:
        kept = orjson.dumps({"customer_id": whose, "channel": request.channel, "answer": made})
        if not store.put(ANSWER, decision_id, kept, expires_s=log.keep_s, customer_id=whose):
            before = _answered(store, decision_id)
            return made if before is None else _repeated(store, before, request)
    asked = {
        "customer_id": whose,
        "length": request.length,
        "explain": request.explain,
        "lang": request.lang,
    }
    document = record_of.dump(
        record_of.written(decision.seen, decision.passage, made, decision.choice.first, asked=asked)
    )
    if store.put(record_of.KIND, decision_id, document, expires_s=log.keep_s, customer_id=whose):
        log.note(decision_id, document, at.now)
    return made


def _answered(store: Store, decision_id: str) -> dict[str, Any] | None:
    """The answer that a caller's decision_id has already."""
    document = store.get(ANSWER, decision_id)
    return None if document is None else orjson.loads(document)


def logged(store: Store, decision_id: str) -> dict[str, Any] | None:
    """The record of a decision; None where it is unknown, expired or erased."""
    document = store.get(record_of.KIND, decision_id)
    return None if document is None else record_of.load(document)


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
