"""The cut of the latency of decisions that every run of the tests can hold: calls, not milliseconds, which are the same on every machine."""

import sys
from collections import Counter
from dataclasses import replace

import pytest

from benchmarks.serving.decide import catalogue_of_200, learnt_of, regular, request, steps, told
from benchmarks.serving.world import world
from models.action_catalogue import Catalogue
from service.decisions.situation import Learnt

PEOPLE = 12
MOST_CALLS = 2_600  # of functions, Python's and C's; 20,000 with a question to every action


def calls(asked, customer, actions, learnt) -> Counter[str]:
    """What a decision calls, by kind; its second time, when everything that is made once is made."""
    steps(asked, customer, actions, learnt)
    found: Counter[str] = Counter()

    def count(_, event: str, called) -> None:
        found[event] += 1
        found["by cel"] += event == "c_call" and getattr(called, "__name__", "") == "execute"

    sys.setprofile(count)
    try:
        steps(asked, customer, actions, learnt)
    finally:
        sys.setprofile(None)
    return found


@pytest.fixture(scope="module")
def learnt(tmp_path_factory) -> Learnt:
    return learnt_of(world(tmp_path_factory.mktemp("worlds"), 300, factors=8))


def counted(actions: Catalogue, learnt: Learnt, people: int = PEOPLE) -> list[Counter[str]]:
    return [calls(request(n), regular(n, told(actions)), actions, learnt) for n in range(people)]


def test_a_decision_of_200_actions_asks_no_question_of_each_action_and_none_of_cel(learnt):
    found = counted(catalogue_of_200(), learnt)
    assert max(one["call"] + one["c_call"] for one in found) < MOST_CALLS
    assert max(one["by cel"] for one in found) == 0


def test_conditions_that_need_cel_are_counted(learnt):
    plain = catalogue_of_200()
    rules = {name: replace(rule, clauses=None) for name, rule in plain.conditions["SUITABILITY"].items()}
    actions = replace(plain, conditions={**plain.conditions, "SUITABILITY": rules})
    assert min(one["by cel"] for one in counted(actions, learnt, 3)) > 20
