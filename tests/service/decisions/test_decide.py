"""Deciding: who may be told what, what is worth most, and that limits hold whatever races."""

import math

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.decisions import ledger as ledger_of
from service.decisions.decision_log import DecisionTakenError, logged
from service.decisions.funnel import ORDER
from service.decisions.ledger import Contact, Ledger
from service.decisions.past import past
from service.decisions.record import action_ids
from service.decisions.replay import replay
from service.people import facts as facts_of
from service.store import Customer
from tests.service.decisions.worlds import DAY, HOUR, NOW, TWO_A_WEEK, YES, World, action, catalogue, chosen, moment

# --- the funnel ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "fields", "asked"),
    [
        ("DATES", {"ends": moment(NOW)}, {}),
        ("DATES", {"starts": moment(NOW + 1)}, {}),
        ("STATE", {"state": "paused"}, {}),
        ("CHANNEL", {"channels": ("agent",)}, {}),
        ("CONSENT", {}, {"channel": "email"}),
        ("TIER", {"tiers": ["gold"]}, {}),
        ("TIER", {"lifecycles": ["lost"]}, {}),
        ("APPLICABILITY", {"needs": {"orders": [1]}}, {}),
        ("APPLICABILITY", {"needs": {"orders": [-2, -1]}}, {}),
        ("APPLICABILITY", {"needs": {"days_since_order": [0]}}, {}),
        ("MIN_VALUE", {"cost": 10}, {}),
    ],
)
def test_an_action_is_dropped_with_the_code_of_its_stage(code, fields, asked):
    answer = World(catalogue(action("it", **fields))).decide(**asked)
    assert answer["dropped"] == {code: 1}
    assert chosen(answer) == ["silence"]
    assert answer["no_action_reason"] == code


def test_nothing_drops_what_fits():
    world = World(
        catalogue(action("it", starts=moment(NOW), ends=moment(NOW + 1), tiers=["none"], lifecycles=["visitor"]))
    )
    answer = world.decide()
    assert chosen(answer) == ["it"]
    assert (answer["dropped"], answer["no_action_reason"]) == ({"ARBITRATION": 1}, None)


def test_the_first_stage_counts_when_several_would_drop():
    world = World(catalogue(action("it", state="paused", ends=moment(NOW), channels=("agent",), tiers=["gold"])))
    assert world.decide()["dropped"] == {"DATES": 1}


def test_a_placement_has_its_own_treatment_before_the_channels():
    text = action("it", channels=()) + (
        '[[actions.treatments]]\nid = "any"\nchannel = "website"\n'
        '[[actions.treatments]]\nid = "hero"\nchannel = "website"\nplacements = ["hero"]\n'
    )
    world = World(
        catalogue(
            text,
            action("other", channels=(), value=1) + '[[actions.treatments]]\nchannel="website"\nplacements=["x"]\n',
        )
    )
    assert world.decide(placement="hero")["actions"][0]["treatment"] == "hero"
    footer = world.decide(placement="footer")
    assert (footer["actions"][0]["treatment"], footer["dropped"]["PLACEMENT"]) == ("any", 1)


@pytest.mark.parametrize(
    ("channel", "said", "allowed"),
    [
        ("email", [], False),
        ("email", [("marketing", "email", "granted")], True),
        ("email", [("marketing", "all", "granted")], True),
        ("email", [("marketing", "sms", "granted")], False),
        ("email", [("news", "email", "granted")], False),
        ("email", [("marketing", "email", "granted"), ("marketing", "email", "withdrawn")], False),
        ("email", [("marketing", "email", "granted"), ("marketing", "all", "denied")], False),
        ("website", [], True),
        ("website", [("marketing", "website", "denied")], False),
        ("agent", [], True),
        ("agent", [("marketing", "all", "withdrawn")], False),
    ],
)
def test_marketing_needs_a_yes_where_we_come_to_her_and_stops_at_a_no_everywhere(channel, said, allowed):
    world = World(catalogue(action("it"), action("service", value=1, **{"class": "service"})))
    world.said(*said)
    answer = world.decide(channel)
    assert ("it" in chosen(answer)) is allowed
    assert answer["dropped"].get("CONSENT", 0) == (not allowed)
    assert allowed or chosen(answer) == ["service"]


