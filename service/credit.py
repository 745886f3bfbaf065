"""Credit: which list brought what, from what was told in events and outcomes.

    exposure    a list that an event (`view_item_list`, `email_sent`) or an outcome (`shown`) tells of, by its recommendation_id
    click       an item of such a list, once: `select_item`, `email_click`, `view_item`, `add_to_cart` or the outcome `clicked`
    conversion  a purchase, or the outcome `converted` or `accepted`

A click or purchase is credited to the list whose recommendation_id it carries; without one, to the list that last showed the item to the same
customer within the hour before, whichever of the two was told first. The request itself writes nothing, so that what nobody told of as shown
counts nowhere. Who was erased is in no later report; outcomes name nobody.

What events say is kept as columns, and ids in them as 64 bits of Python's own hash: two of a million are the same with a chance of 3e-8.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from service.lists.tokens import Token, verify
from service.store import Entry

SHOWN, CLICKED, BOUGHT, OTHER = 0, 1, 2, 3
KINDS = {
    **dict.fromkeys(("view_item_list", "email_sent"), SHOWN),
    **dict.fromkeys(("select_item", "email_click", "view_item", "add_to_cart"), CLICKED),
    "purchase": BOUGHT,
}
OUTCOMES = {"shown": SHOWN, "clicked": CLICKED, "converted": BOUGHT, "accepted": BOUGHT}
WITHIN_S = 3_600

Arm = tuple[str, str]  # experiment, variant
Rows = NDArray[np.void]
# `what` is the list where it was shown, else list and item; `key` of outcomes their key, of events customer and item
CREDIT = [("arm", "i4"), ("unit", "i8"), ("what", "i8"), ("kind", "i1"), ("amount", "i8"), ("at", "i8"), ("key", "i8")]
SHOWING = [("key", "i8"), ("at", "i8"), ("place", "u8"), ("arm", "i4"), ("unit", "i8"), ("what", "i8")]
LOOSE = [("key", "i8"), ("at", "i8"), ("kind", "i1"), ("amount", "i8")]


@dataclass(frozen=True)
class Told:
    """What some events say of lists: CREDIT[] what names a list of an experiment, SHOWING[] the items shown so, LOOSE[] what names none."""

    named: Rows
    showings: Rows
    loose: Rows


@dataclass(frozen=True)
class Sums:
    """What each customer who was shown a list of an arm did, int64[customers] each; value in minor units."""

    exposures: NDArray[np.int64]
    clicks: NDArray[np.int64]
    conversions: NDArray[np.int64]
    value: NDArray[np.int64]


class Tokens:
    """Reads the tokens of lists; arms of experiments are numbered as they come."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self.arms: dict[Arm, int] = {}

    def read(self, text: str | None) -> Token | None:
        """The token of a list of ours; None for a text that is none."""
        return None if text is None else verify(text, self._secret)

    def arm(self, token: Token | None) -> int | None:
        """The number of the arm in which a list stood; None for a list that stood in none."""
        if token is None or token.experiment is None or token.variant is None:
            return None
        return self.arms.setdefault((token.experiment, token.variant), len(self.arms))


def told_of(entries: Iterable[tuple[Entry, Mapping[str, Any]]], tokens: Tokens) -> Told:
    """The columns of some events, each with its body."""
    named: list[tuple[int, ...]] = []
    showings: list[tuple[int, ...]] = []
    loose: list[tuple[int, ...]] = []
    read = cache(tokens.read)  # a list is told of once an item
    for entry, event in entries:
        kind, text, item_id = KINDS.get(event["event"], OTHER), event.get("recommendation_id"), event.get("item_id")
        token = read(text)
        arm, key = tokens.arm(token), hash((entry.customer_id, item_id))
        amount = (event["amount"] or 0) if kind == BOUGHT else 0
        if token is None and item_id is not None and kind in (CLICKED, BOUGHT):
            loose.append((key, entry.at, kind, amount))
        if token is None or arm is None or kind == OTHER:
            continue
        named.append((arm, hash(token.unit), _what(kind, text, item_id), kind, amount, entry.at, key))
        if kind == SHOWN and item_id is not None:
            place = int.from_bytes(
                str(text).encode()[:8], "big"
            )  # of two lists of one second the same is the later everywhere
            showings.append((key, entry.at, place, arm, hash(token.unit), _what(CLICKED, text, item_id)))
    return Told(np.array(named, CREDIT), np.array(showings, SHOWING), np.array(loose, LOOSE))


