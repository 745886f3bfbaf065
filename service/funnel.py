"""The funnel: which actions may be chosen at all, in a fixed order of stages; an action is dropped once, with the code of the first.

Consent, addresses and complaints are looked at before anything of the profile is. A stage is a question: must this action be dropped?
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from models.actions import Action, Actions, Channel, Treatment
from models.arms import Arm
from models.profile import Profile
from models.propensity import Belief, coded, decoded, hers
from service.facts import Answer, Facts, consent, do_not_contact
from service.ledger import DAY_S, Answers, Ledger
from service.picture import Picture

ORDER = (
    "DATES",
    "STATE",
    "CHANNEL",
    "PLACEMENT",
    "CONSENT",
    "DO_NOT_CONTACT",
    "QUIET_HOURS",
    "OPEN_COMPLAINT",
    "PROFILING",
    "TIER",
    "ELIGIBILITY",
    "APPLICABILITY",
    "SUITABILITY",
    "COOL_OFF",
    "SUPPRESSION",
    "CONTACT_LIMIT",
    "BUDGET",
    "RAMP",
    "MIN_PROPENSITY",
    "MIN_VALUE",
    "HOLDOUT",
    "ARBITRATION",
    "DUPLICATE",
    "RULE_ERROR",
)


@dataclass(frozen=True)
class Situation:
    """All that a decision depends on: a customer on a channel, now, and the catalogue.

    blind      the store is away: nothing is known of consent, complaints and contacts
    complaint  whether a complaint is open, known even of who refused to be profiled: it keeps marketing away
    profiled   whether profile and picture may be read; they are empty where not
    belief     what is believed of the chance of every action of the catalogue here
    arm        of the experiment that goes on all the time; `seed` is that of the choice
    """

    channel: str
    now: int
    facts: Facts
    profile: Profile
    picture: Picture
    actions: Actions
    belief: Belief
    placement: str | None = None
    context: Mapping[str, object] = field(default_factory=dict)
    ledger: Ledger = field(default_factory=Ledger)
    blind: bool = False
    complaint: bool = False
    profiled: bool = True
    arm: Arm = "full"
    seed: int = 0

    @property
    def way(self) -> Channel:
        """The channel's settings."""
        return self.actions.channels[self.channel]


@dataclass(frozen=True)
class Look:
    """A situation with what all actions ask of it, answered once."""

    at: Situation
    belief: Belief  # with her own answers
    answers: Mapping[str, Answers]
    refused: frozenset[str]  # purposes that have no consent here
    full: bool  # a contact limit is reached
    unaddressable: bool
    unanswered: int


def look(situation: Situation) -> Look:
    """Answer once what every action asks."""
    actions, now, ledger = situation.actions, situation.now, situation.ledger
    full = any(
        ledger.count(since=now - round(limit.days * DAY_S), now=now, channel=limit.channel) >= limit.contacts
        for limit in actions.limits
        if limit.channel in (None, situation.channel)
    )
    said = {purpose: consent(situation.facts, purpose, situation.channel) for purpose in actions.purposes}
    answers = ledger.answers()
    return Look(
        at=situation,
        belief=_belief(situation, answers),
        answers=answers,
        refused=frozenset(purpose for purpose, answer in said.items() if _refuses(answer, situation)),
        full=full,
        unaddressable=situation.way.outbound and do_not_contact(situation.facts, situation.channel),
        unanswered=ledger.unanswered(since=now - round(actions.policy.fatigue_days * DAY_S)),
    )


def _belief(situation: Situation, answers: Mapping[str, Answers]) -> Belief:
    """The belief of each action, moved by what she answered before; as it will be logged."""
    belief, actions = situation.belief, situation.actions
    told = [action_id for action_id in answers if action_id in actions.rows] if situation.profiled else []
    if not told:
        return belief
    mean, evidence = belief.mean.copy(), belief.evidence.copy()
    for action_id in told:
        row, tally = actions.rows[action_id], answers[action_id]
        start = actions.actions[row].evidence
        mean[row], evidence[row] = hers(belief, row, tries=tally.tries, positives=tally.positives, evidence=start)
    return decoded(coded(Belief(mean, evidence)))


