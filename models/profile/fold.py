"""The fold: a profile and one more event make the next profile.

Every field is a sum, a minimum, a maximum, or "the newest n", so events that come late give the profile they would have given in time.
The exceptions: a late line of an order older than the newest ORDERS counts as one order more, a late purchase on a day that `bought_on` has
left out as one day more, an item past the newest ITEMS (or SHOWN) starts
anew, a message older than the newest RECENT may count once an item,
and a refund of a whole order that names no amount takes back what is known of the order by then.
"""

from __future__ import annotations

from base64 import b85encode
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from hashlib import blake2b
from typing import Any

from models.profile import wishes
from models.profile.searches import since, term_of, with_search
from models.profile.state import NEVER, CartLine, Event, Item, Order, Profile, Shown, thousandths
from models.settings import DAY_S, Settings

ITEMS, ORDERS, RECENT, CART = 500, 10, 32, 50  # how many of each the profile keeps, newest first
LEDGER = 48  # days of spend it keeps
FINE_DAYS, BLOCK_DAYS = 30, 28  # of more days, all but the newest FINE_DAYS are summed by blocks of so many
BOUGHT_ON = 32  # days with a purchase it keeps, the first among them
LONGEST_ORDER_ID = 8  # a longer one is remembered by a digest
HOUR_S = 3_600
VIEW_DAYS = 8  # newest days with a view of an item
SHOWN, SHOWN_DAYS = 60, 3  # items of lists she was shown, and days of each
SHOWS = ("view_item_list", "email_sent")
OTHER = "other"  # all names that mean nothing to us are counted together: the profile stays small
_EVENTS = """
    view_item view_item_list search add_to_cart remove_from_cart add_to_wishlist begin_checkout purchase refund rating dislike share referral
    review email_sent email_open email_click email_bounce unsubscribe support_contact complaint complaint_resolved call visit_store consent
    login page_view select_item view_cart add_shipping_info add_payment_info view_promotion select_promotion
"""
_TELLING = "email_sent email_open email_click email_bounce unsubscribe complaint complaint_resolved support_contact refund dislike"
NAMES = (*_EVENTS.split(), OTHER, wishes.UNWISHED)  # a name's place is its code in documents: add at the end alone
EVENTS = frozenset(NAMES) - {OTHER}
DEEDS = EVENTS - frozenset(  # what she does herself, at an hour that suits her
    [
        "view_item_list",
        "email_sent",
        "email_bounce",
        "refund",
        "consent",
        "unsubscribe",
        "complaint_resolved",
        "view_promotion",
    ]
)
TELLING = frozenset(_TELLING.split())  # of her mood: kept with their times
# What an event says of interest in its item; an event of these names puts the item on record.
INTEREST: Mapping[str, float] = Settings().event_weights

NO_ITEM = Item()

Views = tuple[tuple[int, int], ...]
Changes = dict[str, Any]  # fields of a profile that an event changes


def fold(profile: Profile, event: Event) -> Profile:
    """The profile after one more event. An event of an unknown name is counted as OTHER and changes nothing else but `last_seen`."""
    return folded(profile, (event,))


def folded(profile: Profile, events: Iterable[Event]) -> Profile:
    """The profile after some more events, in their order. What most events change is copied once, and then changed in place."""
    counts, hours, items = dict(profile.counts), dict(profile.hours), dict(profile.items.items())
    draft = replace(profile, counts=counts, hours=hours, items=items)  # ours alone until it is returned
    state = vars(draft)
    for event in events:
        name = event.name if event.name in EVENTS else OTHER
        if name in SAYS:
            state.update(SAYS[name](draft, event))
        if (
            name != "email_sent" or (event.at, name) not in draft.recent
        ):  # it comes item by item: of one second, one message
            counts[name] = counts.get(name, 0) + 1
            if name in DEEDS:
                hour = event.at % DAY_S // HOUR_S
                hours[hour] = hours.get(hour, 0) + 1
            if name in TELLING:
                state["recent"] = tuple(sorted((*draft.recent, (event.at, name)))[-RECENT:])
        if event.item_id is not None and (name in INTEREST or name == "refund"):
            _renew(items, event.item_id, _item_after(items.get(event.item_id, NO_ITEM), event, name))
        state["last_seen"] = max(draft.last_seen, event.at)
    return draft


