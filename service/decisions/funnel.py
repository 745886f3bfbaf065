"""The funnel: which actions may be chosen at all, in a fixed order of stages; an action is dropped once, with the code of the first.

Consent, addresses and complaints are looked at before anything of the profile is. A stage says which of the actions still there must go, for
all of them at once: sets of actions are ints, one bit an action (models.action_catalogue). Conditions are asked of who is still there alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

from models import action_rules
from models.action_catalogue import Forms, Index, Set, numbers, union
from models.actions import Action
from models.propensity import Belief, hers, logged, logged_one
from models.response import traits
from service.decisions import budgets, hours, policy
from service.decisions.conditions import Conditions, conditions
from service.decisions.ledger import DAY_S
from service.decisions.past import Seen, outcomes, past, tally
from service.decisions.situation import Situation
from service.people.facts import Answer, consent, do_not_contact

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
class Look:
    """A situation with what all actions ask of it, answered once.

    answers   each time that she saw an action, and what came of it
    forms     how each action looks at this place
    refused   marketing for purposes that have no consent here
    full      actions that a contact limit stops       rests  that a suppression stops
    late      whether what is sent now would have to wait for longer than it is valid
    """

    at: Situation
    answers: Mapping[str, Sequence[Seen]]
    forms: Forms
    refused: Set
    full: Set
    rests: Set
    unaddressable: bool
    late: bool
    unanswered: int

    @property
    def index(self) -> Index:
        """The catalogue's."""
        return self.at.actions.index


class Passage(NamedTuple):
    """Who came through the funnel, whom each stage dropped, by its code, and what is believed of those who came through."""

    passed: Set
    dropped: Mapping[str, Set]
    belief: Belief


def look(situation: Situation) -> Look:
    """Answer once what every action asks."""
    actions, index = situation.actions, situation.actions.index
    said = {purpose: consent(situation.facts, purpose, situation.channel) for purpose in index.purposes}
    now = situation.now
    since = now - round(actions.policy.fatigue_days * DAY_S)
    told = past(situation.ledger, since=since, now=now, asked=index.suppressing)
    return Look(
        at=situation,
        answers=told.answers,
        forms=index.forms(situation.channel, situation.placement, situation.language),
        refused=union(index.purposes[purpose] for purpose, answer in said.items() if _refuses(answer, situation)),
        full=policy.full(told, actions, channel=situation.channel, tiers=situation.picture.tiers, now=now),
        rests=policy.resting(told, actions, channel=situation.channel, now=now),
        unaddressable=situation.way.outbound and do_not_contact(situation.facts, situation.channel),
        late=hours.too_late(situation.way, zone=situation.zone, now=now),
        unanswered=told.unanswered,
    )


def _refuses(answer: Answer, situation: Situation) -> bool:
    return situation.blind or answer == "no" or (answer == "unknown" and situation.way.outbound)


def funnel(seen: Look) -> Passage:
    """The actions that pass every stage, and for each other one the stage that dropped it."""
    return funnels([seen])[0]


def funnels(several: Sequence[Look]) -> list[Passage]:
    """The same of several decisions of one catalogue, whose conditions are asked at once."""
    ruling = conditions([seen.at for seen in several])
    return list(map(_through, several, ruling))


def _through(seen: Look, ruling: Conditions) -> Passage:
    alive, dropped = seen.index.all, dict[str, Set]()
    for code, stops in STAGES:
        out = alive & stops(seen, alive)
        if code in RULE_STAGES and alive:
            out, wrong = ruling.ruled_out(code, alive)
            alive ^= wrong
            dropped[RULE_ERROR] = dropped.get(RULE_ERROR, 0) | wrong
        alive ^= out
        dropped[code] = out
    return Passage(alive, {code: dropped[code] for code in ORDER if dropped.get(code)}, _belief(seen, alive))


def _belief(seen: Look, passed: Set) -> Belief:
    """The belief of each action, moved by who she is and, of those who passed, by what she answered before; as it will be logged."""
    at, actions = seen.at, seen.at.actions
    belief = at.belief
    if not at.profiled:
        return belief
    if at.response is not None:
        belief = logged(at.response.applied(belief, _traits(at, seen.unanswered), actions))
    mean, evidence = belief.mean.copy(), belief.evidence.copy()  # of who answered nothing they are as logged already
    for action_id, times in seen.answers.items():
        row = actions.rows.get(action_id)
        if row is not None and passed >> row & 1:
            tries, positives = tally(times)
            moved = hers(belief, row, tries=tries, positives=positives, evidence=actions.actions[row].evidence)
            mean[row], evidence[row] = logged_one(*moved)
    return Belief(mean, evidence)


