"""Identity: an anonymous visitor says who she is, and what she did before counts for the customer that she is.

    POST /customers/{known}/merge {"from": "anonymous"}         names a session or an anonymous customer
    a `login` event with a session_id and a customer_id         names the session

Both names stand for her from then on, in questions and in events. Merging twice changes nothing.
"""

from __future__ import annotations

from models.profile import dump, joined, load
from service.decisions import ledger as ledger_of
from service.decisions.ledger import Ledger
from service.people import facts as facts_of
from service.people.consents import refusing, reprofile
from service.people.customers import SESSION
from service.store import Customer, Store


def merge(store: Store, *, anonymous: str, known: str) -> bool:
    """Make a session, or a customer, of this name the known customer; False where it is so already."""
    return any([merge_session(store, anonymous, known), _merge(store, anonymous, known)])


def merge_session(store: Store, session_id: str, known: str) -> bool:
    """The same for a session alone."""
    return _merge(store, f"{SESSION}{session_id}", known)


def is_known(store: Store, name: str) -> bool:
    """Whether anything is kept under a name, or under the visit of that name."""
    return any(one is not None for one in store.customers([name, f"{SESSION}{name}"]))


def _merge(store: Store, name: str, known: str) -> bool:
    merged = store.merge(name, known, together)
    if merged and refusing(store, [known]):
        reprofile(store, known)  # what she did without a name was profiled until now
    return merged


def together(known: Customer, other: Customer) -> Customer:
    """The store's Join: the profiles added up, both histories of contacts and consents; what the known customer said of herself wins."""
    facts = facts_of.joined(
        facts_of.load(known.facts), facts_of.load(other.facts), alias=other.customer_id.removeprefix(SESSION)
    )
    contacts = (*ledger_of.load(known.ledger).contacts, *ledger_of.load(other.ledger).contacts)
    ledger = Ledger(tuple(sorted(contacts, key=lambda contact: contact.at)))
    profiles = [part for part in (known.profile, other.profile) if part is not None]
    return known._replace(
        profile=dump(joined(*map(load, profiles))) if len(profiles) == 2 else next(iter(profiles), None),
        facts=facts_of.dump(facts),
        ledger=ledger_of.dump(ledger) if contacts else known.ledger,
    )