def outcome_of(key: int, document: bytes, tokens: Tokens) -> tuple[int, ...]:
    """The row of CREDIT of an outcome; of kind OTHER where it tells of no list of an experiment."""
    outcome = orjson.loads(document)
    kind = OUTCOMES.get(outcome["name"], OTHER)
    token = tokens.read(outcome["about"]) if kind != OTHER else None
    arm = tokens.arm(token)
    if token is None or arm is None:
        return (0, 0, 0, OTHER, 0, 0, key)
    amount = (outcome["amount"] or 0) if kind == BOUGHT else 0
    what = _what(kind, outcome["about"], outcome["item_id"])
    return (arm, hash(token.unit), what, kind, amount, outcome["at"], key)


def credited(pages: Sequence[Told], outcomes: Rows) -> Rows:
    """All credits, CREDIT[]: of events, by the list they name or that showed the item, and of outcomes; a conversion told twice counts once."""
    named = np.concatenate([page.named for page in pages] or [np.empty(0, CREDIT)])
    showings = np.concatenate([page.showings for page in pages] or [np.empty(0, SHOWING)])
    loose = np.concatenate([page.loose for page in pages] or [np.empty(0, LOOSE)])
    events = np.concatenate([named, _found(showings, loose)])
    said = np.sort(outcomes[outcomes["kind"] == BOUGHT], order=("what", "at", "amount"))
    first = said[np.unique(said["what"], return_index=True)[1]]
    new = first[~np.isin(first["what"], events["what"][events["kind"] == BOUGHT])]
    return np.concatenate([events, outcomes[outcomes["kind"] < BOUGHT], new])


def sums(rows: Rows, arm: int) -> Sums:
    """What the customers of an arm did; only who was shown a list can have been moved by it."""
    rows = rows[rows["arm"] == arm]
    units, unit = np.unique(rows["unit"], return_inverse=True)
    bought = rows["kind"] == BOUGHT
    value = np.zeros(len(units), dtype=np.int64)
    np.add.at(value, unit[bought], rows["amount"][bought])
    exposures, clicks = (_distinct(unit, rows["what"], rows["kind"] == kind, len(units)) for kind in (SHOWN, CLICKED))
    conversions = np.bincount(unit[bought], minlength=len(units))
    shown = exposures > 0
    return Sums(exposures[shown], clicks[shown], conversions[shown], value[shown])


def _what(kind: int, text: str | None, item_id: str | None) -> int:
    return hash(text) if kind == SHOWN else hash((text, item_id))


def _found(showings: Rows, loose: Rows) -> Rows:
    """The credits of events that name no list: each to the list that last showed its item to its customer, not before nor long after."""
    loose = loose[np.isin(loose["key"], showings["key"])]
    both = len(showings) + len(loose)
    key, at = (np.concatenate([showings[name], loose[name]]) for name in ("key", "at"))
    place = np.concatenate([showings["place"], np.full(len(loose), np.iinfo(np.uint64).max)])
    order = np.lexsort((place, at, key))
    last = np.maximum.accumulate(np.where(order < len(showings), np.arange(both), -1))
    asked = np.flatnonzero(order >= len(showings))
    asked = asked[last[asked] >= 0]
    by, row = order[last[asked]], order[asked]
    near = (key[by] == key[row]) & (at[row] - at[by] <= WITHIN_S)
    by, row = by[near], row[near] - len(showings)
    found = np.empty(len(by), CREDIT)
    for name in ("arm", "unit", "what"):
        found[name] = showings[name][by]
    for name in ("kind", "amount", "at", "key"):
        found[name] = loose[name][row]
    return found


def _distinct(
    unit: NDArray[np.int64], what: NDArray[np.int64], among: NDArray[np.bool_], units: int
) -> NDArray[np.int64]:
    """How many different things each unit has among some rows."""
    pairs = np.empty(int(among.sum()), [("unit", "i8"), ("what", "i8")])
    pairs["unit"], pairs["what"] = unit[among], what[among]
    return np.bincount(np.unique(pairs)["unit"], minlength=units)
