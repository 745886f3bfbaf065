from dataclasses import replace

import numpy as np
import pytest

from models.profile import EMPTY, Event, fold
from service.lists.reasons import LANGUAGES
from service.lists.recommend import recommend
from service.lists.request import Request
from service.lists.taste import NONE, taste
from service.lists.timing import DUE, EARLY, OVERDUE, TEXTS, due, too_early
from service.lists.trace import Trace
from tests.worlds import DAY_S, NOW, tiny_models

MODELS = tiny_models()  # everything is bought again after 30 days or so
ROW = MODELS.catalogue.items.row


def bought(*purchases: tuple[str, int]):
    """What this customer bought: (item, days ago)."""
    profile = EMPTY
    for item_id, ago in sorted(purchases, key=lambda purchase: -purchase[1]):
        profile = fold(profile, Event("purchase", NOW - ago * DAY_S, item_id=item_id, order_id=f"{item_id}-{ago}"))
    return taste(profile, MODELS, now=NOW)


def again(*purchases, models=MODELS, **asked):
    request = Request(customer_id="c", intent="buy_again", **asked).at(None)
    return recommend(request, models=models, taste=bought(*purchases), now=NOW)


@pytest.mark.parametrize(
    ("ago", "state"),
    [((0,), EARLY), ((5,), EARLY), ((30,), DUE), ((40,), DUE), ((200,), OVERDUE), ((40, 20, 2), EARLY)],
)
def test_an_item_is_early_due_or_overdue(ago, state):
    found = due(np.array([ROW("VT-001")]), models=MODELS, taste=bought(*(("VT-001", days) for days in ago)), now=NOW)
    assert found[ROW("VT-001")].state == state


def test_the_interval_is_between_hers_and_the_items():
    """She buys every 10 days, others every 30."""
    own = bought(*(("VT-001", days) for days in (40, 30, 20, 10)))
    when = due(own.rows, models=MODELS, taste=own, now=NOW)[ROW("VT-001")]
    assert when.interval_days == round((30 + 30) / (3 + 1))
    assert when.expected_at == when.last_at + 15 * DAY_S == NOW + 5 * DAY_S


@pytest.mark.parametrize(
    ("ago", "lang", "text"),
    [
        (30, "en", "Usually bought every 30 days; last 30 days ago"),
        (1, "en", "Usually bought every 30 days; last 1 day ago"),
        (0, "en", "Usually bought every 30 days; last bought today"),
        (30, "th", "ปกติซื้อทุก 30 วัน ซื้อครั้งล่าสุด 30 วันที่แล้ว"),
        (0, "th", "ปกติซื้อทุก 30 วัน ซื้อครั้งล่าสุดวันนี้"),
    ],
)
def test_the_reason_says_when(ago, lang, text):
    (pick,) = again(("VT-001", ago), lang=lang, strict=True).picks
    assert pick.reason is not None
    assert (pick.reason.code, pick.reason.text) == ("buy_again", text)


def test_every_sentence_speaks_every_language():
    assert {tuple(texts) for texts in TEXTS.values()} == {LANGUAGES}


def test_what_is_early_is_held_back_as_long_as_something_else_of_hers_may_stand_there():
    shown = [pick.item_id for pick in again(("VT-001", 2), ("DR-001", 50)).picks]
    assert shown[0] == "DR-001"
    assert "VT-001" not in shown  # not among what fills the list either


@pytest.mark.parametrize("asked", [{}, {"exclude": ("DR-001",)}, {"category": ("Home",)}])
def test_what_is_early_is_better_than_nothing_and_says_that_it_is(asked):
    purchases = [("VT-001", 2), ("DR-001", 50)] if asked else [("VT-001", 2)]
    first = again(*purchases, **asked).picks[0]
    assert (first.item_id, first.due and first.due.state) == ("VT-001", EARLY)


def test_where_people_do_not_wait_nothing_is_held_back():
    impatient = replace(MODELS, repeat=replace(MODELS.repeat, waits=False))
    assert too_early(models=impatient, taste=bought(("VT-001", 2)), now=NOW).tolist() == []
    assert "VT-001" in [pick.item_id for pick in again(("VT-001", 2), ("DR-001", 50), models=impatient).picks]


def test_debug_tells_how_many_were_too_early():
    trace = again(("VT-001", 2), ("DR-001", 50), debug=True).trace
    assert isinstance(trace, Trace)
    assert trace.removed["too_early"] == 1


def test_who_owns_nothing_waits_for_nothing():
    assert due(np.array([ROW("VT-001")]), models=MODELS, taste=NONE, now=NOW) == {}
    assert due(np.array([0]), models=replace(MODELS, repeat=None), taste=bought(("VT-001", 3)), now=NOW) == {}
    assert too_early(models=MODELS, taste=NONE, now=NOW).tolist() == []
