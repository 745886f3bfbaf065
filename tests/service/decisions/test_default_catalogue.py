"""The catalogue that comes with Valet: for each of its actions there is a customer for whom it is the best, in both languages."""

import re
from functools import reduce
from pathlib import Path

import pytest

import service
from models.action_catalogue import parse
from models.catalogue import Catalogue, catalogue_of
from models.profile import DAY_S, EMPTY, Event, dump, fold
from models.vocabulary import Vocabulary
from service.decisions import news
from service.decisions.decide import next_best_action
from service.decisions.situation import Learnt, Request
from service.people import facts as facts_of
from service.store import Customer
from tests.fakes import FakeStore
from tests.worlds import tiny_tiers

NOW = 1_767_182_400  # 2025-12-31, noon
HOUR_S = 3_600
THAI = re.compile("[\u0e01-\u0e5b]")
TEXT = (Path(service.__file__).parent / "decisions" / "actions.toml").read_text(encoding="utf-8")
ACTIONS = parse(TEXT.replace('exploration = "thompson"', 'exploration = "none"'), "actions.toml")

YES = {"consents": [{"purpose": "marketing", "channel": "all", "status": "granted", "at": NOW - DAY_S}]}
NO = {"consents": [{"purpose": "marketing", "channel": "all", "status": "denied", "at": NOW - DAY_S}]}
NO_PROFILE = {"consents": [{"purpose": "profiling", "channel": "all", "status": "denied", "at": NOW - DAY_S}]}


def bought(*days: float, amount: int = 1_000) -> list[Event]:
    """An order so many days ago each."""
    return [Event("purchase", round(NOW - ago * DAY_S), "dress", 1, amount, f"o{ago}") for ago in days]


def did(name: str, ago_h: float, item_id: str | None = None, amount: int = 0) -> Event:
    return Event(name, round(NOW - ago_h * HOUR_S), item_id, 1, amount)


SLOW = bought(500, 280, 60)  # an order in seven months: nothing is due yet
CASES = [  # the action, on a channel, for whom these things happened, and of whom these facts are known
    ("apologise", "website", [*bought(20), did("complaint", 24)], {}),
    ("apologise", "agent", [*bought(20), did("complaint", 24)], YES),
    ("complaint_update", "email", [*bought(20), did("complaint", 24)], YES),
    ("make_good", "website", [*bought(20), did("refund", 72, "dress", 500)], {}),
    ("make_good", "email", [*bought(20), did("complaint", 99), did("complaint_resolved", 72)], {}),
    ("make_good", "agent", [*bought(20), did("dislike", 72, "dress")], YES),
    ("offer_help", "agent", [], NO_PROFILE),
    ("offer_help", "website", [], NO),
    ("thank_you", "website", bought(1), {}),
    ("thank_you", "email", bought(1), {}),
    ("thank_you", "agent", bought(1, 100), YES),
    ("review_request", "email", bought(475, 255, 35), YES),
    ("review_request", "website", bought(475, 255, 35), YES),
    ("welcome", "website", [did("view_item", 1, "dress")], {}),
    ("welcome", "email", [did("view_item", 1, "dress")], YES),
    ("bestsellers", "website", [], NO_PROFILE),
    ("second_purchase", "website", bought(20), YES),
    ("second_purchase", "email", bought(20), YES),
    ("second_purchase", "agent", bought(20), YES),
    ("abandoned_cart", "website", [did("add_to_cart", 3, "dress", 1_000)], {}),
    ("abandoned_cart", "email", [*SLOW, did("add_to_cart", 3, "dress", 1_000)], YES),
    ("abandoned_cart", "agent", [*SLOW, did("add_to_cart", 3, "dress", 1_000)], YES),
    ("price_drop", "website", [did("add_to_wishlist", 300, "shoes", 2_000)], {}),
    ("price_drop", "email", [*SLOW, did("add_to_wishlist", 300, "shoes", 2_000)], YES),
    ("price_drop", "agent", [*SLOW, did("add_to_wishlist", 300, "shoes", 2_000)], YES),
    ("low_stock", "website", [did("view_item", 30, "bag")], {}),
    ("low_stock", "email", [*SLOW, did("view_item", 30, "bag")], YES),
    ("low_stock", "agent", [did("view_item", 30, "bag")], YES),
    ("complements", "website", bought(225, 5), YES),
    ("complements", "email", bought(225, 5), YES),
    ("complements", "agent", bought(225, 5), YES),
    ("replenishment", "website", bought(92, 62, 32), {}),
    ("replenishment", "email", bought(92, 62, 32), YES),
    ("replenishment", "agent", bought(92, 62, 32), YES),
    ("tier_near", "website", bought(280, 60, amount=225_000), YES),
    ("tier_near", "email", bought(280, 60, amount=225_000), YES),
    ("tier_near", "agent", bought(280, 60, amount=225_000), YES),
    ("tier_keep", "website", bought(370, amount=550_000), {}),
    ("tier_keep", "email", bought(370, amount=550_000), YES),
    ("tier_keep", "agent", bought(370, amount=550_000), YES),
    ("vip_early_access", "website", bought(280, 60, amount=400_000), YES),
    ("vip_early_access", "email", bought(280, 60, amount=400_000), YES),
    ("vip_early_access", "agent", bought(280, 60, amount=400_000), YES),
    ("birthday", "website", SLOW, {**YES, "attributes": {"birthday": "1984-01-02"}}),
    ("birthday", "email", SLOW, {**YES, "attributes": {"birth_date": "1984-12-31"}}),
    ("birthday", "agent", SLOW, {**YES, "attributes": {"birthday": "1984-01-01"}}),
    ("referral", "website", SLOW, YES),
    ("referral", "email", SLOW, YES),
    ("referral", "agent", SLOW, YES),
    ("we_miss_you", "website", bought(140, 110, 80), YES),
    ("we_miss_you", "email", bought(140, 110, 80), YES),
    ("we_miss_you", "agent", bought(140, 110, 80), YES),
    ("win_back", "website", bought(210, 180, 150), YES),
    ("win_back", "email", bought(210, 180, 150), YES),
    ("win_back", "agent", bought(210, 180, 150), YES),
    ("last_call", "email", bought(360, 330, 300), YES),
    ("last_call", "website", bought(360, 330, 300), YES),
    ("welcome_back", "email", bought(360, 330, 36), YES),
    ("welcome_back", "website", bought(360, 330, 36), YES),
    ("welcome_back", "agent", bought(360, 330, 36), YES),
    ("for_you", "website", bought(140, 41), YES),
    ("for_you", "email", bought(140, 41), YES),
    ("consent_request", "website", bought(140, 41), {}),
    ("consent_request", "agent", bought(140, 41), {}),
    ("agent_upsell", "agent", bought(280, 60), YES),
    ("do_nothing", "email", [], {}),
]  # fmt: skip


