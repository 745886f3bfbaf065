"""Limits and suppressions: which actions the customer's contacts so far stop. One ledger for all channels, true rolling windows.

A contact is one decision that said something to sell; service messages count to no limit of all, but to an action's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from models.action_catalogue import Catalogue, Set, numbers, union
from models.actions import Limit, Suppression
from service.decisions.ledger import DAY_S, Contact
from service.decisions.past import Came, Past


def full(past: Past, actions: Catalogue, *, channel: str, tiers: Sequence[str], now: int) -> Set:
    """The actions of which one contact more would be one too many."""
    index, stopped, standing = actions.index, 0, past.standing
    for limit in actions.limits:
        if limit.contacts <= len(standing) and _meant(limit, channel, tiers) and _reached(limit, standing, now):
            stopped |= index.all if limit.group is None else index.groups[limit.group]
    stopped &= ~index.serving
    told = union(1 << index.number[name] for one in standing for name in one.actions if name in index.number)
    for number in numbers(index.limited & (told | index.closed)):
        action = index.actions[number]
        own = (limit for limit in action.limits if _meant(limit, channel, tiers))
        stopped |= any(_reached(limit, standing, now, action_id=action.id) for limit in own) << number
    return stopped


def _meant(limit: Limit, channel: str, tiers: Sequence[str]) -> bool:
    return limit.channel in (None, channel) and (not limit.tiers or any(name in limit.tiers for name in tiers))


def _reached(limit: Limit, standing: Sequence[Contact], now: int, *, action_id: str | None = None) -> bool:
    since = now - round(limit.days * DAY_S)
    count = sum(
        contact.at > since
        and (contact.counted if action_id is None else action_id in contact.actions)
        and limit.channel in (None, contact.channel)
        and (limit.group is None or limit.group in contact.groups)
        for contact in standing
    )
    return count >= limit.contacts


def resting(past: Past, actions: Catalogue, *, channel: str, now: int) -> Set:
    """The actions that rest because of what came of earlier ones."""
    outcomes = past.outcomes
    meant = (rest for rest in actions.suppressions if rest.outcome in outcomes and rest.channel in (None, channel))
    return union(_suppressed(rest, outcomes[rest.outcome], actions, now) for rest in meant)


def _suppressed(rest: Suppression, came: Sequence[Came], actions: Catalogue, now: int) -> Set:
    """What one rule stops: whatever had the outcome so often within a window that ended less than `rest_days` ago."""
    index = actions.index
    stopped = [name for name, times in _happened(rest, came).items() if _rests(rest, sorted(times), now)]
    if rest.rests == "all":
        return index.all & ~index.serving if stopped else 0
    if rest.rests == "group":
        return union(index.groups.get(name, 0) for name in stopped)
    return union(1 << index.number[name] for name in stopped if name in index.number)


def _happened(rest: Suppression, came: Sequence[Came]) -> Mapping[str, list[int]]:
    """What may rest -> when its outcome came."""
    happened: dict[str, list[int]] = {}
    for at, action_id, contact in came:
        if rest.reason in (None, contact.reasons.get(action_id)):
            groups = dict(zip(contact.actions, contact.groups, strict=False))
            named = {"action": action_id, "group": groups.get(action_id, ""), "all": ""}
            happened.setdefault(named[rest.rests], []).append(at)
    return happened


def _rests(rest: Suppression, times: Sequence[int], now: int) -> bool:
    """Whether the newest `times` of them came within `days`, and the last of those less than `rest_days` ago."""
    if len(times) < rest.times:
        return False
    first, last = times[-rest.times], times[-1]
    return last - first < rest.days * DAY_S and now < last + rest.rest_days * DAY_S
