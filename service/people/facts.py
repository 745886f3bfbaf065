"""Facts: what a customer or the shop said of her: attributes, consents, addresses not to use. Never derived, never overwritten by training.

The store keeps them as one JSON document a customer; these functions read it and make the next one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import orjson

Facts = dict[str, Any]
Answer = Literal["yes", "no", "unknown"]

STATUSES = ("granted", "denied", "withdrawn")
MOST_CONSENTS = 500  # of a history: more than anybody says; what still stands is kept before what was said over
MOST_ALIASES = 500
EVERY = "all"  # a consent or refusal for all channels
MARKETING, PROFILING = "marketing", "profiling"
# What says who somebody is. A visit without a name is never given any of it: a pixel's id must not become a person by the way.
_PERSONAL = """
    email e_mail email_address mail phone phone_number mobile telephone tel first_name last_name full_name given_name family_name
    customer_name address street birthday birth_date date_of_birth ip ip_address user_data user_properties sha256_email_address
    sha256_phone_number
"""
PERSONAL = frozenset(_PERSONAL.split())


def load(document: bytes | None) -> Facts:
    """The facts in a document; empty where there is none."""
    facts: Facts = orjson.loads(document) if document else {}
    return {"attributes": {}, "consents": [], "do_not_contact": {}, **facts}


def dump(facts: Facts) -> bytes:
    """The document of some facts; the same facts give the same bytes. What is too long is cut to its newest."""
    if len(facts["consents"]) > MOST_CONSENTS:
        facts = {**facts, "consents": _newest(facts["consents"])}
    return orjson.dumps(facts, option=orjson.OPT_SORT_KEYS)


def with_attributes(facts: Facts, changes: Mapping[str, Any]) -> Facts:
    """The facts with some attributes set; None removes one."""
    attributes = {**facts["attributes"], **changes}
    return {**facts, "attributes": {name: value for name, value in attributes.items() if value is not None}}


def with_consents(facts: Facts, consents: Sequence[Mapping[str, Any]]) -> Facts:
    """The facts with more of the consent history; each has purpose, channel, status and `at` in seconds. Repeats count once."""
    known = facts["consents"]
    return {**facts, "consents": known + [dict(consent) for consent in consents if consent not in known]}


def _newest(consents: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The newest of a history that is too long, and before them the last word on each purpose and channel, however old."""
    ranks = [(said["at"], said["status"] != "granted", place) for place, said in enumerate(consents)]
    last: dict[tuple[str, str], tuple[int, bool, int]] = {}
    for rank, said in zip(ranks, consents, strict=True):
        about = (said["purpose"], said["channel"])
        last[about] = max(rank, last.get(about, rank))
    stands = set(last.values())
    kept = sorted(ranks, key=lambda rank: (rank in stands, rank))[-MOST_CONSENTS:]
    return [consents[place] for place in sorted(place for _, _, place in kept)]


def with_do_not_contact(facts: Facts, channel: str, reason: str) -> Facts:
    """The facts with a channel that must not be used any more."""
    return {**facts, "do_not_contact": {**facts["do_not_contact"], channel: reason}}


def joined(known: Facts, other: Facts, *, alias: str) -> Facts:
    """The facts of a customer and of another name of hers: what is known of her wins, a refusal of either counts."""
    told = with_consents(known, other["consents"])
    return {
        **told,
        "attributes": {**other["attributes"], **known["attributes"]},
        "do_not_contact": {**other["do_not_contact"], **known["do_not_contact"]},
        "aliases": sorted({*known.get("aliases", ()), *other.get("aliases", ()), alias})[:MOST_ALIASES],
    }


def impersonal(said: Mapping[str, Any]) -> dict[str, Any]:
    """What was said without what is personal, however deep it stands, in lists too."""
    return {name: _impersonal(value) for name, value in said.items() if name.casefold() not in PERSONAL}


def _impersonal(value: Any) -> Any:
    if isinstance(value, Mapping):
        return impersonal(value)
    return [_impersonal(one) for one in value] if isinstance(value, list) else value


def consent(facts: Facts, purpose: str, channel: str) -> Answer:
    """What she last said about this purpose on this channel or on all; said at the same moment, a no counts."""
    said = [
        (entry["at"], entry["status"] != "granted")
        for entry in facts["consents"]
        if entry["purpose"] == purpose and entry["channel"] in (channel, EVERY)
    ]
    if not said:
        return "unknown"
    return "no" if max(said)[1] else "yes"


def may_profile(facts: Facts) -> bool:
    """Whether her profile may be read for decisions and recommendations: unless she refused."""
    return consent(facts, PROFILING, EVERY) != "no"


def do_not_contact(facts: Facts, channel: str) -> bool:
    """Whether this channel must not be used for her, whatever she consented to."""
    return channel in facts["do_not_contact"] or EVERY in facts["do_not_contact"]
