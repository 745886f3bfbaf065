"""Credit: which list brought what, from what was told in events and outcomes.

    exposure    a list that an event (`view_item_list`, `email_sent`) or an outcome (`shown`) tells of, by its recommendation_id
    click       an item of such a list, once: `select_item`, `email_click`, `view_item`, `add_to_cart` or the outcome `clicked`
    conversion  a purchase, or the outcome `converted` or `accepted`

A click or purchase is credited to the list whose recommendation_id it carries; without one, to the list that last showed the item to the same
customer within the hour before. The request itself writes nothing, so that what nobody told of as shown counts nowhere. The log is walked
once; an event that says no list waits until BEHIND others have come, as the list may be told of after it. What is kept in memory is what was
shown in experiments. Who was erased is in no later report; outcomes name nobody.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import orjson

from service.lists.tokens import Token, verify
from service.store import Entry, Store

SHOWN = frozenset(("view_item_list", "email_sent"))
CLICKED = frozenset(("select_item", "email_click", "view_item", "add_to_cart"))
BOUGHT = "purchase"
CONVERTED = frozenset(("converted", "accepted"))
WITHIN_S = 3_600
BEHIND = 10_000  # events
MARK = b'"recommendation_id"'

Arm = tuple[str, str]  # experiment, variant


@dataclass
class Tally:
    """What one customer did in one arm: the lists she was shown, items clicked by list, and money by list and item."""

    shown: set[str] = field(default_factory=set)
    clicked: set[tuple[str, str | None]] = field(default_factory=set)
    bought: dict[tuple[str, str | None], list[int]] = field(default_factory=dict)


@dataclass
class Credits:
    """All that is credited so far. `showings`: customer -> item -> (times, lists), as they were told."""

    secret: bytes
    arms: dict[Arm, dict[str, Tally]] = field(default_factory=dict)
    showings: dict[str, dict[str, list[tuple[int, str]]]] = field(default_factory=dict)
    tokens: dict[str, Token | None] = field(default_factory=dict)

    def token(self, text: str | None) -> Token | None:
        """The token of a list of ours; None for a text that is none."""
        if text is None:
            return None
        if text not in self.tokens:
            self.tokens[text] = verify(text, self.secret)
        return self.tokens[text]

    def counts(self, text: str | None) -> bool:
        """Whether this is a list that stood in an experiment."""
        token = self.token(text)
        return token is not None and token.experiment is not None and token.variant is not None

    def of(self, text: str) -> Tally:
        """The tally of the customer whose list this is."""
        token = self.tokens[text]
        assert token is not None and token.experiment and token.variant  # noqa: S101, PT018  (`counts` was asked before)
        return self.arms.setdefault((token.experiment, token.variant), {}).setdefault(token.unit, Tally())

    def credit(self, text: str, name: str, item_id: str | None, amount: int) -> None:
        """Count one event for the list it is credited to."""
        tally = self.of(text)
        if name in SHOWN:
            tally.shown.add(text)
        elif name in CLICKED:
            tally.clicked.add((text, item_id))
        elif name == BOUGHT:
            tally.bought.setdefault((text, item_id), []).append(amount)


def credited(store: Store, *, secret: bytes, note: Callable[[Entry], None] = lambda _: None) -> Credits:
    """What the whole log and all outcomes say. `note` is told of every event on the way, so that others need no walk of their own."""
    found = Credits(secret)
    waiting: deque[Entry] = deque()
    for entry in store.events():
        note(entry)
        if not _credit_marked(found, entry):
            waiting.append(entry)
            if len(waiting) > BEHIND:
                _credit_unmarked(found, waiting.popleft())
    for entry in waiting:
        _credit_unmarked(found, entry)
    _credit_outcomes(store, found)
    return found


def _credit_marked(found: Credits, entry: Entry) -> bool:
    """Credit an event that names a list of an experiment; whether it does. Few name any, so that the others are not even parsed."""
    if MARK not in entry.body or not found.counts(text := (event := orjson.loads(entry.body)).get("recommendation_id")):
        return False
    item_id = event.get("item_id")
    found.credit(text, event["event"], item_id, event["amount"])
    if event["event"] in SHOWN and item_id is not None:
        insort(found.showings.setdefault(entry.customer_id, {}).setdefault(item_id, []), (entry.at, text))
    return True


def _credit_unmarked(found: Credits, entry: Entry) -> None:
    """Credit what says no list itself by what was shown to the same customer within the hour before."""
    if (hers := found.showings.get(entry.customer_id)) is None:
        return
    event = orjson.loads(entry.body)
    shown = hers.get(event.get("item_id"), [])
    if event["event"] in SHOWN or not shown or found.token(event.get("recommendation_id")):
        return
    place = bisect_right(shown, (entry.at, "\U0010ffff")) - 1
    if place >= 0 and entry.at - shown[place][0] <= WITHIN_S:
        found.credit(shown[place][1], event["event"], event["item_id"], event["amount"])


def _credit_outcomes(store: Store, found: Credits) -> None:
    """Outcomes that tell of a list; a conversion that an event told of already counts once."""
    for _, document in store.documents("outcome"):
        outcome = orjson.loads(document)
        text, name, item_id = outcome["about"], outcome["name"], outcome["item_id"]
        if not found.counts(text):
            continue
        if name == "shown":
            found.credit(text, "view_item_list", None, 0)
        elif name == "clicked":
            found.credit(text, "select_item", item_id, 0)
        elif name in CONVERTED and (text, item_id) not in found.of(text).bought:
            found.credit(text, BOUGHT, item_id, outcome["amount"] or 0)
