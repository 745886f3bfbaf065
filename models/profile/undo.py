"""A profile as it was before the newest events came: what they added is taken back out of the items.

Counts and quantities are sums, so that they come out exactly. A time that one of these events moved becomes the newest that the log knows
from before; where the log does not (training brought that purchase from the till), the first purchase stands for the last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

from models.profile import wishes
from models.profile.fold import INTEREST, SHOWS, fold
from models.profile.state import EMPTY, NEVER, Event, Item, Profile, thousandths
from models.settings import DAY_S

FOLDED = {  # what is folded again of what the log knows, where one of these events changed it
    "cart_lines": ("add_to_cart", "remove_from_cart", "purchase"),
    "shown": SHOWS,
    "searches": ("search", "purchase"),
    "wish_words": (wishes.WISHED, wishes.UNWISHED, "purchase"),
}


def before(profile: Profile, later: Sequence[Event], *, earlier: Sequence[Event] = ()) -> Profile:
    """The profile with its items, cart, wish list, showings and searches as before `later`.

    earlier  the other events of hers that the log knows
    """
    items = dict(profile.items)
    for event in later:
        if event.item_id in items and _counts(event):
            items[event.item_id] = _without(items[event.item_id], event)
    for item_id, item in items.items():
        if item is not (stood := profile.items[item_id]):
            told = [event for event in earlier if event.item_id == item_id and _counts(event)]
            items[item_id] = _timed(item, told, bought=item.purchases < stood.purchases)
    left = [(item_id, item) for item_id, item in items.items() if item.purchases or item.events]
    names = {event.name for event in later}
    changed = [part for part, events in FOLDED.items() if names.intersection(events)]
    known = reduce(fold, earlier, EMPTY) if changed else profile
    return replace(
        profile,
        items=dict(sorted(left, key=lambda entry: (entry[1].seen_at, entry[0]))),
        **{part: getattr(known, part) for part in changed},
    )


def _counts(event: Event) -> bool:
    return event.name in INTEREST or event.name == "refund"


def _without(item: Item, event: Event) -> Item:
    quantity = abs(thousandths(event.quantity))
    if event.name == "purchase":
        return item._replace(purchases=max(item.purchases - 1, 0), quantity=item.quantity - quantity)
    events = {**item.events, event.name: item.events.get(event.name, 0) - 1}
    left = {name: count for name, count in events.items() if count > 0}
    if event.name == "view_item":
        item = item._replace(viewed=_less_viewed(item, event.at // DAY_S))
    return item._replace(events=left, quantity=item.quantity + (quantity if event.name == "refund" else 0))


def _less_viewed(item: Item, day: int) -> tuple[tuple[int, int], ...]:
    less = ((seen, count - (seen == day)) for seen, count in item.viewed)
    return tuple((seen, count) for seen, count in less if count > 0)


def _timed(item: Item, known: Sequence[Event], *, bought: bool) -> Item:
    """The item with the times that it had; `known`: what the log has of it from before, `bought`: whether a purchase was taken out."""
    purchases = [event.at for event in known if event.name == "purchase"]
    newest = max((event.at for event in known), default=NEVER)
    if not item.purchases:
        return item._replace(first_at=NEVER, last_at=NEVER, seen_at=newest)
    first_at = min(purchases) if len(purchases) == item.purchases else item.first_at
    last_at = max(purchases, default=first_at) if bought else item.last_at
    return item._replace(first_at=first_at, last_at=last_at, seen_at=max(last_at, newest))
