"""One customer, anna, in a fake store, and actions as tests write them."""

from datetime import UTC, datetime

import orjson
from hypothesis import strategies as st

from models.action_catalogue import Catalogue as Actions
from models.action_catalogue import parse
from models.profile import EMPTY, Event, dump, fold
from service.decisions import ledger as ledger_of
from service.decisions.decide import next_best_action
from service.decisions.ledger import Contact, Ledger
from service.decisions.situation import Learnt, Request
from service.people import facts as facts_of
from service.store import Customer
from tests.fakes import FakeStore
from tests.worlds import tiny_tiers

NOW = 1_764_000_000
HOUR, DAY = 3_600, 86_400
MODES = ["thompson", "closed_form", "none"]
YES = ("marketing", "email", "granted")
TWO_A_WEEK = '[[limits]]\nchannel = "email"\ncontacts = 2\ndays = 7\n'
FIELDS = st.fixed_dictionaries(
    {
        "value": st.integers(1, 100),
        "propensity": st.floats(0.01, 0.9),
        "group": st.sampled_from(["g", "h", "i"]),
        "class": st.sampled_from(["growth", "service", "thanks"]),
    }
)


def action(name: str, *, channels=("website", "email", "agent"), **fields) -> str:
    """An action as actions.toml has it, a group of its own."""
    written = {"issue": "i", "group": name, "class": "growth", "value": 100, "propensity": 0.1, **fields}
    lines = "\n".join(f"{key} = {toml(value)}" for key, value in written.items())
    forms = "".join(
        f'[[actions.treatments]]\nchannel = "{channel}"\nscript = {{ en = "Say {name}" }}\n' for channel in channels
    )
    return f'[[actions]]\nid = "{name}"\n{lines}\n{forms}'


def toml(value) -> str:
    """A value as TOML has it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{key}" = {toml(part)}' for key, part in value.items()) + "}"
    return value.isoformat() if isinstance(value, datetime) else orjson.dumps(value).decode()


SILENCE = action("silence", **{"class": "silence"})


def catalogue(*actions: str, more: str = "") -> Actions:
    """The actions and silence; nothing is explored unless `more` says so."""
    settled = "" if "[learning]" in more else '[learning]\nexploration = "none"\n'
    return parse(more + settled + "".join(actions) + SILENCE, "actions.toml")


class World:
    """One customer, anna, in a fake store; what is asked is asked for her."""

    def __init__(self, actions: Actions) -> None:
        self.store = FakeStore()
        self.actions = actions
        self.store.people["anna"] = Customer("anna")
        self.count = 0

    def happened(self, *events: tuple[str, int]) -> None:
        profile = EMPTY
        for name, at in events:
            profile = fold(profile, Event(name, at, item_id="A", amount=100_000, order_id=f"o{at}"))
        self._set(profile=dump(profile))

    def said(self, *consents: tuple[str, str, str], at: int = NOW - DAY) -> None:
        said = [
            {"purpose": purpose, "channel": channel, "status": status, "at": at}
            for purpose, channel, status in consents
        ]
        anna = self.store.people["anna"]
        self._set(facts=facts_of.dump(facts_of.with_consents(facts_of.load(anna.facts), said)))

    def contacted(self, *contacts: Contact) -> None:
        self._set(ledger=ledger_of.dump(Ledger(contacts)))

    def _set(self, **parts: bytes) -> None:
        self.store.people["anna"] = self.store.people["anna"]._replace(**parts)

    def decide(self, channel: str = "website", *, now: int = NOW, store=..., **fields) -> dict:
        self.count += 1
        asked = Request(customer_id=fields.pop("customer_id", "anna"), channel=channel, **fields)
        return next_best_action(
            asked,
            store=self.store if store is ... else store,
            actions=self.actions,
            learnt=Learnt(attach=lambda items, *_: [items.intent] * items.n, tiers=tiny_tiers(), currency="THB"),
            now=now,
            new_id=f"d{self.count}",
        )


def chosen(answer: dict) -> list[str]:
    """The ids of what is said."""
    return [action["action_id"] for action in answer["actions"]]


def moment(at: int) -> datetime:
    """The time, as TOML takes it."""
    return datetime.fromtimestamp(at, UTC)


def exploring(*actions: str, mode: str = "thompson", more: str = "") -> World:
    """Anna in a shop that explores."""
    return World(catalogue(*actions, more=f'[learning]\nexploration = "{mode}"\n{more}'))


def armed(arm: str, *actions: str, mode: str = "none") -> World:
    """Anna in an arm of the experiment."""
    return exploring(*actions, mode=mode, more=f"[arms]\n{arm} = 1.0\n" if arm != "full" else "")
