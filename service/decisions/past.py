"""The past: what a decision asks of a customer's ledger, found for all who ask in one pass over her contacts."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from service.decisions.ledger import POSITIVE, Contact, Ledger

NOTHING: Mapping[str, int] = {}

Seen = tuple[int, Mapping[str, int]]  # when an action was seen, and what came of it then
Came = tuple[int, str, Contact]  # when an outcome came, of which action of which contact


def tally(seen: Sequence[Seen]) -> tuple[int, int]:
    """(how often it was seen, how often that was answered with something good)."""
    return len(seen), sum([not POSITIVE.isdisjoint(told) for _, told in seen])


def outcomes(seen: Sequence[Seen]) -> Iterator[tuple[str, int]]:
    """Each outcome that came, and when. What was seen was shown."""
    for at, told in seen:
        if "shown" not in told:
            yield "shown", at
        yield from told.items()


class Past(NamedTuple):
    """As of a time.

    answers     action id -> each time that it was seen, contact by contact
    standing    contacts that limits count: seen, or still reserved
    outcomes    outcome that was asked for -> each time that it came, contact by contact
    unanswered  how many counted contacts of late were seen and not answered
    """

    answers: Mapping[str, Sequence[Seen]] = {}
    standing: Sequence[Contact] = ()
    outcomes: Mapping[str, Sequence[Came]] = {}
    unanswered: int = 0


def past(ledger: Ledger, *, since: int, now: int, asked: Collection[str]) -> Past:
    """What came of the contacts until `now`; `since`: after when they may tire her; `asked`: the outcomes that are told one by one."""
    answers: dict[str, list[Seen]] = {}
    standing: list[Contact] = []
    came: dict[str, list[Came]] = {}
    unanswered = 0
    for contact in ledger.contacts:
        seen, told = False, contact.outcomes
        for action_id in contact.actions:
            at = contact.shown(action_id)
            if at is not None:
                seen = True
                answers.setdefault(action_id, []).append((at, told.get(action_id, NOTHING)))
        if seen or contact.reserved(now):
            standing.append(contact)
        for action_id, times in told.items():
            for outcome in asked:
                if outcome in times:
                    came.setdefault(outcome, []).append((times[outcome], action_id, contact))
        unanswered += seen and contact.counted and contact.at > since and not contact.answered
    return Past(answers, standing, came, unanswered)
