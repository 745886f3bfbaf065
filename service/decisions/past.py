"""The past: what a decision asks of a customer's ledger, found for all who ask in one pass over her contacts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from service.decisions.ledger import POSITIVE, Contact, Ledger

NEVER = -(1 << 62)
NOTHING: Mapping[str, int] = {}

Came = tuple[int, str, Contact]  # when an outcome came, of which action of which contact


@dataclass(slots=True)
class Answers:
    """The tally of one action for one customer; `last` is when each outcome last came."""

    tries: int = 0
    positives: int = 0
    last: dict[str, int] = field(default_factory=dict)

    def add(self, shown: int, outcomes: Mapping[str, int]) -> None:
        """Count one time that it was seen."""
        self.tries += 1
        self.positives += not POSITIVE.isdisjoint(outcomes)
        last = self.last
        if "shown" not in outcomes and shown > last.get("shown", NEVER):
            last["shown"] = shown
        for outcome, at in outcomes.items():
            if at > last.get(outcome, NEVER):
                last[outcome] = at


class Past(NamedTuple):
    """As of a time.

    answers     action id -> what came of it so far
    standing    contacts that limits count: seen, or still reserved
    outcomes    outcome that was asked for -> each time that it came, contact by contact
    unanswered  how many counted contacts of late were seen and not answered
    """

    answers: Mapping[str, Answers] = {}
    standing: Sequence[Contact] = ()
    outcomes: Mapping[str, Sequence[Came]] = {}
    unanswered: int = 0


def past(ledger: Ledger, *, since: int, now: int, asked: Collection[str]) -> Past:
    """What came of the contacts until `now`; `since`: after when they may tire her; `asked`: the outcomes that are told one by one."""
    answers: dict[str, Answers] = {}
    standing: list[Contact] = []
    came: dict[str, list[Came]] = {}
    unanswered = 0
    for contact in ledger.contacts:
        seen = answered = False
        for action_id in contact.actions:
            shown = contact.shown(action_id)
            if shown is not None:
                seen = True
                if action_id not in answers:
                    answers[action_id] = Answers()
                answers[action_id].add(shown, contact.outcomes.get(action_id, NOTHING))
        if seen or contact.reserved(now):
            standing.append(contact)
        for action_id, outcomes in contact.outcomes.items():
            answered |= not POSITIVE.isdisjoint(outcomes)
            for outcome, at in outcomes.items():
                if outcome in asked:
                    came.setdefault(outcome, []).append((at, action_id, contact))
        unanswered += seen and contact.counted and contact.at > since and not answered
    return Past(answers, standing, came, unanswered)