def _refuses(answer: Answer, situation: Situation) -> bool:
    return situation.blind or answer == "no" or (answer == "unknown" and situation.way.outbound)


def funnel(seen: Look) -> tuple[list[Action], dict[str, str]]:
    """The actions that pass every stage, in the catalogue's order; and for each other one the code of the stage that dropped it."""
    passed: list[Action] = []
    dropped: dict[str, str] = {}
    stages = [(code, drops) for code, drops in STAGES if code not in _IDLE or not _IDLE[code](seen)]
    for action in seen.at.actions.actions:
        for code, drops in stages:
            if drops(action, seen):
                dropped[action.id] = code
                break
        else:
            passed.append(action)
    return passed, dropped


def treatment(action: Action, channel: str, placement: str | None) -> Treatment | None:
    """The action's first treatment for this place: one made for the placement before one for the whole channel."""
    there = action.forms.get(channel, ())
    if placement is None:
        return there[0] if there else None
    made = (one for one in there if placement in one.placements)
    anywhere = (one for one in there if not one.placements)
    return next(made, None) or next(anywhere, None)


def _dates(action: Action, seen: Look) -> bool:
    starts, ends = action.lifespan
    return not starts <= seen.at.now < ends


def _state(action: Action, _: Look) -> bool:
    return action.state != "active"


def _channel(action: Action, seen: Look) -> bool:
    return seen.at.channel not in action.forms


def _placement(action: Action, seen: Look) -> bool:
    return treatment(action, seen.at.channel, seen.at.placement) is None


def _consent(action: Action, seen: Look) -> bool:
    return action.purpose in seen.refused and not action.serving


def _do_not_contact(action: Action, seen: Look) -> bool:
    return seen.unaddressable and action.class_ != "silence"


def _open_complaint(action: Action, seen: Look) -> bool:
    return seen.at.complaint and not action.serving


def _profiling(action: Action, seen: Look) -> bool:
    return action.profiled and not seen.at.profiled


def _tier(action: Action, seen: Look) -> bool:
    picture = seen.at.picture
    wrong_tier = action.tiers and not any(name in action.tiers for name in picture.tiers)
    return bool(wrong_tier or (action.lifecycles and picture.lifecycle not in action.lifecycles))


def _applicability(action: Action, seen: Look) -> bool:
    numbers = seen.at.picture.numbers
    for fact, bounds in action.needs.items():
        value = numbers.get(fact)
        if value is None or value < bounds[0] or (len(bounds) > 1 and value > bounds[1]):
            return True
    return False


def _cool_off(action: Action, seen: Look) -> bool:
    answers = seen.answers.get(action.id)
    if answers is None:
        return False
    return any(
        outcome in answers.last and seen.at.now < answers.last[outcome] + days * DAY_S
        for outcome, days in action.cool_off_days.items()
    )


def _contact_limit(action: Action, seen: Look) -> bool:
    return seen.full and not action.serving


_QUESTIONS: dict[str, Callable[[Action, Look], bool]] = {
    "DATES": _dates,
    "STATE": _state,
    "CHANNEL": _channel,
    "PLACEMENT": _placement,
    "CONSENT": _consent,
    "DO_NOT_CONTACT": _do_not_contact,
    "OPEN_COMPLAINT": _open_complaint,
    "PROFILING": _profiling,
    "TIER": _tier,
    "APPLICABILITY": _applicability,
    "COOL_OFF": _cool_off,
    "CONTACT_LIMIT": _contact_limit,
}
STAGES = tuple((code, _QUESTIONS[code]) for code in ORDER if code in _QUESTIONS)
_IDLE: dict[str, Callable[[Look], bool]] = {  # when a stage has nothing to drop, it need not be asked 200 times
    "PLACEMENT": lambda seen: seen.at.placement is None,
    "CONSENT": lambda seen: not seen.refused,
    "DO_NOT_CONTACT": lambda seen: not seen.unaddressable,
    "OPEN_COMPLAINT": lambda seen: not seen.at.complaint,
    "PROFILING": lambda seen: seen.at.profiled,
    "COOL_OFF": lambda seen: not seen.answers,
    "CONTACT_LIMIT": lambda seen: not seen.full,
}
