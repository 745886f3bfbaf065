"""The cut of the latency of decisions that every run of the tests can hold: calls, not milliseconds, which are the same on every machine."""

import sys
from collections import Counter

import pytest

from benchmarks.serving.decide import catalogue_of_200, learnt_of, regular, request, steps, told
from benchmarks.serving.world import world

PEOPLE = 12
MOST_CALLS = (
    6_000  # of functions, Python's and C's; about 3,000 when this was written, 20,000 with a question to every action
)
MOST_BY_CEL = 40  # of 200 conditions


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
def counted(tmp_path_factory) -> list[Counter[str]]:
    actions, learnt = catalogue_of_200(), learnt_of(world(tmp_path_factory.mktemp("worlds"), 300, factors=8))
    return [calls(request(n), regular(n, told(actions)), actions, learnt) for n in range(PEOPLE)]


def test_a_decision_of_200_actions_asks_no_question_of_each_action(counted):
    assert max(one["call"] + one["c_call"] for one in counted) < MOST_CALLS


def test_few_conditions_need_cel(counted):
    assert max(one["by cel"] for one in counted) < MOST_BY_CEL
