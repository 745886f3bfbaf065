from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.blend import Blend
from models.filters import parse
from models.profile import EMPTY, Event, Profile, fold
from models.trending import Trending
from service.lists.eligibility import eligible, known
from service.lists.recommend import Answer, rank, recommend
from service.lists.request import INTENTS, Boost, Request
from service.lists.taste import NONE, taste
from service.lists.timing import too_early
from tests.worlds import DAY_S, NOW, STRANGE, tiny_models

MODELS = tiny_models()
ITEM_IDS = MODELS.catalogue.items.texts(range(len(MODELS.catalogue)))
SHOWABLE = {"DR-001", "DR-001-L", "DR-002", "DR-003", "SH-014", "SH-015", "VT-001", STRANGE}  # in stock, not adult


def event(name: str, item_id: str, days_ago: float = 1.0) -> Event:
    return Event(name, NOW - int(days_ago * DAY_S), item_id=item_id, amount=1_000, order_id=f"{item_id}-{days_ago}")


def profile(*events: Event) -> Profile:
    folded = EMPTY
    for happened in events:
        folded = fold(folded, happened)
    return folded


def ask(*events: Event, **asked: Any) -> Answer:
    request = Request(**asked).at(None)
    return recommend(request, models=MODELS, taste=taste(profile(*events), MODELS, now=NOW), now=NOW)


def ids(answer: Answer) -> list[str]:
    return [pick.item_id for pick in answer.picks]


BLACK_DRESS: dict[str, Any] = {"item_ids": ("DR-001",)}
BOUGHT_DRESS = event("purchase", "DR-001", 20)
BOUGHT_VITAMINS = event("purchase", "VT-001", 40)


def test_black_shoes_go_with_the_black_dress_and_it_says_why() -> None:
    best = ask(**BLACK_DRESS).picks[0]
    assert best.item_id == "SH-014"
    assert best.source == "together"
    assert best.reason is not None
    assert (best.reason.code, best.reason.because) == ("bought_together", ("DR-001",))
    assert best.reason.text == "Often bought with Black wrap dress"


@pytest.mark.parametrize(
    ("asked", "first"),
    [
        ({"item_ids": ("DR-002",)}, "SH-015"),
        ({"item_ids": ("DR-002", "DR-001")}, "SH-015"),
        ({"item_ids": ("DR-001",), "same": ("colour",), "different": ("product_type",)}, "SH-014"),
        ({"item_ids": ("DR-001",), "exclude": ("SH-014",)}, STRANGE),
        ({"item_ids": ("DR-001",), "category": ("Women > Bags",)}, STRANGE),
        ({"item_ids": ("DR-001",), "brand": ("Dee",)}, "VT-001"),
        ({"item_ids": ("DR-001",), "price_max": 800.0}, STRANGE),
        ({"item_ids": ("DR-001",), "price_min": 2_000.0}, "DR-002"),
        ({"item_ids": ("DR-001",), "filter": parse({"field": "colour", "value": "red"})}, "DR-002"),
        ({"item_ids": ("DR-001",), "boost": (Boost(parse({"field": "item_id", "value": STRANGE}), 50.0),)}, STRANGE),
        ({"item_ids": ("NE-001",)}, "NE-002"),
        ({"intent": "popular"}, "DR-001"),
        ({}, "DR-001"),
    ],
)
def test_the_first_of_the_list(asked: dict[str, Any], first: str) -> None:
    assert ids(ask(**asked))[0] == first