def shop() -> Catalogue:
    """A dress as ever, shoes that became cheaper, a bag of which two are left."""
    fields = [
        {"item_id": "bag", "price": 3_000, "stock": 2},
        {"item_id": "dress", "price": 1_000, "stock": 20},
        {"item_id": "shoes", "price": 1_500},
    ]
    return catalogue_of(Vocabulary.of(row["item_id"] for row in fields), fields, [b"{}"] * 3)


def decided(channel, events, said, **asked):
    store, profile = FakeStore(), reduce(fold, events, EMPTY)
    facts = facts_of.dump({**facts_of.load(None), **said})
    store.people["anna"] = Customer("anna", profile=dump(profile), facts=facts)
    learnt = Learnt(
        attach=lambda items, whose, _: [*news.listed(items.intent, whose, shop(), now=NOW)] or [items.intent],
        tiers=tiny_tiers(),
        currency="THB",
        catalogue=shop(),
    )
    request = Request("anna", channel, **asked)
    return next_best_action(request, store=store, actions=ACTIONS, learnt=learnt, now=NOW, new_id="d")


@pytest.mark.parametrize("lang", ["en", "th"])
@pytest.mark.parametrize(("action_id", "channel", "events", "said"), CASES, ids=[f"{one[0]}-{one[1]}" for one in CASES])
def test_each_action_is_the_best_for_somebody(action_id, channel, events, said, lang):
    actions = decided(channel, events, said, lang=lang)["actions"]
    names = [one["action_id"] for one in actions]
    assert action_id in names if channel == "agent" else names == [action_id]  # an agent hears three
    best = actions[names.index(action_id)]
    if action_id == "do_nothing":
        return
    texts = [best["content"]["title"], *best["why"]]
    if channel == "agent":
        texts += [best["agent"]["script"], *(part for one in best["agent"]["objections"] for part in one.values())]
    else:
        texts.append(best["content"]["text"])
    assert all(bool(THAI.search(text)) is (lang == "th") for text in texts), texts
    assert not any("–" in text for text in texts), "a word is not known"


def test_the_cases_show_every_action_on_every_channel():
    shown = {(action_id, channel) for action_id, channel, _, _ in CASES}
    written = {(one.id, form.channel) for one in ACTIONS.actions if one.class_ != "silence" for form in one.treatments}
    assert shown == written | {("do_nothing", "email")}


def test_what_an_agent_offers_after_a_no_can_be_said_by_an_agent():
    by_agent = {one.id for one in ACTIONS.actions if "agent" in one.forms}
    named = {form.if_rejected for one in ACTIONS.actions for form in one.forms.get("agent", ()) if form.if_rejected}
    assert named <= by_agent


@pytest.mark.parametrize(
    ("action_id", "events", "items"),
    [
        ("abandoned_cart", [did("add_to_cart", 3, "dress", 1_000)], ["dress"]),
        ("price_drop", [*SLOW, did("add_to_wishlist", 300, "shoes", 2_000)], ["shoes"]),
        ("low_stock", [did("view_item", 30, "bag"), did("view_item", 30, "dress")], ["bag"]),
        ("thank_you", bought(1), ["dress"]),
    ],
)
def test_what_is_hers_already_stands_in_the_message(action_id, events, items):
    best = decided("email", events, YES)["actions"][0]
    assert (best["action_id"], best["items"]) == (action_id, items)


@pytest.mark.parametrize(
    ("birthday", "sent"), [("1984-01-03", True), ("1984-01-04", False), ("1984-12-30", False), ("soon", False)]
)
def test_a_birthday_is_told_of_in_time_and_not_late(birthday, sent):
    best = decided("email", SLOW, {**YES, "attributes": {"birthday": birthday}})["actions"][0]
    assert (best["action_id"] == "birthday") is sent


@pytest.mark.parametrize("events", [[], bought(400, 380), bought(5)])
def test_a_birthday_is_no_reason_to_write_to_who_does_not_buy_regularly(events):
    best = decided("email", events, {**YES, "attributes": {"birthday": "1984-01-01"}})["actions"][0]
    assert best["action_id"] != "birthday"


def test_who_is_valued_most_hears_other_words():
    silver, gold = (
        decided("agent", [*bought(280, 60, amount=paid), did("complaint", 24)], YES)["actions"][0]["agent"]["script"]
        for paid in (100_000, 400_000)
    )
    assert silver != gold
    assert "one of our best customers" in gold