def test_a_withdrawal_counts_in_the_next_decision():
    world = World(catalogue(action("it")))
    world.said(("marketing", "email", "granted"), at=NOW - DAY)
    assert chosen(world.decide("email")) == ["it"]
    world.said(("marketing", "email", "withdrawn"), at=NOW)
    assert chosen(world.decide("email")) == ["silence"]


def test_an_address_that_bounced_is_used_for_nothing():
    world = World(catalogue(action("service", **{"class": "service"})))
    world.store.change(
        "anna", "facts", lambda _: facts_of.dump(facts_of.with_do_not_contact(facts_of.load(None), "email", "b"))
    )
    assert world.decide("email")["dropped"] == {"DO_NOT_CONTACT": 1}
    assert chosen(world.decide("website")) == ["service"]


def test_an_open_complaint_stops_marketing_and_lifts_service():
    world = World(catalogue(action("it"), action("service", value=1, **{"class": "service"})))
    world.happened(("complaint", NOW - DAY))
    answer = world.decide()
    assert (chosen(answer), answer["dropped"]["OPEN_COMPLAINT"]) == (["service"], 1)
    assert answer["actions"][0]["factors"]["context"] == 2.0
    world.happened(("complaint", NOW - DAY), ("complaint_resolved", NOW - HOUR))
    assert chosen(world.decide()) == ["it"]


def test_who_refused_profiling_gets_what_needs_no_profile():
    actions = catalogue(
        action("hers", needs={"orders": [0]}), action("anybodys", value=1), action("valued", value_by_tier={"gold": 1})
    )
    world = World(actions)
    world.said(("profiling", "all", "denied"))
    answer = world.decide()
    assert (chosen(answer), answer["dropped"]["PROFILING"]) == (["anybodys"], 2)
    assert answer["actions"][0]["why"] == []


def test_tier_and_life_cycle_come_from_what_she_bought():
    world = World(
        catalogue(action("gold", tiers=["highest"]), action("silver", tiers=["silver"], lifecycles=["first_time"]))
    )
    world.happened(("purchase", NOW - DAY))
    assert chosen(world.decide()) == ["silver"]


def test_an_event_posted_now_changes_the_next_answer():
    world = World(catalogue(action("cart", needs={"cart_items": [1]}), action("other", value=1)))
    assert chosen(world.decide()) == ["other"]
    world.happened(("add_to_cart", NOW))
    assert chosen(world.decide()) == ["cart"]


# --- contacts ------------------------------------------------------------------------------------------------------------------------


def mail(at: int, name: str = "it", **fields) -> Contact:
    return Contact(f"d{at}", "email", at, None, counted=True, actions=(name,), **fields)


def test_a_limit_of_two_is_never_three_and_its_window_rolls():
    world = World(catalogue(action("it"), action("service", value=1, **{"class": "service"}), more=TWO_A_WEEK))
    world.said(YES)
    days = [0, 1, 2, 6, 7, 8, 9]
    answers = [chosen(world.decide("email", now=NOW + day * DAY)) for day in days]
    assert answers == [["it"], ["it"], ["service"], ["service"], ["it"], ["it"], ["service"]]


def test_a_limit_on_one_channel_does_not_stop_another_but_one_over_all_does():
    world = World(catalogue(action("it"), more=TWO_A_WEEK))
    world.said(YES)
    world.contacted(mail(NOW - 2), mail(NOW - 1))
    assert world.decide("email")["dropped"] == {"CONTACT_LIMIT": 1}
    assert chosen(world.decide("website")) == ["it"]
    world.actions = catalogue(action("it"), more="[[limits]]\ncontacts = 2\ndays = 7\n")
    assert world.decide("website")["dropped"] == {"CONTACT_LIMIT": 1}


def test_a_mail_that_was_not_sent_is_no_contact():
    world = World(catalogue(action("it"), more=TWO_A_WEEK))
    world.said(YES)
    world.contacted(mail(NOW - 2), mail(NOW - 1, outcomes={"it": {"not_sent": NOW}}))
    assert chosen(world.decide("email")) == ["it"]


