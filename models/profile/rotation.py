"""Rotation: what a customer was shown again and again without answering makes room for other items."""

from __future__ import annotations

from models.profile.fold import SHOWN_DAYS
from models.profile.state import Item, Profile, Shown
from models.settings import DAY_S

WEEK = 7  # days that count, today among them
SENT_DAYS = 8  # a message counts alone, and for a day longer: the next one of a weekly mailing comes within it


def unanswered(profile: Profile, *, now: int) -> list[str]:
    """The items that she saw on three days of the last week, or in a message of it, and did nothing with since; in the order of the profile."""
    nothing = Item()
    return [
        item_id
        for item_id, shown in profile.shown.items()
        if _tired(shown, answered_at=profile.items.get(item_id, nothing).seen_at, now=now)
    ]


def _tired(shown: Shown, *, answered_at: int, now: int) -> bool:
    today = now // DAY_S
    since = max(answered_at // DAY_S, today - WEEK)
    in_vain = [day for day in shown.days if since < day <= today]
    sent_in_vain = max(answered_at, now - SENT_DAYS * DAY_S) < shown.sent_at <= now
    return sent_in_vain or len(in_vain) >= SHOWN_DAYS
