"""The record and the replay: at most 2 KB, and every decision comes out of it byte for byte."""

import hashlib

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.action_catalogue import parse
from models.arms import ARMS
from service.decisions.decision_log import logged
from service.decisions.record import MOST, action_ids, load, plain
from service.decisions.replay import replay
from service.decisions.shelf import DEFAULT
from tests.service.decisions.worlds import DAY, FIELDS, MODES, NOW, World, action, armed, catalogue

YES = ("marketing", "email", "granted")
DEFAULT_CATALOGUE = parse(DEFAULT.read_text(encoding="utf-8"), "actions.toml")


def again(world: World, decision_id: str = "d1"):
    return replay(logged(world.store, decision_id), {world.actions.version: world.actions}.get)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(FIELDS, min_size=1, max_size=12),
    st.sampled_from(MODES),
    st.sampled_from(ARMS),
    st.sampled_from(["website", "email", "agent"]),
    st.integers(1, 4),
    st.sampled_from(["none", "top", "full"]),
    st.sampled_from(["en", "th"]),
    st.booleans(),
)
def test_every_decision_comes_out_of_its_record_byte_for_byte(fields, mode, arm, channel, n, explain, lang, buyer):
    world = armed(arm, *(action(f"a{number}", **one) for number, one in enumerate(fields)), mode=mode)
    world.said(YES)
    if buyer:
        world.happened(("purchase", NOW - 3 * DAY), ("add_to_cart", NOW - 60))
    answer = world.decide(channel, n=n, explain=explain, lang=lang, context={"page": "cart"})
    made = again(world)
    assert made.same
    assert orjson.dumps(made.answer) == orjson.dumps(plain(answer))


@pytest.mark.parametrize("channel", ["website", "email", "agent"])
@pytest.mark.parametrize("lang", ["en", "th"])
def test_the_catalogue_that_comes_with_valet_is_replayed_too_products_and_all(channel, lang):
    world = World(DEFAULT_CATALOGUE)
    world.said(YES)
    world.happened(("purchase", NOW - 3 * DAY), ("add_to_cart", NOW - 60))
    for day in range(5):
        world.decide(channel, lang=lang, explain="full", n=5, now=NOW + day * DAY)
    for number in range(1, 6):
        assert again(world, f"d{number}").same
        assert len(world.store.kept["decision", f"d{number}"]) <= MOST


def test_a_record_of_200_candidates_fits_its_2_kilobytes():
    world = armed(
        "random", *(action(f"an_action_with_a_long_name_{number}", value=number + 1) for number in range(200))
    )
    world.decide(n=3)
    document = world.store.kept["decision", "d1"]
    assert len(document) <= MOST
    assert again(world).same
    assert action_ids(load(document))


def test_what_no_rule_reads_of_a_long_context_is_not_kept_and_the_decision_still_comes_out():
    world = World(catalogue(action("it", context={"page=cart": 2.0}), action("other")))
    noise = {f"k{number}": hashlib.sha256(bytes([number])).hexdigest() for number in range(100)}
    answer = world.decide(context={**noise, "page": "cart"})
    document = world.store.kept["decision", "d1"]
    assert len(document) <= MOST
    assert load(document)["context"] == {"page": "cart"}
    assert load(document)["chances"]
    assert answer["actions"][0]["factors"]["context"] == 2.0
    assert again(world).same


def test_what_was_changed_in_a_record_is_seen():
    world = World(catalogue(action("it"), action("other", value=1)))
    world.decide()
    record = logged(world.store, "d1")
    by_version = {world.actions.version: world.actions}.get
    assert replay(record, by_version).same
    assert not replay({**record, "arm": "holdout"}, by_version).same
    assert not replay(
        {**record, "chances": {}, "lang": "th", "asked": {**record["asked"], "explain": "full"}}, by_version
    ).same
    assert not replay({**record, "now": NOW + 9 * DAY}, by_version).same


def test_a_catalogue_that_nobody_knows_any_longer_is_no_replay():
    world = World(catalogue(action("it")))
    world.decide()
    assert replay(logged(world.store, "d1"), lambda _: None) is None


def test_two_records_of_the_same_decision_have_different_hashes():
    documents = []
    for _ in range(2):
        world = World(catalogue(action("it")))
        world.decide()
        documents.append(world.store.kept["decision", "d1"])
    first, second = map(load, documents)
    assert first.pop("salt") != second.pop("salt")
    assert first == second