@pytest.mark.parametrize(
    ("later", "shown", "stopped"), [(60, False, True), (31 * 60, False, False), (31 * 60, True, True)]
)
def test_on_the_website_what_was_never_shown_is_released_after_half_an_hour(later, shown, stopped):
    world = World(catalogue(action("it"), more='[[limits]]\nchannel = "website"\ncontacts = 1\ndays = 1\n'))
    world.decide()
    if shown:
        ledger = ledger_of.load(world.store.people["anna"].ledger)
        world.contacted(*ledger_of.answer(ledger, "d1", "it", "shown", NOW).contacts)
    assert (world.decide(now=NOW + later)["dropped"].get("CONTACT_LIMIT") == 1) is stopped


def test_the_faster_of_two_decisions_counts_in_the_slower_one():
    world = World(catalogue(action("it"), action("service", value=1, **{"class": "service"}), more=TWO_A_WEEK))
    world.said(YES)
    world.contacted(mail(NOW - 5))
    world.store.before_change = lambda: world.decide("email")
    answer = world.decide("email")
    assert chosen(answer) == ["service"]
    sent = [contact for contact in ledger_of.load(world.store.people["anna"].ledger).contacts if contact.counted]
    assert len(sent) == 2


@pytest.mark.parametrize(
    ("outcome", "days", "rests"),
    [("rejected", 29, True), ("rejected", 31, False), ("shown", 6, True), ("shown", 8, False), ("clicked", 1, False)],
)
def test_an_action_rests_after_an_outcome(outcome, days, rests):
    world = World(catalogue(action("it", cool_off_days={"rejected": 30, "shown": 7})))
    at = NOW - days * DAY
    shown = {"shown": at - 300 * DAY} | {outcome: at}
    contact = Contact("d", "website", at - 300 * DAY, at, counted=True, actions=("it",), outcomes={"it": shown})
    world.contacted(contact)
    assert (world.decide()["dropped"].get("COOL_OFF") == 1) is rests


def test_service_messages_do_not_wash_a_limit_out_of_the_ledger():
    ledger = Ledger((mail(NOW - 3), mail(NOW - 2)))
    for second in range(1_000):
        message = Contact(f"s{second}", "website", NOW + second, NOW + second, counted=False, actions=("help",))
        ledger = ledger_of.reserve(ledger, message, keep_s=DAY)
    assert sum(one.channel == "email" for one in past(ledger, since=NOW - DAY, now=NOW, asked=()).standing) == 2
    assert len(ledger.contacts) == ledger_of.KEPT
    assert ledger_of.load(ledger_of.dump(ledger)) == ledger


# --- arbitration ---------------------------------------------------------------------------------------------------------------------


def test_the_priority_can_be_recomputed_from_its_factors():
    actions = catalogue(
        action(
            "it",
            **{"value_by_tier": {"silver": 70}, "cost": 0.3, "lever": 25, "context": {"page=cart": 1.5, "new=true": 2}},
            recency={"since": "days_since_order", "boost": 0.5, "half_life": 2},
        ),
        more="levers = { i = 30 }\n",
    )
    world = World(actions)
    world.happened(("purchase", NOW - 2 * DAY))
    world.contacted(
        *(mail(NOW - n * DAY, "old") for n in (1, 2, 20)), mail(NOW - DAY, "it", outcomes={"it": {"clicked": NOW}})
    )
    (it,) = world.decide(context={"page": "cart", "new": True})["actions"]
    factors = it["factors"]
    assert factors == {
        "propensity": pytest.approx((20 * 0.1 + 1) / (20 + 1)),
        "value": 70,
        "context": 3.0,
        "lever": pytest.approx(1.55),
        "fatigue": pytest.approx(math.exp(-0.15 * 2)),
        "recency": pytest.approx(1.25),
        "cost": 0.3,
    }
    product = math.prod(factors[name] for name in ("propensity", "value", "context", "lever", "fatigue", "recency"))
    assert it["priority"] == pytest.approx(product - factors["cost"], abs=1e-9)


def test_a_no_lowers_the_chance_and_a_yes_raises_it():
    def chance(*outcomes: str) -> float:
        world = World(catalogue(action("it")))
        world.contacted(*(mail(NOW - n, outcomes={"it": {outcome: NOW}}) for n, outcome in enumerate(outcomes)))
        return world.decide()["actions"][0]["factors"]["propensity"]

    assert (
        chance("rejected", "rejected")
        < chance("rejected")
        < chance()
        < chance("accepted")
        < chance("accepted", "accepted")
    )


