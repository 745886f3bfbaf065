"""What other decisions would have brought, on a log whose truth is known."""

from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from service.decisions.decide import next_best_action
from service.decisions.situation import Learnt, Request
from service.events import Rules
from service.outcomes import record
from service.store.open import open_store
from tests.service.decisions.worlds import action, catalogue
from tests.training.decisions import CHANCES, DAY, NOW, RATES, fill, write
from training import off_policy
from training.decision_log import read
from training.policies import always, as_logged, likeliest, seen_by, uniform, without, worth


@pytest.fixture
def store(tmp_path: Path):
    found = open_store(f"sqlite:///{tmp_path / 'valet.db'}?timeout_ms=5000")
    yield found
    found.close()


@pytest.fixture(scope="module")
def filled(tmp_path_factory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('log') / 'valet.db'}?timeout_ms=5000"
    store = open_store(url)
    fill(store)
    store.close()
    return url


def valued(url: str, tmp_path: Path, *flags: str, code: int = 0) -> dict:
    out = tmp_path / "found.json"
    assert off_policy.main(["--store", url, "--json", str(out), *flags]) == code
    return orjson.loads(out.read_bytes())


@pytest.mark.parametrize(
    ("flags", "truth"),
    [
        (["--policy", "logged"], 0.5 * 0.3 + 0.4 * 0.1 + 0.1 * 0.5),
        (["--policy", "uniform"], sum(RATES.values()) / 3),
        (["--policy", "likeliest"], 0.3),
        (["--action", "news"], 0.1),
        (["--without", "sale"], 0.8 * 0.1 + 0.2 * 0.5),
        (["--without", "sale", "--without", "rare"], 0.1),
    ],
)
def test_every_estimator_holds_the_truth_of_every_policy(filled, tmp_path, flags, truth):
    found = valued(filled, tmp_path, *flags)
    assert found["refusals"] == []
    assert list(found["values"]) == ["IPS", "SNIPS", "DM", "DR", "Switch-DR"]
    for name in ("IPS", "SNIPS", "DR"):
        low, high = found["values"][name]["interval"]
        assert low <= truth <= high, name
        assert found["values"][name]["value"] == pytest.approx(truth, abs=0.06)
    assert found["customers"] == 500


def test_what_was_done_has_no_gain(filled, tmp_path):
    found = valued(filled, tmp_path)
    assert found["gain"]["value"] == 0
    assert found["gain"]["interval"] == [0, 0]
    assert found["values"]["IPS"] == found["as_it_was"]


def test_an_action_that_was_hardly_tried_is_refused_with_the_reason(filled, tmp_path, capsys):
    found = valued(filled, tmp_path, "--action", "rare", code=3)
    assert found["values"] == {}
    assert "the effective sample size is" in capsys.readouterr().out


def test_an_action_that_was_never_tried_is_named_with_those_that_were(filled, capsys):
    assert off_policy.main(["--store", filled, "--action", "typo"]) == 2
    assert "'typo' never had a chance in this log; it has news, rare, sale" in capsys.readouterr().err


def test_without_a_choice_there_is_nothing_to_learn(store, tmp_path):
    for nth in range(200):
        write(store, f"c{nth}", f"d{nth}", taken="sale", chances={"sale": 1.0}, answered=nth % 2 == 0)
    told = off_policy.value(seen_by(without({"sale"}), read(store, now=NOW).decided))
    assert "100.0% of what it would do never had a chance" in told.refusals[0]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"chances": None, "taken": "sale"}, "logged without chances"),
        ({"arm": "holdout", "taken": "sale"}, "of customers who are held out"),
        ({"taken": None}, "silent"),
        ({"taken": "sale", "at": NOW - 2 * DAY}, "too young for an answer"),
        ({"taken": "sale", "seen": False}, "not seen, as far as is known"),
    ],
)
def test_what_does_not_count_is_counted(store, fields, why):
    write(store, "anna", "d1", **fields)
    log = read(store, now=NOW)
    assert log.decided == ()
    assert log.left_out == {why: 1}


