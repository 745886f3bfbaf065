"""What is remembered is what would be answered, of these models, to this request, with these rules; and nothing of a customer is."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from models.filters import parse
from service.lists.recommend import Answer
from service.lists.remembered import Remembered, everybodys
from service.lists.request import Boost, Request
from service.lists.selection import NOTHING
from tests.worlds import tiny_models

MODELS = tiny_models()
SHOES = Request(intent="complementary", item_ids=("DR-001",), n=5)


def answers():
    """A maker that answers differently each time."""
    numbers = iter(range(100))
    return lambda: Answer(f"answer {next(numbers)}")


def test_the_same_request_is_answered_once():
    remembered, make = Remembered(), answers()
    asked = [SHOES, SHOES._replace(), SHOES._replace(n=6), SHOES]
    assert [remembered.answer(one, make, models=MODELS, wishes=NOTHING).intent for one in asked] == [
        "answer 0",
        "answer 0",
        "answer 1",
        "answer 0",
    ]


def test_other_models_and_other_rules_are_asked_anew():
    remembered, make = Remembered(), answers()
    fired = replace(NOTHING, rules={"sale": "fired"})
    told = [
        remembered.answer(SHOES, make, models=models, wishes=wishes).intent
        for models, wishes in [(MODELS, NOTHING), (MODELS, fired), (replace(MODELS), fired), (MODELS, NOTHING)]
    ]
    assert told == ["answer 0", "answer 1", "answer 2", "answer 3"]


FILTER = parse({"field": "price", "op": "lt", "value": 900})


@pytest.mark.parametrize(
    "changes",
    [
        {"customer_id": "ann"},
        {"session_id": "s"},
        {"send_id": "monday"},
        {"exploration": 0.5},
        {"debug": True},
        {"filter": FILTER},
        {"boost": (Boost(FILTER, 2.0),)},
        {"exclude": tuple(map(str, range(100)))},
    ],
)
def test_what_may_differ_next_time_is_not_remembered(changes):
    asked, remembered, make = SHOES._replace(**changes), Remembered(), answers()
    assert everybodys(SHOES)
    assert not everybodys(asked)
    assert remembered.answer(asked, make, models=MODELS, wishes=NOTHING) != remembered.answer(
        asked, make, models=MODELS, wishes=NOTHING
    )


def test_a_query_that_names_nobody_is_read_once():
    remembered, read = Remembered(), []

    def load(request):
        return lambda: read.append(request) or request

    hers = SHOES._replace(customer_id="ann")
    for query, request in [
        (b"a", SHOES),
        (b"a", SHOES),
        (b"b", hers),
        (b"b", hers),
        (b"c" * 500, SHOES),
        (b"c" * 500, SHOES),
    ]:
        assert remembered.read(query, load(request)) is request
    assert read == [SHOES, hers, hers, SHOES, SHOES]


def test_lists_are_made_one_at_a_time():
    remembered, at_once, most = Remembered(), [], []

    def make():
        at_once.append(1)
        time.sleep(0.005)
        most.append(len(at_once))
        at_once.pop()
        return Answer("made")

    def ask(number):
        return remembered.answer(SHOES._replace(customer_id=f"c{number}"), make, models=MODELS, wishes=NOTHING)

    with ThreadPoolExecutor(4) as pool:
        assert len(list(pool.map(ask, range(12)))) == 12
    assert most == [1] * 12


def test_it_begins_anew_when_there_are_too_many(monkeypatch):
    monkeypatch.setattr("service.lists.remembered.MOST", 2)
    remembered, make = Remembered(), answers()
    asked = [SHOES._replace(n=n) for n in (1, 2, 3, 1)]
    assert [remembered.answer(one, make, models=MODELS, wishes=NOTHING).intent for one in asked][-1] == "answer 3"
