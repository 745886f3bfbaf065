"""What must hold of a catalogue of actions: everything is found at load, with its line and a cure; nothing is found at night."""

from __future__ import annotations

import re
import string
from collections.abc import Collection, Iterator, Sequence
from typing import get_args

from models.actions import (
    FACTS,
    LISTS,
    OUTCOMES,
    WORDS,
    Action,
    Actions,
    Budget,
    Limit,
    Policy,
    Ramp,
    Suppression,
    Texts,
    Treatment,
)
from models.arms import check as check_arms
from models.propensity import check as check_learning
from models.settings import Intent
from models.tiers import LIFECYCLES
from models.toml import Place

HOUR = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


def check(actions: Actions, place: Place) -> None:
    """Raise InputError, with line and cure, for the first thing that cannot be."""
    _unique([action.id for action in actions.actions], place / "actions", "id")
    _unique([budget.name for budget in actions.budgets], place / "budgets", "name")
    ids, treatments = {action.id for action in actions.actions}, set[str]()
    for number, action in enumerate(actions.actions):
        here = place / "actions" / str(number)
        _check_action(action, here, actions)
        for index, treatment in enumerate(action.treatments):
            there = here / "treatments" / str(index)
            _check_treatment(treatment, there, actions, ids)
            if treatment.id in treatments:
                raise (there / "id").error(f"{treatment.id!r} is there twice; give each treatment an id of its own")
            treatments.add(treatment.id)
    groups = {action.group for action in actions.actions}
    for number, limit in enumerate(actions.limits):
        _check_limit(limit, place / "limits" / str(number), actions, groups)
    for number, rest in enumerate(actions.suppressions):
        _check_suppression(rest, place / "suppressions" / str(number), actions)
    for number, budget in enumerate(actions.budgets):
        _check_budget(budget, place / "budgets" / str(number))
    for name, channel in actions.channels.items():
        _check_channel(channel.valid_minutes, channel.quiet, place / "channels" / name)
    _check_levers(actions, groups, place / "levers")
    _check_policy(actions.policy, place / "policy")
    check_learning(actions.learning, place / "learning")
    check_arms(actions.arms, place / "arms")


def _unique(names: Sequence[str], place: Place, key: str) -> None:
    seen: set[str] = set()
    for number, name in enumerate(names):
        if name in seen:
            raise (place / str(number) / key).error(f"{name!r} is there twice; give one of them another {key}")
        seen.add(name)


def _check_action(action: Action, place: Place, actions: Actions) -> None:
    if not action.id:
        raise (place / "id").error("is empty; name the action")
    if not action.treatments:
        raise (place / "treatments").error("is empty; say how the action looks on at least one channel")
    if action.propensity is not None and not 0 < action.propensity <= 1:
        raise (place / "propensity").error(f"{action.propensity} must be above 0 and at most 1")
    for key in ("evidence", "cost", "value"):
        if getattr(action, key) < 0:
            raise (place / key).error(f"{getattr(action, key)} must not be negative")
    _within(action.lever, -90, 900, place / "lever")
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
    for index, limit in enumerate(action.limits):
        _check_limit(limit, place / "limits" / str(index), actions, ())
    _check_supply(action, place, actions)
    _check_texts(action.why, place / "why")


def _check_supply(action: Action, place: Place, actions: Actions) -> None:
    """What it is paid of, and how fast it is let loose."""
    if action.budget is not None:
        _one_of(action.budget, [budget.name for budget in actions.budgets], place / "budget")
        if not (action.cost if action.spend is None else action.spend) > 0:
            raise (place / "spend").error("must be above 0: say how much of the budget a contact takes, or a cost")
    elif action.spend is not None:
        raise (place / "spend").error("of which budget? Write budget = one of [[budgets]]")
    if action.stock is not None and action.stock < 0:
        raise (place / "stock").error(f"{action.stock} must not be negative")
    if action.ramp is not None:
        _check_ramp(action.ramp, place / "ramp")


