"""Found by what a caller says: her phone number, her e-mail address, the number of an order. The store keeps keyed hashes of them, no more.

Phone numbers are compared by their last nine digits, so that 081 234 5678 and +66 81 234 5678 are the same; e-mail addresses without case.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from service.people import facts as facts_of
from service.people.customers import SESSION
from service.people.facts import Facts
from service.people.pseudonyms import Pseudonyms
from service.store import Store

PHONE, EMAIL, ORDER = "phone", "email", "order_id"
KINDS = (PHONE, EMAIL, ORDER)
SAID_AS: Mapping[str, str] = {  # attributes by which she can be found
    **dict.fromkeys(("phone", "phone_number", "mobile", "telephone", "tel"), PHONE),
    **dict.fromkeys(("email", "e_mail", "email_address", "mail"), EMAIL),
}
DIGITS = 9  # what countries write before them differs from caller to caller
FEWEST = 6  # digits of a phone number


def plain(kind: str, text: str) -> str | None:
    """What is compared of a phone number, an address, an order number; None for what is none."""
    if kind == PHONE:
        digits = re.sub(r"\D", "", text)
        return digits[-DIGITS:] if len(digits) >= FEWEST else None
    stripped = text.strip()
    return (stripped.casefold() if kind == EMAIL else stripped) or None


def digest(pseudonyms: Pseudonyms, kind: str, text: str) -> str | None:
    """The keyed hash by which she is found; None for a text that finds nobody."""
    found = plain(kind, text)
    return None if found is None else pseudonyms.of(kind, found)


def find(store: Store, pseudonyms: Pseudonyms, kind: str, text: str) -> list[str]:
    """The customers of whom this was said, by id; visits without a name last."""
    asked = digest(pseudonyms, kind, text)
    return [] if asked is None else sorted(store.find(asked), key=lambda name: (name.startswith(SESSION), name))


def note_orders(
    store: Store, pseudonyms: Pseudonyms, customer_id: str, order_ids: Iterable[str], *, kind: str = ORDER
) -> None:
    """Let her be found by the numbers of her orders."""
    digests = (digest(pseudonyms, kind, order_id) for order_id in order_ids)
    store.findable(customer_id, [one for one in digests if one is not None])


def change_facts(store: Store, pseudonyms: Pseudonyms, customer_id: str, change: Callable[[Facts], Facts]) -> None:
    """Change what is said of her, and by what she is found with it."""
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}

    def changed(document: bytes | None) -> bytes:
        facts = facts_of.load(document)
        before.update(attributes=facts["attributes"])
        facts = change(facts)
        after.update(attributes=facts["attributes"])
        return facts_of.dump(facts)

    store.change(customer_id, "facts", changed)
    old, new = (_digests(pseudonyms, said["attributes"]) for said in (before, after))
    if old != new:
        store.findable(customer_id, new - old, no_longer=old - new)


def _digests(pseudonyms: Pseudonyms, attributes: Mapping[str, Any]) -> set[str]:
    said = ((SAID_AS[name], value) for name, value in attributes.items() if name in SAID_AS)
    found = (digest(pseudonyms, kind, str(value)) for kind, value in said if isinstance(value, str | int))
    return {one for one in found if one is not None}