def _traits(situation: Situation, unanswered: int) -> dict[str, float]:
    picture = situation.picture
    return traits(
        picture.numbers,
        tier=picture.tiers[0] if picture.tiers else "",
        lifecycle=picture.lifecycle,
        channel=situation.channel,
        unanswered=unanswered,
        hour=situation.local.hour,
    )


def _dates(seen: Look, _: Set) -> Set:
    return ~seen.index.living(seen.at.now)


def _state(seen: Look, _: Set) -> Set:
    return ~seen.index.active


def _channel(seen: Look, _: Set) -> Set:
    return ~seen.index.channels.get(seen.at.channel, 0)


def _placement(seen: Look, _: Set) -> Set:
    return ~seen.forms.all


def _consent(seen: Look, _: Set) -> Set:
    return seen.refused


def _do_not_contact(seen: Look, _: Set) -> Set:
    return ~seen.index.silent if seen.unaddressable else 0


def _quiet_hours(seen: Look, _: Set) -> Set:
    return ~seen.index.silent if seen.late else 0


def _open_complaint(seen: Look, _: Set) -> Set:
    return ~seen.index.serving if seen.at.complaint else 0


def _profiling(seen: Look, _: Set) -> Set:
    return 0 if seen.at.profiled else seen.index.profiled


def _tier(seen: Look, _: Set) -> Set:
    index, picture = seen.index, seen.at.picture
    tiers = index.any_tier | union(index.tiers.get(name, 0) for name in picture.tiers)
    return ~tiers | ~(index.any_lifecycle | index.lifecycles.get(picture.lifecycle or "", 0))


def _cool_off(seen: Look, alive: Set) -> Set:
    index, now, resting = seen.index, seen.at.now, 0
    for name, times in seen.answers.items():
        number = index.number.get(name)
        if number is not None and alive >> number & 1:
            days = index.actions[number].cool_off_days
            if days and any(now < at + days[told] * DAY_S for told, at in outcomes(times) if told in days):
                resting |= 1 << number
    return resting


def _suppression(seen: Look, _: Set) -> Set:
    return seen.rests


def _contact_limit(seen: Look, _: Set) -> Set:
    return seen.full


def _budget(seen: Look, _: Set) -> Set:
    at = seen.at
    return budgets.spent(at.channel, at.actions, at.levels, closed=at.closed, now=at.now) if seen.index.paid else 0


def _ramp(seen: Look, alive: Set) -> Set:
    """New actions reach a share of the customers, always the same ones, that grows with what is known of them."""
    actions, at, out = seen.index.actions, seen.at, 0
    who = f"\x00{at.customer_id}".encode("utf-8", "surrogatepass")
    for number in numbers(alive & seen.index.ramped):
        if _place(actions[number], who) >= _reach(actions[number], at) * 2**64:
            out |= 1 << number
    return out


def _place(action: Action, who: bytes) -> int:
    """Where she stands among those whom an action may reach, below 2^64."""
    return int.from_bytes(blake2b(action.id.encode("utf-8", "surrogatepass") + who, digest_size=8).digest(), "big")


def _reach(action: Action, at: Situation) -> float:
    """The share of the customers that an action reaches."""
    if action.ramp is None:
        return 1.0
    known = min(at.positives.get(action.id, 0.0) / action.ramp.positives, 1.0)
    return action.ramp.start + (1 - action.ramp.start) * known


RULE_ERROR = "RULE_ERROR"
RULE_STAGES = frozenset(action_rules.STAGES)
_STOPS: Mapping[str, Callable[[Look, Set], Set]] = {
    "DATES": _dates,
    "STATE": _state,
    "CHANNEL": _channel,
    "PLACEMENT": _placement,
    "CONSENT": _consent,
    "DO_NOT_CONTACT": _do_not_contact,
    "QUIET_HOURS": _quiet_hours,
    "OPEN_COMPLAINT": _open_complaint,
    "PROFILING": _profiling,
    "TIER": _tier,
    "ELIGIBILITY": lambda *_: 0,
    "APPLICABILITY": lambda *_: 0,
    "SUITABILITY": lambda *_: 0,
    "COOL_OFF": _cool_off,
    "SUPPRESSION": _suppression,
    "CONTACT_LIMIT": _contact_limit,
    "BUDGET": _budget,
    "RAMP": _ramp,
}
STAGES = tuple((code, _STOPS[code]) for code in ORDER if code in _STOPS)