def _bought(profile: Profile, event: Event) -> Changes:
    day = event.at // DAY_S
    last_at = max(profile.last_at, event.at)
    bought_on, left_out = _with_day(profile.bought_on, day)
    return {
        **_with_order(profile, order_key(event.order_id) or f"@{day}", event.at, bought=event.amount),
        **_with_spend(profile, day, event.amount, first=bought_on[0]),
        "value": profile.value + event.amount,
        "first_at": min(profile.first_at, event.at) if profile.bought_on else event.at,
        "last_at": last_at,
        "bought_on": bought_on,
        "earlier_days": profile.earlier_days + left_out,
        "cart_lines": {item_id: line for item_id, line in profile.cart_lines.items() if line.at > last_at},
        "searches": since(profile.searches, last_at),
        "wish_words": wishes.without(profile.wish_words, event.item_id, until=event.at),
    }


def order_key(order_id: str | None) -> str | None:
    """How an order is remembered: by its id, or a digest of a long one. Without an id, all of one day is an order."""
    if order_id is None or len(order_id) <= LONGEST_ORDER_ID:
        return order_id or None
    return b85encode(blake2b(order_id.encode("utf-8", "surrogatepass"), digest_size=4).digest()).decode()


def _refunded(profile: Profile, event: Event) -> Changes:
    """Money goes back on the day it goes back: the tier is what it was until then."""
    back, order_id, day = abs(event.amount), order_key(event.order_id), event.at // DAY_S
    order = profile.recent_orders.get(order_id) if order_id else None
    if order is not None and event.item_id is None and back == 0:
        back = max(order.bought - order.refunded, 0)  # the whole order, as GA4 tells it
    first = profile.bought_on[0] if profile.bought_on else None
    changes = {"value": profile.value - back, **_with_spend(profile, day, -back, first=first)}
    return changes | _with_order(profile, order_id, event.at, refunded=back) if order_id else changes


def _with_order(profile: Profile, order_id: str, at: int, *, bought: int | None = None, refunded: int = 0) -> Changes:
    """The orders with one more line of this one (bought), or with something of it gone back (refunded)."""
    old = profile.recent_orders.get(order_id, Order(at, 0, 0, 0))
    order = Order(
        max(old.at, at), old.bought + (bought or 0), old.refunded + refunded, old.lines + (bought is not None)
    )
    orders = {**profile.recent_orders, order_id: order}
    earlier = profile.earlier_orders
    if len(orders) > ORDERS:
        oldest = min(orders, key=lambda order_id: (orders[order_id].at, order_id))
        earlier += orders.pop(oldest).stands
    return {"recent_orders": orders, "earlier_orders": earlier}


def _with_spend(profile: Profile, day: int, amount: int, *, first: int | None) -> Changes:
    """The spend by day with some more. Of too many days, old ones but the first are summed by blocks; too old blocks are one sum."""
    days = profile.days
    changed = {**days, day: days.get(day, 0) + amount}
    if day not in days and day <= max(days, default=day - 1):
        changed = dict(sorted(changed.items()))
    return {"days": changed} if len(changed) <= LEDGER else compacted(changed, profile.earlier_spend, first=first)


def compacted(days: Mapping[int, int], earlier_spend: int, *, first: int | None) -> Changes:
    """`days` (ascending) and `earlier_spend` after old days were summed."""
    later = [day for day in days if day != first]
    blocks: dict[int, int] = {} if first is None else {first: days[first]}
    for day in later[:-FINE_DAYS]:
        block = day // BLOCK_DAYS * BLOCK_DAYS
        block = block if first is None or block > first else day
        blocks[block] = blocks.get(block, 0) + days[day]
    changed = dict(sorted({**blocks, **{day: days[day] for day in later[-FINE_DAYS:]}}.items()))
    while len(changed) > LEDGER - 1:
        oldest = next(day for day in changed if day != first)
        earlier_spend += max(changed.pop(oldest), 0)
    return {"days": changed, "earlier_spend": earlier_spend}


def _with_day(days: tuple[int, ...], day: int) -> tuple[tuple[int, ...], int]:
    """The days with one more, and how many were left out for it: the first and the newest stay."""
    place = bisect_left(days, day)
    if place < len(days) and days[place] == day:
        return days, 0
    days = (*days[:place], day, *days[place:])
    return (days, 0) if len(days) <= BOUGHT_ON else ((days[0], *days[2:]), 1)