def _check_ramp(ramp: Ramp, place: Place) -> None:
    _within(ramp.start, 0, 1, place / "start")
    _above_zero(ramp.positives, place / "positives")


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


def _check_treatment(treatment: Treatment, place: Place, actions: Actions, ids: Collection[str]) -> None:
    _one_of(treatment.channel, actions.channels, place / "channel")
    if treatment.if_rejected is not None:
        _one_of(treatment.if_rejected, ids, place / "if_rejected")
    if treatment.items:
        _one_of(treatment.items.intent, (*get_args(Intent), *LISTS), place / "items" / "intent")
        _within(treatment.items.n, 1, 100, place / "items" / "n")
    for key in ("title", "text", "script"):
        _check_texts(getattr(treatment, key), place / key)
    for name, texts in treatment.scripts.items():
        _check_texts(texts, place / "scripts" / name)
    for index, objection in enumerate(treatment.objections):
        for key in ("says", "answer"):
            _check_texts(getattr(objection, key), place / "objections" / str(index) / key)


def _check_limit(limit: Limit, place: Place, actions: Actions, groups: Collection[str]) -> None:
    if limit.contacts < 0:
        raise (place / "contacts").error(f"{limit.contacts} must not be negative")
    _above_zero(limit.days, place / "days")
    if limit.channel is not None:
        _one_of(limit.channel, actions.channels, place / "channel")
    if limit.group is not None:
        _one_of(limit.group, groups, place / "group")


def _check_suppression(rest: Suppression, place: Place, actions: Actions) -> None:
    _one_of(rest.outcome, OUTCOMES, place / "outcome")
    for key in ("times", "days", "rest_days"):
        _above_zero(getattr(rest, key), place / key)
    if rest.reason is not None and rest.outcome != "rejected":
        raise (place / "reason").error('belongs to outcome = "rejected": nothing else has a reason')
    if rest.channel is not None:
        _one_of(rest.channel, actions.channels, place / "channel")


def _check_budget(budget: Budget, place: Place) -> None:
    if budget.amount < 0:
        raise (place / "amount").error(f"{budget.amount} must not be negative")
    _above_zero(budget.days, place / "days")
    _within(budget.pacing, 0, 100, place / "pacing")


def _check_channel(valid_minutes: int, quiet: Sequence[str], place: Place) -> None:
    _above_zero(valid_minutes, place / "valid_minutes")
    if quiet and (len(quiet) != 2 or not all(HOUR.fullmatch(hour) for hour in quiet) or quiet[0] == quiet[1]):
        raise (place / "quiet").error(f'{list(quiet)} are no quiet hours; write ["21:00", "08:00"]')


def _check_levers(actions: Actions, groups: Collection[str], place: Place) -> None:
    known = {*groups, *(action.issue for action in actions.actions)}
    for name, percent in actions.levers.items():
        _one_of(name, sorted(known), place / name)
        _within(percent, -90, 900, place / name)


def _check_policy(policy: Policy, place: Place) -> None:
    for key in ("fatigue_days", "complaint_lift"):
        _above_zero(getattr(policy, key), place / key)
    for key, value in {"fatigue": policy.fatigue, **policy.fatigue_by_tier}.items():
        if value < 0:
            raise (place / key).error(f"{value} must not be negative")
    _within(policy.min_propensity, 0, 1, place / "min_propensity")


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


def _one_of(value: str, known: Collection[str], place: Place) -> None:
    if value not in known:
        raise place.error(f"{value!r} is unknown; known here: {', '.join(known) or 'none'}")


def _above_zero(value: float, place: Place) -> None:
    if not value > 0:
        raise place.error(f"{value} must be above 0")


def _within(value: float, least: float, most: float, place: Place) -> None:
    if not least <= value <= most:
        raise place.error(f"{value} must be between {least} and {most}")
