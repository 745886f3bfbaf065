import numpy as np
import pytest

from models.filters import parse
from models.profile import EMPTY, Event, fold
from service.lists.recommend import Answer, rank, recommend
from service.lists.request import Boost, Request
from service.lists.selection import Wishes
from service.lists.taste import taste
from tests.worlds import DAY_S, NOW, tiny_models

MODELS = tiny_models()
BOUGHT = fold(EMPTY, Event("purchase", NOW - 20 * DAY_S, item_id="DR-001", amount=1, order_id="1"))
RED = parse({"field": "colour", "value": "red"})


def ask(*, wishes: Wishes | None = None, **asked: object) -> Answer:
    request = Request(customer_id="c", debug=True, **asked).at(None)  # type: ignore[arg-type]
    own = taste(BOUGHT, MODELS, now=NOW)
    return recommend(request, models=MODELS, taste=own, now=NOW, wishes=wishes or Wishes())


def test_nothing_is_noted_unless_it_is_asked_for() -> None:
    own = taste(BOUGHT, MODELS, now=NOW)
    assert recommend(Request().at(None), models=MODELS, taste=own, now=NOW).trace is None


def test_the_stages_that_were_needed_tell_what_they_had_to_offer() -> None:
    trace = ask(item_ids=("DR-002",), n=4, category=("Women",)).trace
    assert trace is not None
    first, *others = trace.candidates
    assert (first.intent, first.items) == ("complementary", 1)
    assert first.sources["together"] == 1  # the red shoes
    assert [one.intent for one in others] == ["similar", "popular", "popular"]
    assert [one.intent for one in ask(item_ids=("DR-002",), n=1).trace.candidates] == ["complementary"]  # type: ignore[union-attr]


def test_the_parts_of_a_score_make_the_score() -> None:
    answer = ask(boost=(Boost(RED, 3.0),), n=6)
    assert answer.trace is not None
    assert [parts.item_id for parts in answer.trace.scores] == [pick.item_id for pick in answer.picks]
    first = answer.trace.scores[0]
    raw = sum(first.sources.values()) * first.boost
    assert answer.picks[0].score == pytest.approx(raw / (1 + raw), abs=1e-5)
    assert {parts.item_id: parts.boost for parts in answer.trace.scores}["SH-015"] == 3.0


def test_what_stands_there_by_a_rule_says_so() -> None:
    pinned = Wishes(pins={0: [MODELS.catalogue.items.row("VT-001")]})
    first = ask(wishes=pinned).trace.scores[0]  # type: ignore[union-attr]
    assert (first.item_id, first.by, first.intent, dict(first.sources)) == ("VT-001", "pinned", None, {})


def test_rank_tells_its_parts_too() -> None:
    request = Request(item_ids=("VT-001", "SH-014"), intent="for_you", debug=True)
    answer = rank(request, models=MODELS, taste=taste(BOUGHT, MODELS, now=NOW), now=NOW)
    assert answer.trace is not None
    assert answer.trace.eligible == answer.trace.items == 2
    assert [parts.item_id for parts in answer.trace.scores] == ["SH-014", "VT-001"]
    assert np.isclose(sum(answer.trace.scores[0].sources.values()), sum(answer.picks[0].shares.values()))
