import re

import pytest

from models.errors import InputError
from models.settings import Placement, Settings, TierRule
from models.settings_file import parse

WHOLE = """
[shop]
currency = "THB"
time_zone = "Asia/Bangkok"

[tiers]
window_days = 180
rules = [{ name = "silver", entry = 1 }, { name = "gold", entry = 20000.5, maintenance = 15000 }]

[placements.product_page]
intent = "complementary"
n = 4
"""


def test_an_empty_file_gives_the_defaults():
    assert parse("", "valet.toml") == Settings()


def test_reads_what_is_written():
    settings = parse(WHOLE, "valet.toml")
    assert settings.shop.time_zone == "Asia/Bangkok"
    assert settings.tiers.rules == (TierRule("silver", 1.0), TierRule("gold", 20000.5, 15000.0))
    assert settings.placements == {"product_page": Placement("complementary", 4)}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[shop]\ncurency = 'THB'", "valet.toml, line 2: shop.curency: unknown; known here: currency"),
        ("[shop]\n\n\ntime_zone = 'Bangkok'", "valet.toml, line 4: shop.time_zone: 'Bangkok' is no IANA time zone"),
        ("[shop]\nurl = 'javascript:x'", "line 2: shop.url: 'javascript:x' is no address; write https://shop.example"),
        (
            "[browser]\norigins = ['https://shop.example/p']",
            "'https://shop.example/p' is no origin; write scheme and host",
        ),
        ("[browser]\norigins = ['*']", "browser.origins.0: '*' is no origin"),
        ("[browser]\nkey = 'a b'", "line 2: browser.key: write 1 to 100 letters"),
        ("[tiers]\nwindow_days = 'a year'", "line 2: tiers.window_days: 'a year' is not a number"),
        ("[tiers]\nwindow_days = true", "tiers.window_days: True is not a number"),
        ("[tiers]\nwindow_days = 0", "must be at least 1"),
        ("[tiers]\nrules = [{ name = 'a', entry = 2 }, { name = 'b', entry = 1 }]", "lowest tier first"),
        ("[placements.home]\nn = 3", "placements.home: intent is missing"),
        ("[history]\nfiles = 'till.csv'", "history.files: 'till.csv' is not a list"),
        ("[history]\nnot_product_ids = ['(']", "is no regular expression"),
        (
            "[complements.add]\nshoe = ['sock']\ndress = []",
            'line 3: complements.add.dress: name a type and what completes it, like dress = ["shoes"]',
        ),
        ("[complements]\nself = ['']", "line 2: complements.self: name types"),
        ("[complements]\nadd.cup = ['pot']\nforbid.cup = ['pot']", "'pot' is forbidden here and allowed above"),
        ("[complements]\nself = ['cup']\nforbid.cup = ['cup']", "leave one out"),
        ("[complements]\nforbidden = 1", "line 2: complements.forbidden: unknown; known here: add, forbid, self"),
        ("shop = 3", "shop: 3 is not a table"),
        ("[shop\n", "valet.toml: "),
    ],
)
def test_an_error_names_the_place_and_the_cure(text, says):
    with pytest.raises(InputError, match=re.escape(says)):
        parse(text, "valet.toml")


def test_the_line_of_a_repeated_key_is_the_one_below_its_own_table():
    with pytest.raises(InputError, match=re.escape("line 5: placements.cart.n")):
        parse(
            "[placements.home]\nintent = 'popular'\nn = 3\n[placements.cart]\nn = 'x'\nintent = 'popular'", "valet.toml"
        )


def test_a_weight_or_half_life_that_is_said_replaces_its_default_alone():
    settings = parse("[event_weights]\nview_item = 0.3\n[event_half_life_days]\npurchase = 90", "valet.toml")
    assert (settings.interest.weights["view_item"], settings.interest.weights["dislike"]) == (0.3, -1.0)
    assert (settings.interest.half_life_days["purchase"], settings.interest.half_life_days["view_item"]) == (90.0, 14.0)
    assert "purchase" not in Settings().interest.half_life_days


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[event_weights]\nvew_item = 1", "valet.toml, line 2: event_weights.vew_item: says nothing of an item"),
        ("[event_weights]\n\nview_item = 1000", "valet.toml, line 3: event_weights.view_item: must be between"),
        ("[event_weights]\nview_item = nan", "not a finite number"),
        (
            "[event_half_life_days]\nview_item = 0",
            "valet.toml, line 2: event_half_life_days.view_item: must be above 0",
        ),
        ("[event_half_life_days]\nview_item = '2 weeks'", "is not a number"),
    ],
)
def test_a_weight_or_half_life_that_cannot_be_is_named_with_its_line(text, message):
    with pytest.raises(InputError, match=message):
        parse(text, "valet.toml")


@pytest.mark.parametrize(
    ("rule", "told"),
    [('when = "spent > 5.0"', "spent"), ('when = "spend >"', "when"), ("keep = \"orders > 'two'\"", "orders")],
)
def test_a_condition_of_a_tier_that_means_nothing_says_where(rule, told):
    with pytest.raises(InputError, match=told) as raised:
        parse(f'[[tiers.rules]]\nname = "gold"\n{rule}\n', "valet.toml")
    assert "valet.toml, line 3" in str(raised.value)


def test_tiers_by_orders_need_thresholds_of_the_shop():
    with pytest.raises(InputError, match=r"tiers\.by"):
        parse('[tiers]\nby = "orders"\n', "valet.toml")
