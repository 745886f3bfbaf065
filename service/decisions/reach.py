"""Reach: at which hour of her day, and on which channel, a customer is best reached. Both are guesses by what she did before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import NamedTuple

from models.actions import Channel
from models.profile import Profile
from models.profile.habits import PRIOR_RATE, PRIOR_SENT, deeds, hour
from service.decisions.ledger import Ledger
from service.decisions.person import Person
from service.people.facts import MARKETING, Facts, consent, do_not_contact, may_profile

SENT = {"email": ("email_sent", ("email_open", "email_click"))}  # where events tell, too, what was sent and answered


class Reach(NamedTuple):
    """hour: of her day, 0-23, None where nothing is known; better: the channel that reaches her better than the one asked for."""

    hour: int | None = None
    better: str | None = None


ANYHOW = Reach()


def reach(
    here: str, channels: Mapping[str, Channel], person: Person, tier_hours: Sequence[float], *, zone: tzinfo, now: int
) -> Reach:
    """When she is best reached on an outbound channel, and where rather; inbound she is there already.

    Of who refused to be profiled nothing is looked at. tier_hours: when people of her tier do what they do (Tiers.hours_of).
    """
    if not channels[here].outbound or not may_profile(person.facts):
        return ANYHOW
    best = hour(person.profile, zone=str(zone), now=now, tier_hours=tier_hours)
    return Reach(best, _better(here, channels, person))


def _better(here: str, channels: Mapping[str, Channel], person: Person) -> str | None:
    """The channel that she may be spoken to on, knows, and answers more on than here; None where this is the best."""
    _, facts, profile, ledger = person
    own = _rate(here, profile, ledger) if _allowed(here, channels[here], facts) else 0.0
    rates = {
        name: _rate(name, profile, ledger)
        for name, way in channels.items()
        if name != here and _allowed(name, way, facts) and _known(name, profile, ledger)
    }
    best = max(rates, key=rates.__getitem__, default=None)
    return best if best is not None and rates[best] > own else None


def _allowed(name: str, way: Channel, facts: Facts) -> bool:
    said = consent(facts, MARKETING, name)
    return not do_not_contact(facts, name) and (said == "yes" if way.outbound else said != "no")


def _known(name: str, profile: Profile, ledger: Ledger) -> bool:
    return deeds(profile, name) > 0 or any(contact.channel == name for contact in ledger.contacts)


def _rate(name: str, profile: Profile, ledger: Ledger) -> float:
    """The share of what was said on a channel that she answered; a few messages say little, so that it leans on a prior."""
    seen = [one for one in ledger.contacts if one.channel == name and any(map(one.shown, one.actions))]
    sent, answers = SENT.get(name, ("", ()))
    tries = max(len(seen), profile.counts.get(sent, 0))
    told = min(max((profile.counts.get(answer, 0) for answer in answers), default=0), tries)
    answered = max(sum(one.answered for one in seen), told)
    return (answered + PRIOR_SENT * PRIOR_RATE) / (tries + PRIOR_SENT)
