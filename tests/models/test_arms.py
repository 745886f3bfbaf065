"""Arms: the same customer always stands in the same one, and as many in each as its share says."""

import pytest

from models.arms import ARMS, Arms

ARMED = Arms(holdout=0.02, random=0.02, propensity=0.01, no_levers=0.01)
CROWD = [f"customer {number}" for number in range(20_000)]


def test_as_many_stand_in_each_arm_as_its_share_says():
    found = [ARMED.arm(one) for one in CROWD]
    assert [found.count(arm) / len(found) for arm in ARMS] == pytest.approx([0.02, 0.02, 0.01, 0.01, 0.94], abs=0.004)
    assert sum(ARMED.shares.values()) == pytest.approx(1.0)


def test_a_larger_share_keeps_whom_it_had():
    more = Arms(holdout=0.2)
    held = [one for one in CROWD if ARMED.arm(one) == "holdout"]
    assert {more.arm(one) for one in held} == {"holdout"}


def test_a_new_salt_deals_anew():
    salted = Arms(holdout=0.5, salt="2027")
    plain = Arms(holdout=0.5)
    both = sum(salted.arm(one) == plain.arm(one) for one in CROWD)
    assert both / len(CROWD) == pytest.approx(0.5, abs=0.02)


def test_everybody_is_full_where_nothing_is_said():
    assert {Arms().arm(one) for one in CROWD[:100]} == {"full"}
    assert Arms(holdout=1.0).arm("anna") == "holdout"
