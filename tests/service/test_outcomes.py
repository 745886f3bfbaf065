"""What became of a decision: kept once, and felt by the next one."""

from datetime import UTC, datetime

import pytest

from models.errors import InputError, StoreUnavailable
from models.profile import load
from models.propensity import action_cell, cell, group_cell, weight
from service.decisions import ledger as ledger_of
from service.decisions.beliefs import Beliefs
from service.decisions.record import load as load_record
from service.events import Receipt, Rules
from service.outcomes import record
from service.people import facts as facts_of
from tests.service.decisions.worlds import DAY, NOW, TWO_A_WEEK, YES, World, action, catalogue, chosen

THREE = (action("a", value=9), action("b", value=8), action("c", value=7))


@pytest.fixture
def world() -> World:
    """Anna, whom an agent was told a, b and c for (decision d1)."""
    world = World(catalogue(*THREE, more=TWO_A_WEEK))
    world.said(YES)
    assert chosen(world.decide("agent")) == ["a", "b", "c"]
    return world


def tell(world: World, payload, *, now=NOW + 60) -> list[Receipt]:
    return record(payload, store=world.store, rules=Rules("THB"), actions=world.actions, now=now)


def one(world: World, **row) -> str:
    (receipt,) = tell(world, {"decision_id": "d1", "action_id": "a", **row})
    return receipt.status


def outcomes(world: World) -> dict:
    return dict(ledger_of.load(world.store.people["anna"].ledger).contacts[0].outcomes)


def test_an_outcome_is_kept_once_whoever_repeats_it(world):
    assert [one(world, outcome="accepted"), one(world, outcome="accepted")] == ["accepted", "repeated"]
    assert outcomes(world) == {"a": {"accepted": NOW + 60}}


def test_one_event_id_is_one_outcome(world):
    assert one(world, outcome="accepted", event_id="e") == "accepted"
    assert one(world, outcome="converted", event_id="e") == "repeated"
    assert outcomes(world) == {"a": {"accepted": NOW + 60}}


def test_different_outcomes_of_one_action_all_stand_in_whatever_order_they_come(world):
    at = [datetime.fromtimestamp(NOW + n, UTC).isoformat() for n in range(3)]
    for outcome, time in zip(("converted", "shown", "clicked"), reversed(at), strict=True):
        assert one(world, outcome=outcome, time=time) == "accepted"
    assert outcomes(world)["a"] == {"converted": NOW + 2, "shown": NOW + 1, "clicked": NOW}


def test_what_was_shown_was_shown_for_all_actions_unless_one_is_named(world):
    tell(world, {"decision_id": "d1", "outcome": "shown"})
    assert set(outcomes(world)) == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        ({"outcome": "loved"}, "outcome", "'loved' is none of shown, clicked"),
        ({"outcome": None}, "outcome", "none of shown"),
        ({"decision_id": None}, "decision_id", "one of them"),
        ({"recommendation_id": "r"}, "decision_id", "one of them"),
        ({"decision_id": "d9"}, "decision_id", "'d9' is unknown, or its decision has expired"),
        ({"action_id": "z"}, "action_id", "'z' is not in this decision; it has a, b, c"),
        ({"action_id": None}, "action_id", "is missing; the decision has a, b, c"),
        ({"outcome": "rejected"}, "reason", "is missing"),
        ({"value": 5, "currency": "EUR"}, "currency", "not the shop's currency THB"),
        ({"value": -5}, "value", "at least 0"),
        ({"time": "2037-01-01T00:00:00Z"}, "time", "in the future"),
        ({"colour": "red"}, "colour", "is unknown; known here: decision_id"),
    ],
)
def test_a_bad_row_is_refused_with_its_field_and_the_rest_is_kept(world, change, field, says):
    good = {"decision_id": "d1", "action_id": "a", "outcome": "accepted"}
    bad, kept = tell(world, [{**good, **change}, good])
    assert (bad.status, kept.status) == ("refused", "accepted")
    assert says in " ".join(bad.errors[field])


@pytest.mark.parametrize("payload", ["text", [], {"outcomes": []}, [{}] * 501])
def test_what_is_no_list_of_rows_is_refused_whole(world, payload):
    with pytest.raises(InputError):
        tell(world, payload)


def test_a_rejection_with_its_reason_lowers_the_next_propensity(world):
    before = world.decide("agent", dry_run=True)["actions"][0]["factors"]["propensity"]
    assert one(world, outcome="rejected", reason="price") == "accepted"
    after = {a["action_id"]: a for a in world.decide("agent", dry_run=True)["actions"]}["a"]
    assert after["factors"]["propensity"] < before


def test_other_channels_need_no_reason(world):
    world.decide("website", decision_id="w")
    assert one(world, decision_id="w", outcome="rejected") == "accepted"