def test_equal_priorities_stand_in_the_order_of_their_ids():
    assert chosen(World(catalogue(action("b"), action("a"), action("c"))).decide(n=3)) == ["a", "b", "c"]


def test_an_agent_hears_three_alternatives_of_distinct_groups_with_words_to_say():
    actions = catalogue(
        action("a", value=40, group="g"),
        action("b", value=30, group="g"),
        action("c", value=20),
        action("d", value=10),
        action("e", value=5),
    )
    answer = World(actions).decide("agent")
    assert chosen(answer) == ["a", "c", "d"]
    assert answer["dropped"] == {"ARBITRATION": 2, "DUPLICATE": 1}
    assert [one["agent"]["script"] for one in answer["actions"]] == ["Say a", "Say c", "Say d"]
    assert [one["agent"]["if_rejected"] for one in answer["actions"]] == ["c", "a", "a"]


def test_what_to_offer_after_a_no_has_passed_the_funnel_itself():
    text = action("a", channels=()) + '[[actions.treatments]]\nchannel = "agent"\nif_rejected = "{}"\n'
    others = action("b", value=9), action("c", value=8), action("late", ends=moment(NOW))
    for named, offered in (("c", "c"), ("late", "b")):
        answer = World(catalogue(text.format(named), *others)).decide("agent", n=1)
        assert answer["actions"][0]["agent"]["if_rejected"] == offered


def test_other_channels_have_no_agent():
    assert World(catalogue(action("it"))).decide()["actions"][0]["agent"] is None


def test_items_come_from_the_recommender():
    text = (
        action("it", channels=())
        + '[[actions.treatments]]\nchannel = "website"\nitems = { intent = "similar", n = 2 }\n'
    )
    assert World(catalogue(text)).decide()["actions"][0]["items"] == ["similar", "similar"]


@pytest.mark.parametrize(("explain", "sentences"), [("none", 0), ("top", 3), ("full", 4)])
@pytest.mark.parametrize("lang", ["en", "th"])
def test_says_why_in_her_language(explain, sentences, lang):
    world = World(catalogue(action("it", why={"en": "Because of {tier}.", "th": "เพราะ {tier}"})))
    world.happened(("purchase", NOW - 2 * DAY))
    why = world.decide(explain=explain, lang=lang)["actions"][0]["why"]
    assert len(why) == sentences
    assert not why or why[0] == {"en": "Because of silver.", "th": "เพราะ silver"}[lang]


# --- one read, one reservation ---------------------------------------------------------------------------------------------------------


def test_a_dry_run_writes_nothing():
    world = World(catalogue(action("it")))
    assert chosen(world.decide(dry_run=True, decision_id="x")) == ["it"]
    assert world.store.writes == 0


def test_silence_takes_no_room_in_the_ledger():
    world = World(catalogue())
    world.decide()
    assert world.store.people["anna"].ledger is None


def test_the_same_decision_id_gives_the_stored_answer_and_counts_once():
    world = World(catalogue(action("it"), more=TWO_A_WEEK))
    world.said(YES)
    first = world.decide("email", decision_id="x")
    writes = world.store.writes
    assert [world.decide("email", decision_id="x", now=NOW + n) for n in range(3)] == [first] * 3
    assert world.store.writes == writes
    assert chosen(world.decide("email")) == ["it"]


def test_two_racing_calls_with_one_decision_id_get_one_answer_and_one_contact():
    world = World(catalogue(action("it")))
    faster: list[dict] = []
    world.store.before_change = lambda: faster.append(world.decide(decision_id="x", now=NOW + 1))
    assert world.decide(decision_id="x") == faster[0]
    assert len(ledger_of.load(world.store.people["anna"].ledger).contacts) == 1


def test_two_racing_calls_with_one_decision_id_get_the_last_piece_once_and_it_stays_theirs():
    world = World(catalogue(action("gift", stock=1, value=200), action("news")))
    faster: list[dict] = []
    read = world.store.customer

    def slower(customer_id: str) -> Customer | None:
        world.store.customer = read
        found = read(customer_id)
        faster.append(world.decide(decision_id="x"))
        return found

    world.store.customer = slower
    assert world.decide(decision_id="x") == faster[0]
    (contact,) = ledger_of.load(world.store.people["anna"].ledger).contacts
    assert list(contact.actions) == chosen(faster[0]) == ["gift"]
    assert world.store.levels(["stock:gift"], now=NOW)["stock:gift"].used == 1


