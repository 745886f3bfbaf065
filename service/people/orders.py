"""Orders that both a page's tag and the shop's server tell: the server's word counts, and counts once.

What a page tells stands until the server tells the same order, and never keeps that from counting; what the server told is no news from a page.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import orjson

from models.event_log import decode
from service.people import lookup
from service.people.pseudonyms import Pseudonyms
from service.store import Entry, Store

TOLD_BY, PAGE = "told_by", "page"
OF_PAGE = "order_id of a page"  # by which nobody is looked up but here
Line = tuple[str, str | None, str | None]  # of whom, of which order, which item


def of_server(store: Store, pseudonyms: Pseudonyms, order_ids: Iterable[str]) -> set[str]:
    """Those of some orders that the shop's server told."""
    return {order_id for order_id in order_ids if lookup.find(store, pseudonyms, lookup.ORDER, order_id)}


def of_pages(store: Store, pseudonyms: Pseudonyms, bought: Collection[tuple[str, str]]) -> dict[Line, Entry]:
    """The lines that pages told of the same customers' same orders, by customer as named in `bought`: pairs of customer and order."""
    by_page = {order_id: lookup.find(store, pseudonyms, OF_PAGE, order_id) for order_id in {one for _, one in bought}}
    if not any(by_page.values()):
        return {}
    names = sorted({name for name, _ in bought})
    owners = {name: kept.customer_id for name, kept in zip(names, store.customers(names), strict=True) if kept}
    both = [(name, one) for name, one in bought if owners.get(name) in by_page[one]]
    return {
        (name, event.order_id, event.item_id): entry
        for name in sorted({name for name, _ in both})
        for entry in store.events(customer_id=owners[name])
        if told_by_page(entry) and (name, (event := decode(entry.body)).order_id) in both
    }


def told_by_page(entry: Entry) -> bool:
    """Whether a page told this line of an order."""
    return PAGE.encode() in entry.body and bool(orjson.loads(entry.body).get(TOLD_BY) == PAGE)