@pytest.mark.parametrize(
    ("events", "asked", "first", "reason"),
    [
        ((BOUGHT_DRESS,), {"customer_id": "c"}, "SH-014", "also_bought"),
        ((event("view_item", "DR-002"),), {"session_id": "s"}, "SH-015", "because_you_viewed"),
        ((BOUGHT_VITAMINS, BOUGHT_DRESS), {"customer_id": "c", "intent": "buy_again"}, "VT-001", "buy_again"),
        (
            (event("view_item", "DR-003"),),
            {"customer_id": "c", "intent": "recently_viewed"},
            "DR-003",
            "recently_viewed",
        ),
        ((), {"customer_id": "stranger"}, "DR-001", "popular"),
        (
            (BOUGHT_DRESS,),
            {"customer_id": "c", "item_ids": ("not there",), "intent": "complementary"},
            "SH-014",
            "also_bought",
        ),
    ],
)
def test_the_first_for_a_customer(events: tuple[Event, ...], asked: dict[str, Any], first: str, reason: str) -> None:
    best = ask(*events, **asked).picks[0]
    assert best.reason is not None
    assert (best.item_id, best.reason.code) == (first, reason)


def test_an_event_of_just_now_changes_the_next_list() -> None:
    before = ids(ask(BOUGHT_VITAMINS, customer_id="c"))
    after = ids(ask(BOUGHT_VITAMINS, event("view_item", "DR-002", 0), customer_id="c"))
    assert after[0] == "SH-015"
    assert before[0] != "SH-015"


def test_who_comes_back_after_decades_is_known() -> None:
    faded = replace(MODELS, blend=Blend(MODELS.blend.weights, half_life_days=20))
    own = taste(profile(event("purchase", "DR-002", 5_000)), faded, now=NOW)
    answer = recommend(Request(customer_id="c").at(None), models=faded, taste=own, now=NOW)
    assert (ids(answer)[0], answer.fallback) == ("SH-015", None)


def test_what_was_sent_back_is_not_owned() -> None:
    returned = Event("refund", NOW, item_id="DR-001", amount=1_000, order_id="DR-001-20")
    assert "DR-001" not in ids(ask(BOUGHT_DRESS, customer_id="c"))
    assert "DR-001" in ids(ask(BOUGHT_DRESS, returned, customer_id="c"))


def test_never_shows_what_the_customer_disliked() -> None:
    for intent in INTENTS:
        assert "SH-014" not in ids(ask(event("dislike", "SH-014"), customer_id="c", intent=intent))


@pytest.mark.parametrize(
    ("intent", "asked", "shown"),
    [
        ("for_you", {}, False),
        ("for_you", {"exclude_owned": False}, True),
        ("popular", {}, True),
        ("popular", {"exclude_owned": True}, False),
        ("buy_again", {}, True),
    ],
)
def test_shows_what_is_owned_only_where_the_intent_or_the_request_says_so(
    intent: str, asked: dict[str, Any], shown: bool
) -> None:
    assert ("VT-001" in ids(ask(BOUGHT_VITAMINS, customer_id="c", intent=intent, **asked))) is shown


def test_another_size_of_the_dress_completes_nothing() -> None:
    assert "DR-001-L" not in ids(ask(**BLACK_DRESS))
    assert "DR-001-L" in ids(ask(intent="similar", **BLACK_DRESS))


def test_adult_items_stand_only_beside_adult_items() -> None:
    assert not {"NE-001", "NE-002"} & set(ids(ask(**BLACK_DRESS)))
    assert "NE-001" in ids(ask(item_ids=("NE-002",)))


@pytest.mark.parametrize(
    ("asked", "fallback"),
    [
        ({"item_ids": ("DR-001",), "n": 2}, None),
        ({"item_ids": ("DR-001",)}, "popular"),
        ({"item_ids": ("DR-003",)}, "popular"),
        ({"item_ids": ("not there",)}, "popular"),
        ({"intent": "trending"}, "popular"),
        ({"intent": "popular"}, None),
        ({"customer_id": "stranger"}, "popular"),
        ({"intent": "because_you", "customer_id": "stranger"}, "popular"),
    ],
)
def test_names_the_intent_that_filled_the_list(asked: dict[str, Any], fallback: str | None) -> None:
    assert ask(**asked).fallback == fallback


