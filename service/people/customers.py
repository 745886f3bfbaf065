"""Customers: one customer, read once a request. While the store is away, nobody is known, and the answer says that it is degraded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from models.errors import StoreUnavailable
from models.profile import EMPTY, Profile, load
from service.people.facts import Facts, may_profile
from service.people.facts import load as load_facts
from service.store import Customer, Store

SESSION = "session:"  # what a visitor without a name did stands in the store under her session


@dataclass(frozen=True)
class Known:
    """What the store knows of a customer: nothing, for one never seen, and for all while it is away (then `degraded`)."""

    profile: Profile
    facts: Facts
    degraded: bool = False
    sequence: int = 0  # of the newest event in the profile

    @property
    def attributes(self) -> Mapping[str, Any]:
        """What may be read of what she or the shop said of her."""
        attributes: Mapping[str, Any] = self.facts["attributes"]
        return attributes if attributes and may_profile(self.facts) else {}

    @property
    def telling(self) -> Profile:
        """What may choose what she sees: her profile, or an empty one where she refused to be profiled."""
        return self.profile if may_profile(self.facts) else EMPTY


NOBODY = Known(EMPTY, load_facts(None))
AWAY = Known(EMPTY, load_facts(None), degraded=True)


def key(customer_id: str | None, session_id: str | None) -> str | None:
    """Under what the store keeps this visitor: the customer, else the session; None for nobody."""
    if customer_id is not None:
        return customer_id
    return None if session_id is None else f"{SESSION}{session_id}"


def read(store: Store | None, customer_id: str | None) -> Known:
    """The customer under this key, in one round trip; in none where no customer is named."""
    if store is None or customer_id is None:
        return NOBODY
    try:
        return _known(store.customer(customer_id))
    except StoreUnavailable:
        return AWAY


def visitor(store: Store | None, customer_id: str | None, session_id: str | None) -> Known:
    """The customer and, where nothing is known of what she did, what was done in this visit; in one round trip."""
    if customer_id is None or session_id is None:
        return read(store, key(customer_id, session_id))
    return of(read_many(store, names(customer_id, session_id)), customer_id, session_id)


def visitors(store: Store | None, asked: Iterable[tuple[str | None, str | None]]) -> list[Known]:
    """As `visitor`, for each (customer, session) of many, all in one round trip."""
    asked = list(asked)
    if len(asked) == 1:
        return [visitor(store, *asked[0])]
    read = read_many(store, {name for who in asked for name in names(*who)})
    return [of(read, *who) for who in asked]


def names(customer_id: str | None, session_id: str | None) -> list[str]:
    """All names under which the store may keep something of this visitor."""
    return [name for name in (customer_id, key(None, session_id)) if name is not None]


def of(known: Mapping[str | None, Known], customer_id: str | None, session_id: str | None) -> Known:
    """As `visitor`, of what `read_many` found under all `names`."""
    found = known[key(customer_id, session_id)]
    if customer_id is None or session_id is None or found.profile.items or found.degraded:
        return found
    visit = known[key(None, session_id)]
    return replace(found, profile=visit.profile, sequence=visit.sequence) if may_profile(visit.facts) else found


def read_many(store: Store | None, customer_ids: Iterable[str | None]) -> dict[str | None, Known]:
    """As `read`, for many in one round trip."""
    named = [customer_id for customer_id in customer_ids if customer_id is not None]
    try:
        found = store.customers(named) if store is not None and named else [None] * len(named)
    except StoreUnavailable:
        return {None: NOBODY, **dict.fromkeys(named, AWAY)}
    return {None: NOBODY, **{customer_id: _known(customer) for customer_id, customer in zip(named, found, strict=True)}}


def _known(customer: Customer | None) -> Known:
    return (
        NOBODY
        if customer is None
        else Known(load(customer.profile), load_facts(customer.facts), sequence=customer.sequence)
    )
