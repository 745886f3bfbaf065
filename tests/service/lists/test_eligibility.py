"""Which items may stand in a list, mask by mask, on the tiny shop."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from models.profile import EMPTY, Event, Profile, fold
from service.lists.eligibility import eligible, known
from service.lists.request import Request
from service.lists.taste import NONE, Taste, taste
from service.lists.trace import Trace
from tests.worlds import DAY_S, ITEMS, NOW, STRANGE, tiny_models

MODELS = tiny_models()
EVERYTHING = {str(item[0]) for item in ITEMS}
ADULT = {"NE-001", "NE-002"}
GONE = {"SH-016"}


def allowed(own: Taste = NONE, *, trace: Trace | None = None, **asked: Any) -> set[str]:
    request = Request(**asked).at(None)
    pictured = np.array([item_id.startswith("SH") for item_id in MODELS.catalogue.items.texts(range(11))])
    catalogue = replace(MODELS.catalogue, pictured=pictured)
    rows, _ = known(catalogue, request.item_ids)
    mask = eligible(request, catalogue=catalogue, rows=rows, taste=own, trace=trace)
    return set(catalogue.items.texts(np.flatnonzero(mask)))


def of(*events: Event) -> Profile:
    profile = EMPTY
    for event in events:
        profile = fold(profile, event)
    return profile


@pytest.mark.parametrize(
    ("asked", "left"),
    [
        ({}, EVERYTHING - GONE - ADULT),
        ({"adult": "always"}, EVERYTHING - GONE),
        ({"adult": "never", "item_ids": ("NE-001",)}, EVERYTHING - GONE - ADULT),
        ({"item_ids": ("NE-001",), "intent": "similar"}, EVERYTHING - GONE - {"NE-001"}),
        ({"need_image": True}, {"SH-014", "SH-015"}),
        ({"item_ids": ("DR-001",)}, EVERYTHING - GONE - ADULT - {"DR-001", "DR-001-L"}),
        ({"item_ids": ("DR-001",), "same": ("colour",)}, {"SH-014", STRANGE}),
        ({"item_ids": ("DR-001",), "different": ("category",)}, {"SH-014", "SH-015", "VT-001", STRANGE}),
        ({"price_min": 1_990.0, "price_max": 1_990.0}, {"DR-001", "DR-001-L"}),
    ],
)
def test_what_the_masks_leave(asked: dict[str, Any], left: set[str]) -> None:
    assert allowed(**asked) == left


def test_what_is_kept_of_a_request_is_of_its_items_filters_and_catalogue_alone() -> None:
    catalogue = MODELS.catalogue
    asked = {"category": ("Women",), "price_max": 2_500.0}
    plain, about = Request(**asked), Request(**asked, exclude=("DR-002",))
    rows = known(catalogue, ())[0]
    first = eligible(plain, catalogue=catalogue, rows=rows, taste=NONE)
    without = eligible(about, catalogue=catalogue, rows=rows, taste=NONE)
    assert catalogue.items.texts(np.flatnonzero(first & ~without)) == ["DR-002"]
    assert np.array_equal(eligible(plain, catalogue=catalogue, rows=rows, taste=NONE), first)
    sold_out = replace(catalogue, available=np.zeros_like(catalogue.available))
    assert not eligible(plain, catalogue=sold_out, rows=rows, taste=NONE).any()


CART = of(
    Event("add_to_cart", NOW - 40 * DAY_S, item_id="DR-002"),
    Event("add_to_cart", NOW - DAY_S, item_id="SH-014"),
    Event("add_to_cart", NOW - DAY_S, item_id="VT-001"),
    Event("remove_from_cart", NOW - 60, item_id="VT-001"),
)


@pytest.mark.parametrize(("intent", "shown"), [("for_you", False), ("buy_again", False), ("recently_viewed", True)])
def test_what_lies_in_the_cart_is_not_offered_again(intent: str, shown: bool) -> None:
    left = allowed(taste(CART, MODELS, now=NOW), intent=intent)
    assert ("SH-014" in left) is shown
    assert {"VT-001", "DR-002"} <= left  # taken out, and forgotten there a month ago


def test_the_trace_counts_every_item_once() -> None:
    trace = Trace()
    left = allowed(taste(CART, MODELS, now=NOW), trace=trace, need_image=True, exclude=("SH-015", "SH-016", "DR-001"))
    assert trace.removed == {"out_of_stock": 1, "adult": 2, "no_image": 6, "exclude": 1, "in_cart": 1}
    assert trace.eligible == len(left) == 0