def _cart_changed(profile: Profile, event: Event) -> Changes:
    """The newest word on an item counts; within one second, taking out does. What is not newer than the last purchase is no cart."""
    if event.item_id is None or (profile.bought_on and event.at <= profile.last_at):
        return {}
    line = (
        CartLine(event.at, abs(thousandths(event.quantity)), event.amount)
        if event.name == "add_to_cart"
        else CartLine(event.at, 0, 0)
    )
    lines = dict(profile.cart_lines)
    lines[event.item_id] = max(
        line, lines.get(event.item_id, line), key=lambda line: (line.at, -line.quantity, line.amount)
    )
    if len(lines) > CART:
        del lines[min(lines, key=lambda item_id: (lines[item_id].at, item_id))]
    return {"cart_lines": lines}


def _searched(profile: Profile, event: Event) -> Changes:
    """One more search, unless it came before a purchase, or names nothing."""
    term = term_of(event.extra)
    if term is None or (profile.bought_on and event.at <= profile.last_at):
        return {}
    return {"searches": with_search(profile.searches, term, event.at)}


def _wished(profile: Profile, event: Event) -> Changes:
    bought = profile.items.get(event.item_id or "")
    return {"wish_words": wishes.with_word(profile.wish_words, event, bought=bought)}


def _shown_again(profile: Profile, event: Event) -> Changes:
    """The items shown with one more showing: a list on the site counts once a day, so that a reload is no second one."""
    item_id = event.item_id
    if item_id is None:
        return {}
    changed = dict(profile.shown)
    old = changed.pop(item_id, Shown())
    if event.name == "email_sent":
        changed[item_id] = old._replace(sent_at=max(old.sent_at, event.at))
    else:
        changed[item_id] = old._replace(days=tuple(sorted({*old.days, event.at // DAY_S})[-SHOWN_DAYS:]))
    ordered = sorted(changed, key=lambda name: (newest_day(changed[name]), name))
    return {"shown": {name: changed[name] for name in ordered[-SHOWN:]}}


def newest_day(shown: Shown) -> int:
    """The newest day on which an item was shown, by list or message."""
    return max(shown.days[-1] if shown.days else NEVER, shown.sent_at // DAY_S)


def _item_after(item: Item, event: Event, name: str) -> Item:
    purchases, had, first_at, last_at, seen_at, events, viewed = item
    seen_at = max(seen_at, event.at)
    if name == "purchase":
        first_at = min(first_at, event.at) if purchases else event.at
        had += abs(thousandths(event.quantity))
        return Item(purchases + 1, had, first_at, max(last_at, event.at), seen_at, events, viewed)
    if name == "view_item":
        viewed = with_views(viewed, ((event.at // DAY_S, 1),))
    elif name == "refund":
        had -= abs(thousandths(event.quantity))
    return Item(purchases, had, first_at, last_at, seen_at, {**events, name: events.get(name, 0) + 1}, viewed)


def with_views(viewed: Views, more: Views) -> Views:
    """The views by day with some more, the newest days."""
    if len(more) == 1 and (not viewed or viewed[-1][0] < more[0][0]):  # nearly always
        return (*viewed, *more)[-VIEW_DAYS:]
    days = dict(viewed)
    for day, count in more:
        days[day] = days.get(day, 0) + count
    return tuple(sorted(days.items())[-VIEW_DAYS:])


def _renew(items: dict[str, Item], item_id: str, item: Item) -> None:
    """Put a changed item among them, oldest first, ties by id: those that come after it are put behind it again."""
    items.pop(item_id, None)
    key, later = (item.seen_at, item_id), []
    while items:
        name, other = items.popitem()
        if (other.seen_at, name) <= key:
            items[name] = other
            break
        later.append((name, other))
    items[item_id] = item
    items.update(reversed(later))
    if len(items) > ITEMS:
        del items[next(iter(items))]


SAYS: Mapping[str, Callable[[Profile, Event], Changes]] = {  # what an event says beyond that it happened
    "purchase": _bought,
    "refund": _refunded,
    "add_to_cart": _cart_changed,
    "remove_from_cart": _cart_changed,
    "search": _searched,
    wishes.WISHED: _wished,
    wishes.UNWISHED: _wished,
    **dict.fromkeys(SHOWS, _shown_again),
}