@pytest.mark.parametrize("other", [{"customer_id": "ben"}, {"channel": "agent"}])
def test_a_decision_id_belongs_to_one_customer_and_channel(other):
    world = World(catalogue(action("it")))
    world.decide(decision_id="x")
    with pytest.raises(DecisionTakenError):
        world.decide(decision_id="x", **other)


@pytest.mark.parametrize("other", [{"customer_id": "ben"}, {"channel": "agent"}])
def test_who_loses_the_race_for_a_decision_id_is_left_without_a_contact_or_a_token(other):
    world = World(catalogue(action("gift", stock=5, value=200)))
    world.store.before_change = lambda: world.decide(decision_id="x", **other)
    with pytest.raises(DecisionTakenError):
        world.decide(decision_id="x")
    contacts = [one for who in world.store.people.values() for one in ledger_of.load(who.ledger).contacts]
    assert [one.channel for one in contacts] == [other.get("channel", "website")]
    assert world.store.levels(["stock:gift"], now=NOW)["stock:gift"].used == 1


@pytest.mark.parametrize("channel", ["website", "email", "agent"])
@pytest.mark.parametrize("gone", ["at once", "at the reservation", "no store"])
def test_without_a_store_only_service_is_decided_and_the_answer_says_so(channel, gone):
    world = World(catalogue(action("it"), action("service", value=1, **{"class": "service"})))
    world.said(YES)
    if gone == "at the reservation":
        world.store.before_change = lambda: setattr(world.store, "away", True) or world.store.ping()
    world.store.away = gone == "at once"
    answer = world.decide(channel, decision_id="x", **({"store": None} if gone == "no store" else {}))
    assert (chosen(answer), answer["degraded"], answer["dropped"]["CONSENT"]) == (["service"], True, 1)
    assert ("decision", "x") not in world.store.kept


def test_the_logged_decision_can_be_looked_up_and_made_again():
    world = World(catalogue(action("it")))
    answer = world.decide(context={"page": "cart"})
    kept = logged(world.store, "d1")
    assert (kept["customer_id"], kept["context"], action_ids(kept)) == ("anna", {"page": "cart"}, ["it"])
    again = replay(kept, {world.actions.version: world.actions}.get)
    assert (again.same, again.answer) == (True, answer)


FIELDS = st.fixed_dictionaries(
    {
        "value": st.integers(0, 100),
        "cost": st.integers(0, 5),
        "group": st.sampled_from(["g", "h"]),
        "class": st.sampled_from(["growth", "service", "retention", "thanks"]),
        "state": st.sampled_from(["active", "paused"]),
        "tiers": st.sampled_from([[], ["silver"], ["highest"]]),
        "needs": st.sampled_from([{}, {"orders": [1]}, {"cart_items": [1]}]),
    }
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(FIELDS, max_size=6),
    st.sampled_from(["website", "email", "agent"]),
    st.integers(1, 4),
    st.sets(st.sampled_from(["purchase", "complaint", "add_to_cart"])),
    st.booleans(),
)
def test_every_action_stands_in_the_answer_or_has_one_drop_code_and_the_same_input_gives_the_same_bytes(
    fields, channel, n, events, consents
):
    actions = catalogue(*(action(f"a{number}", **one) for number, one in enumerate(fields)))

    def answer() -> dict:
        world = World(actions)
        world.happened(*((name, NOW - DAY) for name in sorted(events)))
        if consents:
            world.said(YES)
        return world.decide(channel, n=n)

    first = answer()
    assert len(first["actions"]) + sum(first["dropped"].values()) == len(actions.actions)
    assert list(first["dropped"]) == [code for code in ORDER if code in first["dropped"]]
    assert orjson.dumps(first) == orjson.dumps(answer())
    assert 1 <= len(first["actions"]) <= n
    assert all(one["probability"] == 1.0 for one in first["actions"])
    if "complaint" in events:
        classes = {one.id: one.class_ for one in actions.actions}
        assert {classes[name] for name in chosen(first)} <= {"service", "silence"}
