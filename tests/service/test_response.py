"""Who she is moves the chances of a decision, where training learnt how; and the decision is made again the same."""

from dataclasses import replace

import numpy as np
import pytest

from models import bundle
from models.action_catalogue import parse
from models.bundle import load
from models.profile import EMPTY, Event, dump, fold
from models.response import Response
from service.decisions.decide import next_best_action
from service.decisions.decision_log import logged
from service.decisions.replay import replay
from service.decisions.situation import Learnt, Request
from service.people import facts as facts_of
from service.store import Customer
from tests.fakes import FakeStore
from tests.worlds import tiny_models, tiny_tiers

NOW = 1_764_000_000
DAY = 86_400
ACTIONS = parse(
    '[learning]\nexploration = "none"\n'
    + "".join(
        f'[[actions]]\nid="{name}"\nissue="i"\ngroup="{name}"\nclass="growth"\nvalue={value}\npropensity=0.1\n'
        f'[[actions.treatments]]\nchannel="website"\n'
        for name, value in (("cart", 90), ("news", 100))
    ),
    "actions.toml",
)
MODEL = Response(  # the more orders, the sooner she takes up what stands in her cart
    columns=("orders",),
    centre=np.array([1.0]),
    scale=np.array([0.5]),
    groups=("cart",),
    actions=("cart",),
    weights=np.array([[0.8], [0.0]]),
    group_level=np.zeros(2),
    action_level=np.zeros(2),
)


def decided(orders: int, *, model: Response | None = MODEL, profiled: bool = True):
    store, profile = FakeStore(), EMPTY
    for nth in range(orders):
        profile = fold(profile, Event("purchase", NOW - (nth + 1) * DAY, "A", 1, 100, f"o{nth}"))
    no = [{"purpose": "profiling", "channel": "all", "status": "denied", "at": NOW - DAY}]
    facts = facts_of.load(None) if profiled else {**facts_of.load(None), "consents": no}
    store.people["anna"] = Customer("anna", profile=dump(profile), facts=facts_of.dump(facts))
    learnt = Learnt(attach=lambda *_: [], tiers=tiny_tiers(), response=model)
    request = Request("anna", "website", n=2)
    answer = next_best_action(request, store=store, actions=ACTIONS, learnt=learnt, now=NOW, new_id="d")
    return store, answer, {one["action_id"]: one["factors"]["propensity"] for one in answer["actions"]}


def test_the_same_action_has_another_chance_for_another_customer():
    (_, few, seldom), (_, many, often) = decided(1), decided(9)
    assert seldom["cart"] < 0.1 < often["cart"]
    assert seldom["news"] == often["news"] == pytest.approx(0.1)
    assert [one["actions"][0]["action_id"] for one in (few, many)] == ["news", "cart"]


def test_of_who_refused_to_be_profiled_the_counters_say_all():
    assert decided(9, profiled=False)[2] == pytest.approx({"cart": 0.1, "news": 0.1})


def test_the_decision_is_made_again_the_same_and_the_log_keeps_what_the_counters_believed():
    store, _, _ = decided(9)
    kept = logged(store, "d")
    assert replay(kept, {ACTIONS.version: ACTIONS}.get).same
    assert [one["base"] for one in kept["actions"]] == [0.1, 0.1]


def test_a_bundle_holds_it_and_an_older_one_does_without(tmp_path):
    bundle.save(tmp_path, replace(tiny_models(), response=MODEL), {})
    read = load(tmp_path).models.response
    assert (list(read.columns), read.weights.tolist(), read.slope) == (["orders"], [[0.8], [0.0]], 0.0)
    (tmp_path / "old").mkdir()
    bundle.save(tmp_path / "old", tiny_models(), {})
    assert load(tmp_path / "old").models.response is None
