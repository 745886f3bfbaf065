"""Reach: at which hour of her day, and on which channel, a customer is best reached. Both are guesses by what she did before."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from models.actions import Channel
from models.profile import Profile
from models.profile.habits import PRIOR_RATE, PRIOR_SENT, deeds, hour
from models.tiers import Tiers
from service.decisions.ledger import Ledger
from service.people.facts import MARKETING, Facts, consent, do_not_contact

if TYPE_CHECKING:
    from service.decisions.situation import Situation

SENT = {"email": ("email_sent", ("email_open", "email_click"))}  # where events tell, too, what was sent and answered


class Reach(NamedTuple):
    """hour: of her day, 0-23, None where nothing is known; better: the channel that reaches her better than the one asked for."""

    hour: int | None = None
    better: str | None = None


ANYHOW = Reach()


def reach(at: Situation, tiers: Tiers | None) -> Reach:
    """When she is best reached on an outbound channel, and where rather; inbound she is there already.

    Of who refused to be profiled nothing is looked at.
    """
    if not at.way.outbound or not at.profiled:
        return ANYHOW
    tier = next((name for name in at.picture.tiers if name != "none"), None)
    tier_hours = tiers.hours_of(tier) if tiers is not None else ()
    return Reach(hour(at.profile, zone=str(at.zone), now=at.now, tier_hours=tier_hours), _better(at))


def _better(at: Situation) -> str | None:
    """The channel that she may be spoken to on, knows, and answers more on than here; None where this is the best."""
    channels, here = at.actions.channels, at.channel
    own = _rate(here, at.profile, at.ledger) if _allowed(here, at.way, at.facts) else 0.0
    rates = {
        name: _rate(name, at.profile, at.ledger)
        for name, way in channels.items()
        if name != here and _allowed(name, way, at.facts) and _known(name, at.profile, at.ledger)
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