def test_an_unsubscription_stops_mail_in_the_next_decision(world):
    assert world.decide("email", decision_id="m")["dropped"].get("CONSENT") is None
    assert one(world, decision_id="m", outcome="unsubscribed") == "accepted"
    assert world.decide("email")["dropped"]["CONSENT"] == 3
    assert facts_of.consent(facts_of.load(world.store.people["anna"].facts), "marketing", "website") == "unknown"


def test_a_complaint_is_an_event_and_stops_marketing_everywhere(world):
    assert [one(world, outcome="complaint"), one(world, outcome="complaint")] == ["accepted", "repeated"]
    assert load(world.store.people["anna"].profile).open_complaints == 1
    assert world.decide("website")["dropped"]["OPEN_COMPLAINT"] == 3


def test_not_sent_gives_the_contact_back(world):
    for name in ("m1", "m2"):
        world.decide("email", decision_id=name)
    assert world.decide("email")["dropped"]["CONTACT_LIMIT"] == 3
    assert one(world, decision_id="m1", outcome="not_sent") == "accepted"
    assert chosen(world.decide("email")) == ["a"]


def test_what_became_of_a_recommendation_is_kept(world):
    (receipt,) = tell(world, {"recommendation_id": "r", "item_id": "A", "outcome": "clicked"})
    assert receipt.status == "accepted"
    assert ("outcome", receipt.event_id) in world.store.kept


def test_a_crash_between_folding_and_keeping_is_mended_by_the_retry(world):
    class Crash(Exception):  # noqa: N818
        pass

    put = world.store.put

    def crash(*_, **__) -> bool:
        raise Crash

    world.store.put = crash
    with pytest.raises(Crash):
        one(world, outcome="complaint")
    world.store.put = put
    assert one(world, outcome="complaint") == "accepted"
    assert load(world.store.people["anna"].profile).open_complaints == 1


def test_nothing_is_acknowledged_while_the_store_is_away(world):
    world.store.away = True
    with pytest.raises(StoreUnavailable):
        one(world, outcome="accepted")


def test_an_outcome_may_come_weeks_later(world):
    assert [r.status for r in tell(world, {"decision_id": "d1", "outcome": "no_response"}, now=NOW + 40 * DAY)] == [
        "accepted"
    ]


# --- learning ------------------------------------------------------------------------------------------------------------------------


def counted(world: World) -> tuple[float, float]:
    """(tries, positives) of the action `a`, in answers of the decision's time."""
    worth = weight(NOW, world.actions.learning.half_life_days)
    _, tries, positives = world.store.counted.get(action_cell(world.actions.learning, "a"), (0, 0.0, 0.0))
    return tries / worth, positives / worth


@pytest.mark.parametrize(
    ("told", "counts"),
    [
        (["shown"], (1, 0)),
        (["clicked"], (1, 1)),
        (["shown", "clicked", "accepted", "converted", "clicked"], (1, 1)),
        (["no_response"], (1, 0)),
        (["no_response", "accepted"], (1, 1)),
        (["rejected", "complaint"], (1, 0)),
        (["not_sent"], (0, 0)),
        (["shown", "not_sent"], (0, 0)),
        (["accepted", "not_sent", "shown"], (0, 0)),
    ],
)
@pytest.mark.parametrize("backwards", [False, True])
def test_a_decision_counts_once_for_learning_whatever_is_told_in_whatever_order(world, told, counts, backwards):
    for outcome in reversed(told) if backwards else told:
        one(world, outcome=outcome, reason="price")
    assert counted(world) == pytest.approx(counts)


def test_an_outcome_moves_the_action_its_group_and_its_cell(world):
    one(world, outcome="accepted")
    learning = world.actions.learning
    (decided,) = [load_record(one) for (kind, _), one in world.store.kept.items() if kind == "decision"]
    names = {
        group_cell(learning, "a"),
        action_cell(learning, "a"),
        cell(learning, "a", decided["channel"], decided["tier"]),
    }
    assert names <= world.store.counted.keys()


def test_the_next_decision_believes_what_was_told(world):
    beliefs = Beliefs(world.store)
    before = beliefs(world.actions, "website", "", NOW).mean[world.actions.rows["a"]]
    one(world, outcome="rejected", reason="price")
    beliefs.refresh()
    assert beliefs(world.actions, "website", "", NOW).mean[world.actions.rows["a"]] < before


def test_while_the_store_is_away_what_was_believed_is_believed_on(world):
    one(world, outcome="accepted")
    beliefs = Beliefs(world.store)
    before = beliefs(world.actions, "website", "", NOW)
    world.store.away = True
    beliefs.refresh()
    assert beliefs(world.actions, "website", "", NOW) is before
