"""The profile of a customer: a fold over what happened to her, kept as one compact JSON document.

event → tail of the document → store           one event, in the service; some of them are folded in together
event → fold → Profile → dump → store
history → training.profiles → store            everybody, in training; equal to the fold, a test says so
Profile → describe(now) → the answer           what depends on time is never stored
"""

from models.profile.document import dump
from models.profile.fold import EVENTS, INTEREST, OTHER, TELLING, fold
from models.profile.interactions import EVERYDAY, Interactions, interactions
from models.profile.join import joined
from models.profile.picture import describe, money, rfc3339
from models.profile.rotation import unanswered
from models.profile.state import EMPTY, NEVER, CartLine, Event, Item, Order, Profile, Shown, Wish, thousandths
from models.profile.tail import line, load, with_events, with_lines
from models.settings import DAY_S

__all__ = [
    "DAY_S",
    "EMPTY",
    "EVENTS",
    "EVERYDAY",
    "INTEREST",
    "NEVER",
    "OTHER",
    "TELLING",
    "CartLine",
    "Event",
    "Interactions",
    "Item",
    "Order",
    "Profile",
    "Shown",
    "Wish",
    "describe",
    "dump",
    "fold",
    "interactions",
    "joined",
    "line",
    "load",
    "money",
    "rfc3339",
    "thousandths",
    "unanswered",
    "with_events",
    "with_lines",
]
