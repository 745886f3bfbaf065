import re
from datetime import UTC, date, datetime
from math import inf
from zoneinfo import ZoneInfo

import pytest

from models.errors import InputError
from models.filters import Condition
from models.merchandising import Merchandising
from models.settings_file import parse

BANGKOK = ZoneInfo("Asia/Bangkok")
SHOP = """
[shop]
time_zone = "Asia/Bangkok"

[tiers]
rules = [{ name = "gold", entry = 100 }]

[attributes]
city = "text"

[placements.home]
intent = "for_you"
n = 6

[placements.cart]
intent = "complementary"
n = 4
"""


def rules(*tables: str) -> tuple[Merchandising, ...]:
    return parse(SHOP + "".join(f"\n[[merchandising]]\n{table}\n" for table in tables), "valet.toml").merchandising


def test_reads_what_is_written() -> None:
    boost, cap = rules(
        'name = "a"\nplacements = ["home"]\nfilter = { field = "brand", value = "Nara" }\nboost = 2\n'
        'when = \'customer.tier == "gold" && attributes.city == "Chiang Mai"\'\nuntil = 2026-04-01',
        'name = "b"\nat_most = 2\nper = "brand"\nfrom = 2026-04-01T08:00:00',
    )
    assert (boost.verbs, boost.boost, boost.chosen) == (["boost"], 2.0, Condition("brand", "eq", "Nara"))
    assert boost.stands_at("home")
    assert not boost.stands_at("cart")
    assert not boost.stands_at(None)
    assert cap.stands_at(None)
    assert (cap.at_most, cap.per, cap.chosen) == (2, "brand", None)


@pytest.mark.parametrize(
    ("start", "end", "window"),
    [
        (None, None, (-inf, inf)),
        (
            date(2026, 4, 1),
            date(2026, 4, 1),
            (datetime(2026, 3, 31, 17, tzinfo=UTC), datetime(2026, 4, 1, 17, tzinfo=UTC)),
        ),
        (None, datetime(2026, 4, 1, 8), (-inf, datetime(2026, 4, 1, 1, tzinfo=UTC))),  # noqa: DTZ001  (as TOML has it)
        (datetime(2026, 4, 1, 8, tzinfo=UTC), None, (datetime(2026, 4, 1, 8, tzinfo=UTC), inf)),
    ],
)
def test_a_date_is_a_whole_day_and_a_time_without_an_offset_is_the_shop_s(
    start: date | None, end: date | None, window: tuple[object, object]
) -> None:
    found = Merchandising("a", from_=start, until=end).window(BANGKOK)
    assert found == tuple(at.timestamp() if isinstance(at, datetime) else at for at in window)


BOOST = 'name = "a"\nitems = ["x"]\n'