def test_trending_is_what_sells_above_its_expectation_then_what_is_popular() -> None:
    before = np.full(len(ITEM_IDS), 50, np.float32)
    recent = np.array([30 if item_id in ("DR-003", "VT-001") else 5 for item_id in ITEM_IDS], np.float32)
    risen = replace(MODELS, trending=Trending(recent, before, 2.0, 7, 35))
    answer = recommend(Request(intent="trending", n=4).at(None), models=risen, taste=NONE, now=NOW)
    assert ids(answer)[:3] == ["DR-003", "VT-001", "DR-001"]
    assert [pick.reason.code for pick in answer.picks if pick.reason] == ["trending", "trending", "popular", "popular"]
    assert answer.fallback == "popular"


def test_in_a_category_a_trend_is_what_rises_above_the_category() -> None:
    dresses = [item_id for item_id in ITEM_IDS if item_id.startswith("DR")]
    recent = np.array([20 + 40 * (item_id == "DR-003") if item_id in dresses else 400 for item_id in ITEM_IDS])
    model = Trending(recent.astype(np.float32), np.full(len(ITEM_IDS), 100, np.float32), 2.0, 7, 35)
    request = Request(intent="trending", strict=True)
    assert "DR-003" not in ids(recommend(request.at(None), models=replace(MODELS, trending=model), taste=NONE, now=NOW))
    request = request._replace(category=("Women > Dresses",))
    answer = recommend(request.at(None), models=replace(MODELS, trending=model), taste=NONE, now=NOW)
    assert ids(answer) == ["DR-003"]


def test_what_completes_nothing_is_filled_by_what_is_similar() -> None:
    taught_little = replace(
        MODELS, together=None, blend=Blend({**MODELS.blend.weights, "complementary": {"together": 1.0}})
    )
    request = Request(item_ids=("DR-001",), n=1).at(None)
    answer = recommend(request, models=taught_little, taste=NONE, now=NOW)
    assert (ids(answer), answer.fallback) == (["SH-014"], "similar")


@pytest.mark.parametrize("intent", ["complementary", "similar", "for_you", "buy_again", "trending", "recently_viewed"])
def test_a_strict_list_of_something_unknown_is_empty(intent: str) -> None:
    answer = ask(intent=intent, item_ids=("not there",), strict=True)
    assert (answer.picks, answer.fallback, answer.missing_ids) == ((), None, ("not there",))


def test_a_list_that_filters_empty_is_empty_and_not_an_error() -> None:
    assert ask(category=("No such",), **BLACK_DRESS).picks == ()


def test_because_you_answers_a_row_for_each_of_the_latest_items_without_repeats() -> None:
    answer = ask(BOUGHT_DRESS, event("view_item", "DR-002", 2), customer_id="c", intent="because_you", n=2)
    anchors = MODELS.catalogue.items.texts(anchor for anchor, _ in answer.anchored)
    shown = [pick.item_id for _, picks in answer.anchored for pick in picks]
    assert anchors == ["DR-002", "DR-001"]
    assert answer.anchored[0][1][0].item_id == "SH-015"
    assert len(shown) == len(set(shown))
    assert answer.fallback is None


@pytest.mark.parametrize(
    ("asked", "changes"),
    [
        ({}, True),
        ({"intent": "because_you"}, True),
        ({"intent": "buy_again", "n": 2}, True),
        ({"intent": "popular"}, False),
        ({"item_ids": ("DR-001",)}, False),
    ],
)
def test_a_list_for_her_that_she_left_unanswered_for_a_week_changes(asked: dict[str, Any], changes: bool) -> None:
    lived = (BOUGHT_DRESS, BOUGHT_VITAMINS, event("purchase", "DR-002", 60))
    before = ids(ask(*lived, customer_id="c", **{"n": 3, **asked}))
    in_vain = [event("view_item_list", item_id, day) for day in (1, 3, 5) for item_id in before]
    after = ask(*lived, *in_vain, customer_id="c", **{"n": 3, **asked})
    assert (ids(after) != before) is changes
    assert ids(ask(*lived, *in_vain, customer_id="c", **{"n": 3, **asked})) == ids(after)
    answered = [event("view_item", item_id, 0.5) for item_id in before]
    assert len(taste(profile(*lived, *in_vain, *answered), MODELS, now=NOW).tired) == 0


