import math
from functools import reduce

import pytest

from models.profile import EMPTY, Event, fold
from service.people.windows import windows
from tests.worlds import DAY_S, NOW, tiny_catalogue


def asked(*events):
    """Events are (name, item, days ago)."""
    told = (Event(name, NOW - round(days * DAY_S), item, 1, 500) for name, item, days in events)
    return windows(reduce(fold, told, EMPTY), tiny_catalogue(), now=NOW)


VIEWS = [("view_item", "SH-014", 0), ("view_item", "SH-015", 3), ("view_item", "SH-015", 6), ("view_item", "SH-014", 7)]
TERMS = {"red shoes": 3, "black shoes": 0, "bag": 7}  # days ago


@pytest.mark.parametrize(
    ("what", "days", "count"),
    [
        ("shoes", 7, 3),
        ("shoes", 8, 4),
        ("red shoes", 7, 2),
        ("Women", 7, 3),
        ("Suan", 1, 1),
        ("dress", 30, 0),
        ("hats", 30, 0),
    ],
)
def test_views_of_what_is_called_so_within_its_days(what, days, count):
    assert asked(*VIEWS)["views"](what, days) == count


def test_money_within_its_days_less_what_went_back():
    spent = asked(
        ("purchase", "DR-001", 1), ("purchase", "DR-002", 89), ("purchase", "DR-002", 90), ("refund", "DR-001", 0)
    )
    assert spent["spent"](90) == 5.0
    assert spent["spent"](91) == 10.0


def test_days_since_something_happened():
    since = asked(("purchase", "DR-001", 10), ("view_item", "DR-002", 2.5), ("complaint", None, 4))["days_since"]
    assert [since(event) for event in ("purchase", "event", "view", "complaint")] == [10, 2.5, 2.5, 4]
    assert math.isnan(since("refund"))


def test_what_she_searched_for_within_its_days_and_did_not_buy():
    events = [Event("search", NOW - days * DAY_S, extra={"search_term": term}) for term, days in TERMS.items()]
    asks = windows(reduce(fold, events, EMPTY), tiny_catalogue(), now=NOW)
    found = [asks["searched"](what, days) for what, days in (("shoe", 7), ("Shoe red", 7), ("shoe", 1), ("hat", 30))]
    assert found == [2, 1, 1, 0]
    assert asks["days_since"]("search") == 0
    bought = fold(reduce(fold, events, EMPTY), Event("purchase", NOW, "DR-001", 1, 500))
    assert windows(bought, tiny_catalogue(), now=NOW)["searched"]("shoe", 7) == 0
