"""The wish list: what she wished for and neither took off the list nor bought since, each with the price that it had then.

What is kept is the newest word on an item, so that events that come late give the list they would have given in time.
"""

from __future__ import annotations

from collections.abc import Mapping

from models.profile.state import NEVER, OFF, Event, Item, Wish, thousandths

WISHED, UNWISHED = "add_to_wishlist", "remove_from_wishlist"
MOST = 50  # words that are kept, newest first

Wishes = Mapping[str, Wish]


def with_word(wishes: Wishes, event: Event, *, bought: Item | None) -> Wishes:
    """The words with one more; what is not newer than the last time that she bought the item is none. `bought`: her dealings with it."""
    if event.item_id is None or (bought is not None and event.at <= bought.last_at):
        return wishes
    return newest(both(wishes, {event.item_id: Wish(event.at, OFF if event.name == UNWISHED else _price(event))}))


def without(wishes: Wishes, item_id: str | None, *, until: int) -> Wishes:
    """The words without what she bought by then."""
    word = wishes.get(item_id) if item_id is not None else None
    if word is None or word.at > until:
        return wishes
    return {name: word for name, word in wishes.items() if name != item_id}


def unbought(wishes: Wishes, items: Mapping[str, Item]) -> Wishes:
    """The words without what was bought since, by her dealings with each item."""
    nothing = Item()
    return {name: word for name, word in wishes.items() if word.at > items.get(name, nothing).last_at}


def both(one: Wishes, other: Wishes) -> Wishes:
    """The newest word on each item; within one second, taking off counts."""
    return {**one, **{name: max(word, one.get(name, word), key=_order) for name, word in other.items()}}


def newest(wishes: Wishes) -> Wishes:
    """The newest words, in the order of their items."""
    kept = sorted(wishes, key=lambda name: (wishes[name].at, name))[-MOST:]
    return {name: wishes[name] for name in sorted(kept)}


def _order(word: Wish) -> tuple[int, bool, int]:
    return word.at, word.price == OFF, word.price


def _price(event: Event) -> int:
    """Of one piece, minor units; NEVER (0) where nobody said."""
    return max(round(event.amount * 1000 / max(abs(thousandths(event.quantity)), 1)), NEVER)