def test_what_was_shown_in_vain_still_fills_a_list_that_would_be_short() -> None:
    in_vain = [event("view_item_list", item_id, day) for day in (1, 3, 5) for item_id in ITEM_IDS]
    assert len(ids(ask(BOUGHT_DRESS, *in_vain, customer_id="c"))) == len(ids(ask(BOUGHT_DRESS, customer_id="c")))


def test_reasons_and_titles_speak_thai() -> None:
    reason = ask(lang="th", **BLACK_DRESS).picks[0].reason
    assert reason is not None
    assert reason.text == "มักซื้อคู่กับ เดรสสีดำ"


def test_rank_is_a_permutation_with_the_unknown_last() -> None:
    request = Request(item_ids=("SH-014", "not there", "SH-015", "SH-015", "SH-016", "NE-001"), intent="for_you")
    answer = rank(request, models=MODELS, taste=taste(profile(event("view_item", "DR-002")), MODELS, now=NOW), now=NOW)
    assert ids(answer)[0] == "SH-015"
    assert ids(answer)[-1] == "not there"
    assert sorted(ids(answer)) == sorted(set(request.item_ids))


some_ids = st.lists(st.sampled_from([*ITEM_IDS, "not there"]), max_size=3).map(tuple)
some_events = st.lists(
    st.builds(
        event,
        st.sampled_from(["purchase", "view_item", "add_to_cart", "dislike", "refund"]),
        st.sampled_from(ITEM_IDS),
        st.integers(0, 400),
    ),
    max_size=6,
)
requests = st.builds(
    Request()._replace,  # of a named tuple itself, fields that are not said here would be drawn, too
    item_ids=some_ids,
    customer_id=st.sampled_from([None, "c"]),
    intent=st.sampled_from([*INTENTS[:-1], None]),
    n=st.integers(1, 12),
    category=st.sampled_from([(), ("Women",), ("Women > Shoes", "Home")]),
    brand=st.sampled_from([(), ("Suan",)]),
    price_max=st.sampled_from([None, 1_500.0]),
    exclude=some_ids,
    exclude_owned=st.sampled_from([None, True, False]),
    same=st.sampled_from([(), ("colour",), ("brand", "category")]),
    different=st.sampled_from([(), ("product_type",)]),
    boost=st.sampled_from([(), (Boost(parse({"field": "colour", "value": "red"}), 0.5),)]),
)


@given(requests, some_events)
def test_a_list_is_full_lawful_and_falling_whatever_is_asked(request: Request, events: list[Event]) -> None:
    request = request.at(None)
    own = taste(profile(*events), MODELS, now=NOW)
    rows, _ = known(MODELS.catalogue, request.item_ids)
    early = too_early(models=MODELS, taste=own, now=NOW)
    allowed = set(
        MODELS.catalogue.items.texts(
            np.flatnonzero(eligible(request, catalogue=MODELS.catalogue, rows=rows, taste=own, early=early))
        )
    )
    answer = recommend(request, models=MODELS, taste=own, now=NOW)
    shown = ids(answer)
    scores = [pick.score for pick in answer.picks]
    assert set(shown) <= allowed
    assert len(shown) == len(set(shown)) == min(request.length, len(allowed))
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)


@given(requests)
def test_what_is_eligible_never_holds_what_must_not_be_shown(request: Request) -> None:
    shown = set(ids(recommend(request.at(None), models=MODELS, taste=taste(EMPTY, MODELS, now=NOW), now=NOW)))
    assert "SH-016" not in shown
    assert not shown & (set(request.item_ids) | set(request.exclude))
    if not {"NE-001", "NE-002"} & set(request.item_ids):
        assert shown <= SHOWABLE
