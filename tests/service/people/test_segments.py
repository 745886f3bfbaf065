from functools import reduce

import pytest

from models.errors import InputError
from models.profile import EMPTY, Event, fold
from models.settings_file import parse
from service.people.customers import Known
from service.people.facts import load, with_attributes, with_consents
from service.people.segments import Segments
from tests.worlds import DAY_S, NOW, tiny_models

SHOP = """
attributes = { city = "text" }

[[segments]]
name = "shoe lovers"
when = 'views("shoes", 7) >= 2'

[[segments]]
name = "lapsing"
when = 'days_since("purchase") > 30 && spent(365) > 1'

[[segments]]
name = "Trang"
when = 'attributes.city == "Trang"'
"""


def of(*events, facts=None):
    told = (Event(name, NOW - days * DAY_S, item, 1, 500) for name, item, days in events)
    known = Known(reduce(fold, told, EMPTY), facts or load(None))
    return Segments(parse(SHOP, "valet.toml")).of(known, tiny_models(), now=NOW)


def test_a_customer_belongs_where_the_condition_holds():
    assert of(("view_item", "SH-014", 1), ("view_item", "SH-015", 2)) == ["shoe lovers"]
    assert of(("purchase", "SH-014", 40)) == ["lapsing"]
    assert of(facts=with_attributes(load(None), {"city": "Trang"})) == ["Trang"]
    assert of() == []


def test_who_refused_to_be_profiled_belongs_nowhere():
    refused = with_consents(load(None), [{"purpose": "profiling", "channel": "all", "status": "denied", "at": NOW}])
    assert of(("purchase", "SH-014", 40), facts=with_attributes(refused, {"city": "Trang"})) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[segments]]\nname = "a"\nwhen = "spent(999) > 1"', "line 3.*whole days"),
        ('[[segments]]\nname = "a"\nwhen = \'request.intent == "similar"\'', "line 3.*unknown"),
        ('[[segments]]\nname = "a"\nwhen = "true"\n[[segments]]\nname = "a"\nwhen = "true"', "line 5.*twice"),
    ],
)
def test_a_segment_that_cannot_be_stops_the_start_with_its_line(text, said):
    with pytest.raises(InputError, match=said):
        parse(text, "valet.toml")
