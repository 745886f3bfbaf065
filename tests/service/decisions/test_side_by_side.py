"""Decisions side by side: each as if it had been asked for alone, whatever comes of the others."""

import orjson
import pytest

from models.errors import StoreUnavailable
from service.decisions import ledger as ledger_of
from service.decisions.decide import Asked, next_best_action, next_best_actions
from service.decisions.decision_log import DecisionTakenError
from service.decisions.situation import Learnt, Request
from service.store import Customer, Settle
from tests.fakes import FakeStore
from tests.service.decisions.worlds import NOW, action, catalogue, chosen

LEARNT = Learnt(attach=lambda *_: [])
SHOP = catalogue(
    action("gift", value=90, stock=1),
    action("mail", value=50),
    action("other", value=3),
    more="[[limits]]\ncontacts = 1\ndays = 7\n",
)


def asked(*requests: Request) -> list[Asked]:
    return [Asked(request, LEARNT, f"d{number}") for number, request in enumerate(requests)]


def together(store: FakeStore, *requests: Request) -> list:
    return next_best_actions(asked(*requests), store=store, actions=SHOP, now=NOW)


def people(store: FakeStore, *names: str) -> FakeStore:
    store.people |= {name: Customer(name) for name in names}
    return store


def contacts(store: FakeStore, name: str) -> list[str]:
    return [contact.decision_id for contact in ledger_of.load(store.people[name].ledger).contacts]


def test_each_is_decided_as_if_alone():
    requests = [
        Request("eve", "website", dry_run=True),
        Request("ann", "website", n=2),
        Request("bob", "agent", lang="th", explain="full"),
        Request("nobody", "email"),
    ]
    one, other = people(FakeStore(), "ann", "bob", "eve"), people(FakeStore(), "ann", "bob", "eve")
    alone = [
        next_best_action(each.request, store=one, actions=SHOP, learnt=LEARNT, now=NOW, new_id=each.new_id)
        for each in asked(*requests)
    ]
    assert orjson.dumps(together(other, *requests)) == orjson.dumps(alone)
    assert [person.ledger for person in other.people.values()] == [person.ledger for person in one.people.values()]
    assert other.kept.keys() == one.kept.keys()


def test_the_same_customer_asked_about_twice_is_told_no_more_than_her_limit_allows():
    store = people(FakeStore(), "ann")
    first, second = together(store, Request("ann", "website"), Request("ann", "website"))
    assert chosen(first)
    assert chosen(second) == ["silence"]
    assert contacts(store, "ann") == ["d0"]


def test_the_last_piece_goes_to_one_and_the_other_is_offered_something_else():
    store = people(FakeStore(), "ann", "bob")
    first, second = together(store, Request("ann", "website"), Request("bob", "website"))
    assert chosen(first) == ["gift"]
    assert chosen(second) == ["mail"]
    assert contacts(store, "bob") == ["d1"]


def test_one_decision_id_is_one_decision_and_another_customers_is_refused_alone():
    store = people(FakeStore(), "ann", "bob")
    hers = Request("ann", "website", decision_id="mine")
    first, again, taken, free = together(
        store, hers, hers, Request("bob", "website", decision_id="mine"), Request("bob", "website")
    )
    assert first == again == next_best_action(hers, store=store, actions=SHOP, learnt=LEARNT, now=NOW, new_id="x")
    assert isinstance(taken, DecisionTakenError)
    assert chosen(free)
    assert contacts(store, "ann") == ["mine"]


class AwayForBob(FakeStore):
    """Writes for others, and is away then."""

    def settle(self, customer_id: str, settle: Settle, *, now: int) -> list[str]:
        if customer_id == "bob":
            raise StoreUnavailable("away")
        return super().settle(customer_id, settle, now=now)


def test_what_could_not_be_written_is_degraded_and_the_others_stand():
    store = people(AwayForBob(), "ann", "bob")
    hers, his = together(store, Request("ann", "website"), Request("bob", "website"))
    assert not hers["degraded"]
    assert contacts(store, "ann") == ["d0"]
    assert his["degraded"]


@pytest.mark.parametrize("store", [None, FakeStore()])
def test_without_a_store_all_are_degraded(store: FakeStore | None):
    if store is not None:
        store.away = True
    answers = together(store, Request("ann", "website"), Request("bob", "website"))
    assert [answer["degraded"] for answer in answers] == [True, True]
