"""Races, cut small: real services of four workers, real stores; and what counts the faults finds each of them."""

import time

import pytest

from benchmarks.decisions.agreement import Asked, compared, exceeded
from benchmarks.decisions.races import main, questions
from models.budgets import Level
from service.decisions import ledger as ledger_of
from service.decisions.ledger import Contact, Ledger
from service.store import Customer
from tests.fakes import FakeStore

NOW = int(time.time())


def test_whatever_races_no_limit_is_exceeded_no_token_is_left_and_everybody_was_told_what_is_kept(capsys):
    assert main(decisions=160) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()[1:]]
    assert [line[:2] for line in lines] == [["sqlite", "160"], ["redis", "160"]]
    assert {tuple(line[3:8]) for line in lines} == {("0", "0", "0", "0", "0")}


def test_questions_race_for_one_customer_and_some_are_asked_twice():
    asked = [question for question, _ in questions(160)]
    assert len(asked) == 168
    assert {one["customer_id"] for one in asked[:8]} == {"c0"}
    assert asked[0] == asked[1] != asked[2]


@pytest.mark.parametrize(
    ("contacts", "above"),
    [
        ([("ann", "website", ["news"]), ("ann", "agent", ["gift"]), ("ann", "email", ["parcel"])], 0),
        ([("ann", "website", ["news"])] * 3, 1),
        ([("ann", "email", ["news"])] * 2, 1),
        ([("ann", "agent", ["gift"]), ("ann", "website", ["gift"])], 1),
        ([("ann", "website", ["news"])] * 2 + [("bea", "website", ["news"])], 0),
    ],
)
def test_a_contact_above_a_limit_is_counted(contacts, above):
    assert exceeded(contacts) == above


def contact(decision_id: str = "d1", action: str = "gift", pool: str = "stock:gift") -> Contact:
    return Contact(decision_id, "website", NOW, NOW + 1_800, True, (action,), drawn={action: {pool: 1}})


def asked(decision_id: str = "d1", action: str = "gift") -> Asked:
    return Asked("ann", "website", {"decision_id": decision_id, "actions": [{"action_id": action}]})


@pytest.mark.parametrize(
    ("answers", "contacts", "used", "wrong"),
    [
        ([asked()], [contact()], 1, {}),
        ([asked(action="news")], [contact()], 1, {"differ": 1}),
        ([asked(), asked(action="news")], [contact()], 1, {"differ": 1}),
        ([], [contact()], 1, {"differ": 1}),
        ([asked()], [contact()], 0, {"left": 1, "adrift": 1}),
        ([asked()], [contact()], 2, {"over": 1, "adrift": 1}),
        ([asked("d1"), asked("d2")], [contact("d1"), contact("d2")], 2, {"over": 2, "over_limits": 2}),
    ],
)
def test_what_does_not_agree_is_counted(answers, contacts, used, wrong):
    store = FakeStore()
    store.people["ann"] = Customer("ann", ledger=ledger_of.dump(Ledger(tuple(contacts))))
    store.pools["stock:gift"] = Level(used=used)
    found = compared(answers, store, ["ann"], pool=1)
    counts = {name: getattr(found, name) for name in ("over_limits", "differ", "over", "left", "adrift")}
    assert {name: count for name, count in counts.items() if count} == wrong
    assert found.holds is not bool(wrong)
