"""Limits and suppressions: which actions the customer's contacts so far stop. One ledger for all channels, true rolling windows.

A contact is one decision that said something to sell; service messages count to no limit of all, but to an action's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from models.action_catalogue import Catalogue, Set, numbers, union
from models.actions import Limit, Suppression
from service.decisions.ledger import DAY_S, Contact, Ledger


def full(ledger: Ledger, actions: Catalogue, *, channel: str, tiers: Sequence[str], now: int) -> Set:
    """The actions of which one contact more would be one too many."""
    index, stopped = actions.index, 0
    if not ledger.contacts and not any(limit.contacts == 0 for limit in actions.limits) and not index.limited:
        return 0
    for limit in actions.limits:
        if _meant(limit, channel, tiers) and _reached(limit, ledger, now):
            stopped |= index.all if limit.group is None else index.groups[limit.group]
    stopped &= ~index.serving
    for number in numbers(index.limited & (_told(ledger, actions) | index.closed)):
        action = index.actions[number]
        own = (limit for limit in action.limits if _meant(limit, channel, tiers))
        stopped |= any(_reached(limit, ledger, now, action_id=action.id) for limit in own) << number
    return stopped


def _told(ledger: Ledger, actions: Catalogue) -> Set:
    """The actions that she was told of."""
    number = actions.index.number
    names = {name for contact in ledger.contacts for name in contact.actions}
    return union(1 << number[name] for name in names if name in number)


def _meant(limit: Limit, channel: str, tiers: Sequence[str]) -> bool:
    return limit.channel in (None, channel) and (not limit.tiers or any(name in limit.tiers for name in tiers))


def _reached(limit: Limit, ledger: Ledger, now: int, *, action_id: str | None = None) -> bool:
    since, count = now - round(limit.days * DAY_S), 0
    for contact in ledger.contacts:
        count += (
            contact.at > since
            and (contact.counted if action_id is None else action_id in contact.actions)
            and limit.channel in (None, contact.channel)
            and (limit.group is None or limit.group in contact.groups)
            and contact.stands(now)
        )
    return count >= limit.contacts


def resting(ledger: Ledger, actions: Catalogue, *, channel: str, now: int) -> Set:
    """The actions that rest because of what came of earlier ones."""
    if not ledger.contacts:
        return 0
    meant = (rest for rest in actions.suppressions if rest.channel in (None, channel))
    return union(_suppressed(rest, ledger, actions, now) for rest in meant)


def _suppressed(rest: Suppression, ledger: Ledger, actions: Catalogue, now: int) -> Set:
    """What one rule stops: whatever had the outcome so often within a window that ended less than `rest_days` ago."""
    index = actions.index
    happened: dict[str, list[int]] = {}
    for name, at in _happened(rest, ledger.contacts, actions):
        happened.setdefault(name, []).append(at)
    stopped = [name for name, times in happened.items() if _rests(rest, sorted(times), now)]
    if rest.rests == "all":
        return index.all & ~index.serving if stopped else 0
    if rest.rests == "group":
        return union(index.groups.get(name, 0) for name in stopped)
    return union(1 << index.number[name] for name in stopped if name in index.number)


def _happened(rest: Suppression, contacts: Iterable[Contact], actions: Catalogue) -> Iterable[tuple[str, int]]:
    """(what may rest, when its outcome came), time by time."""
    for contact in contacts:
        for action_id, outcomes in contact.outcomes.items():
            if rest.outcome in outcomes and rest.reason in (None, contact.reasons.get(action_id)):
                groups = dict(zip(contact.actions, contact.groups, strict=False))
                named = {"action": action_id, "group": groups.get(action_id, ""), "all": ""}
                yield named[rest.rests], outcomes[rest.outcome]


def _rests(rest: Suppression, times: Sequence[int], now: int) -> bool:
    """Whether the newest `times` of them came within `days`, and the last of those less than `rest_days` ago."""
    if len(times) < rest.times:
        return False
    first, last = times[-rest.times], times[-1]
    return last - first < rest.days * DAY_S and now < last + rest.rest_days * DAY_S