def test_channel_and_time_choose_and_the_oldest_comes_first(store):
    for nth, (channel, days) in enumerate([("website", 5), ("email", 9), ("website", 20)]):
        write(store, f"c{nth}", f"d{nth}", taken="sale", channel=channel, at=NOW - days * DAY)
    assert [one.customer_id for one in read(store, now=NOW).decided] == ["c2", "c1", "c0"]
    assert [one.customer_id for one in read(store, now=NOW, channel="email").decided] == ["c1"]
    assert [one.customer_id for one in read(store, now=NOW, since=NOW - 6 * DAY).decided] == ["c0"]


def test_the_first_decision_says_where_a_customer_was_dealt(store):
    write(store, "anna", "d1", taken="sale", at=NOW - 5 * DAY, tier="gold")
    write(store, "anna", "d2", taken=None, at=NOW - 9 * DAY, arm="holdout", tier="new")
    dealt = read(store, now=NOW).dealt["anna"]
    assert (dealt.at, dealt.arm, dealt.tier) == (NOW - 9 * DAY, "holdout", "new")


def test_the_reward_may_be_what_an_action_is_worth_less_its_cost(store):
    write(store, "anna", "d1", taken="sale", answered=True, value=10.0, cost=2.0)
    write(store, "anna", "d2", taken="sale", answered=False, value=10.0, cost=2.0)
    assert [worth(one) for one in read(store, now=NOW).decided] == [8.0, -2.0]


@pytest.mark.parametrize(
    ("policy", "due"),
    [
        (as_logged, CHANCES),
        (uniform, dict.fromkeys(CHANCES, 1 / 3)),
        (likeliest, {"sale": 1.0}),
        (always("news"), {"news": 1.0}),
        (always("never"), CHANCES),
        (without({"sale"}), {"news": 0.8, "rare": 0.2}),
        (without(set(CHANCES)), {"": 1.0}),
    ],
)
def test_policies_deal_their_chances_as_named(store, policy, due):
    write(store, "anna", "d1", taken="sale")
    (one,) = read(store, now=NOW).decided
    assert policy(one) == pytest.approx(due)


def test_what_the_service_decides_and_is_told_is_what_is_read(store):
    shop = catalogue(action("sale", propensity=0.2), action("news", propensity=0.2))
    shop = replace(shop, learning=replace(shop.learning, exploration="thompson"))
    then = NOW - 10 * DAY
    for nth in range(40):
        asked = Request(f"c{nth}", "website")
        made = next_best_action(
            asked, store=store, actions=shop, learnt=Learnt(attach=lambda *_: []), now=then, new_id=f"d{nth}"
        )
        told = {"decision_id": made["decision_id"], "outcome": "clicked" if nth % 2 else "shown"}
        told["action_id"] = made["actions"][0]["action_id"]
        record([told], store=store, rules=Rules(currency=None), actions=shop, now=then + 60)
    log = read(store, now=NOW)
    assert len(log.decided) == 40
    assert {one.taken for one in log.decided} == {"sale", "news"}
    assert all(sum(one.chances.values()) == pytest.approx(1) and one.taken in one.chances for one in log.decided)
    assert sum(one.answered for one in log.decided) == 20
    assert {one.arm for one in log.dealt.values()} == {"full"}


def test_of_an_erased_customer_nothing_is_read(store):
    write(store, "anna", "d1", taken="sale")
    store.erase("anna")
    assert read(store, now=NOW).dealt == {}


def test_an_empty_log_is_refused_and_no_store_is_no_log(tmp_path, capsys):
    assert off_policy.main(["--store", f"sqlite:///{tmp_path / 'valet.db'}"]) == 3
    assert "there is no round to value it on" in capsys.readouterr().out
    assert off_policy.main(["--store", "none"]) == 2
