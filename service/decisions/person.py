"""Person: a customer's documents, read."""

from __future__ import annotations

from typing import NamedTuple

from models.profile import Profile
from models.profile import load as load_profile
from service.decisions import ledger as ledger_of
from service.decisions.ledger import Ledger
from service.people import facts as facts_of
from service.people.facts import Facts
from service.store import Customer


class Person(NamedTuple):
    """What decisions ask of a customer: what she said, what she did, and what was said to her."""

    customer_id: str
    facts: Facts
    profile: Profile
    ledger: Ledger


def read(customer: Customer) -> Person:
    """What the store has of a customer."""
    facts, profile = facts_of.load(customer.facts), load_profile(customer.profile)
    return Person(customer.customer_id, facts, profile, ledger_of.load(customer.ledger))