@pytest.mark.parametrize(
    ("tables", "says"),
    [
        (('items = ["x"]\nhide = true',), "merchandising.0: name is missing"),
        ((BOOST,), "line 19: merchandising.0: does nothing; write one of pin, hide, boost, bury, promote, at_most"),
        ((BOOST + "hide = true\nboost = 2",), "hide and boost at once"),
        ((BOOST + "boost = 1",), "line 22: merchandising.0.boost: 1 must be above 1 and at most 100"),
        ((BOOST + "bury = 0.5",), "bury: 0.5 must be above 1"),
        ((BOOST + "boost = nan",), "nan is not a finite number"),
        ((BOOST + "promote = 101",), "promote: 101 must be above 0 and at most 100"),
        ((BOOST + "promote = 0",), "promote: 0 must be above 0"),
        ((BOOST + "pin = 0",), "pin: 0 must be at least 1"),
        ((BOOST + 'pin = 5\nplacements = ["cart"]',), "slot 5 of a list of 4"),
        (('name = "a"\npin = 1',), "pins which items?"),
        (('name = "a"\nhide = true',), "hide: of which items?"),
        (('name = "a"\nat_most = 2',), "at_most: of which items?"),
        ((BOOST + 'hide = true\nper = "brand"',), "per: belongs to at_most"),
        ((BOOST + 'at_most = 2\nper = "size"',), "'size' is none of brand, category"),
        ((BOOST + 'hide = true\nfilter = { field = "brand", value = "Nara" }',), "write items or filter"),
        ((BOOST + 'hide = true\nplacements = ["hme"]',), "'hme' is no placement; known here: home, cart"),
        (
            (BOOST + "hide = true\nfrom = 2026-04-02\nuntil = 2026-04-01",),
            "line 24: merchandising.0.until: must be later",
        ),
        (
            (BOOST + 'hide = true\nuntil = "2026-04-01"',),
            "write 2026-11-20 or 2026-11-20T18:00:00+07:00, without quotes",
        ),
        (
            (BOOST + "hide = true\nwhen = 'customer.teir == \"gold\"'",),
            "line 23: merchandising.0.when: 'customer.teir'",
        ),
        ((BOOST + "hide = true\nwhen = 'customer.tier == \"glod\"'",), "'glod' never stands there; only gold"),
        ((BOOST + "hide = true\nwhen = 'request.placement == \"hme\"'",), "'hme' never stands there; only home, cart"),
        ((BOOST + "hide = true\nwhen = 'attributes.town == \"x\"'",), "'attributes.town' is unknown"),
        (('name = "a"\nhide = true\nfilter = { field = "size", value = "L" }',), "0.filter.field: 'size' is no field"),
        (
            ('name = "a"\nhide = true\nfilter = { all = [{ field = "price", op = "lt", value = nan }] }',),
            "filter.all.0.value: nan is not a number",
        ),
        ((BOOST + "hide = true", BOOST + "boost = 2"), "'a' is there twice"),
        (
            (BOOST + "hide = true", 'name = "b"\nitems = ["y", "x"]\npin = 1'),
            "'x' is hidden by one and wanted by the other, 'a'",
        ),
        (
            (BOOST + "pin = 1", 'name = "b"\nitems = ["y"]\npin = 1'),
            "merchandising.1.pin: slot 1 is pinned by 'a' already",
        ),
        ((BOOST + "boost = 2", 'name = "b"\nitems = ["x"]\nbury = 2'), "boosted and buried at once, see 'a'"),
        ((BOOST + "promote = 60", 'name = "b"\nitems = ["y"]\npromote = 60'), "120 % of the slots are promised"),
        ((BOOST + 'hide = true\nplaces = ["home"]',), "merchandising.0.places: unknown; known here: at_most, boost"),
    ],
)
def test_what_cannot_be_or_contradicts_stops_the_start_with_line_and_cure(tables: tuple[str, ...], says: str) -> None:
    with pytest.raises(InputError, match=re.escape(says)):
        rules(*tables)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ('placements = ["home"]', 'placements = ["cart"]'),
        ("until = 2026-04-01", "from = 2026-04-02"),
        ("when = 'customer.known'", "when = '!customer.known'"),
    ],
)
def test_rules_that_never_meet_do_not_contradict(first: str, second: str) -> None:
    assert len(rules(BOOST + f"pin = 1\n{first}", f'name = "b"\nitems = ["y"]\npin = 1\n{second}')) == 2
    assert len(rules(BOOST + f"hide = true\n{first}", f'name = "b"\nitems = ["x"]\npin = 1\n{second}')) == 2
    assert len(rules(BOOST + f"promote = 60\n{first}", f'name = "b"\nitems = ["y"]\npromote = 60\n{second}')) == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[placements.home]\nintent = "guess"', "line 2: placements.home.intent: 'guess' is none of complementary"),
        ('[placements.home]\nintent = "popular"\nn = 0', "placements.home.n: must be between 1 and 100"),
        ('[placements.home]\nintent = "popular"\ndiversity = 2', "diversity: must be between 0 and 1"),
        ('[placements.home]\nintent = "popular"\nadult = "maybe"', "'maybe' is none of beside, never, always"),
        ('[placements.home]\nintent = "popular"\nfilter = { field = "size" }', "'size' is no field of items"),
        ('[context]\n"my device" = "text"', "'my device' cannot stand in a condition"),
        ('[context]\ndevice = "string"', "context.device: 'string' is none of text, number, flag"),
    ],
)
def test_a_placement_that_cannot_be_is_refused(text: str, says: str) -> None:
    with pytest.raises(InputError, match=re.escape(says)):
        parse(text, "valet.toml")
