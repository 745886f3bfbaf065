"""Searches that led to no purchase: the newest terms since the last one, as the cart is what was put there since."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TERMS = 5  # how many the profile keeps, newest first
LONGEST = 40  # characters of a term
FIELDS = ("search_term", "query")  # of an event, GA4's first

Searches = Mapping[str, int]  # term -> when it was searched for last; oldest first, ties by term


def term_of(said: Mapping[str, Any]) -> str | None:
    """What was searched for, in small letters, blanks as one; None where the event does not say. `said`: its extra fields."""
    if not said:
        return None
    term = next((said[name] for name in FIELDS if isinstance(said.get(name), str)), "")
    return " ".join(term.casefold().split())[:LONGEST].rstrip() or None


def with_search(searches: Searches, term: str, at: int) -> dict[str, int]:
    """The searches with one more."""
    return newest({**searches, term: max(at, searches.get(term, at))})


def since(searches: Searches, bought_at: int) -> dict[str, int]:
    """Those after a purchase: what comes in one second with it led to it."""
    return {term: at for term, at in searches.items() if at > bought_at}


def newest(searches: Searches) -> dict[str, int]:
    """As many as are kept, in their order."""
    return dict(sorted(searches.items(), key=lambda entry: (entry[1], entry[0]))[-TERMS:])


def both(one: Searches, other: Searches) -> dict[str, int]:
    """The searches of two that are one customer."""
    return newest({**one, **{term: max(at, one.get(term, at)) for term, at in other.items()}})
