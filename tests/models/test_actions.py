"""actions.toml: what may stand in it, and what the catalogue that comes with Valet holds."""

import re
from pathlib import Path

import pytest

import service
from models.action_catalogue import Catalogue as Actions
from models.action_catalogue import parse
from models.errors import InputError
from models.tiers import LIFECYCLES

ONE = """
[[actions]]
id = "welcome"
issue = "growth"
group = "welcome"
class = "growth"
propensity = 0.1
needs = { orders = [0, 0] }
cool_off_days = { shown = 7 }
why = { en = "Only {missing} to go." }

[[actions.treatments]]
channel = "website"
text = { en = "Welcome" }
"""
DEFAULT = Path(service.__file__).parent / "decisions" / "actions.toml"


@pytest.fixture(scope="module")
def default() -> Actions:
    return parse(DEFAULT.read_text(encoding="utf-8"), "actions.toml")


def test_reads_what_is_written():
    (action,) = parse(ONE, "actions.toml").actions
    assert (action.class_, action.needs, action.treatments[0].id) == (
        "growth",
        {"orders": (0.0, 0.0)},
        "welcome_website",
    )


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('class = "growth"', 'class = "nice"', "actions.toml, line 6: actions.0.class: 'nice' is none of"),
        ("propensity = 0.1", "propensity = 0", "line 7: actions.0.propensity: 0.0 must be above 0"),
        ("propensity = 0.1", "propensity = 1.5", "must be above 0 and at most 1"),
        ("propensity = 0.1", "propensity = nan", "not a finite number"),
        ("propensity = 0.1", "value = -1", "actions.0.value: -1.0 must not be negative"),
        ("propensity = 0.1", "lever = -100", "must be between -90 and 900"),
        ("propensity = 0.1", "starts = 2026-01-02\nends = 2026-01-01", "ends: must be later than starts"),
        ("orders = [0, 0]", "shoes = [1]", "line 8: actions.0.needs: 'shoes' is unknown; known here: orders"),
        ("orders = [0, 0]", "orders = [2, 1]", "[2.0, 1.0] is no range"),
        ("orders = [0, 0]", "orders = []", "[] is no range"),
        ("shown = 7", "shown = 0", "line 9: actions.0.cool_off_days.shown: 0.0 must be above 0"),
        ("shown = 7", "seen = 7", "'seen' is unknown; known here: shown"),
        ("{missing}", "{secret}", "line 10: actions.0.why.en: 'secret' is unknown; known here: tier"),
        ("{missing}", "{missing", "expected '}' before end of string"),
        ("{missing}", "{missing.__class__}", "'missing.__class__' is unknown"),
        ("{missing}", "{missing:>9}", "a word stands alone"),
        ('channel = "website"', 'channel = "fax"', "line 13: actions.0.treatments.0.channel: 'fax' is unknown"),
        (
            'channel = "website"',
            'channel = "website"\nif_rejected = "x"',
            "if_rejected: 'x' is unknown; known here: welcome",
        ),
        (
            'channel = "website"',
            'channel = "website"\nitems = { intent = "for_you", n = 0 }',
            "items.n: 0 must be between",
        ),
        ('text = { en = "Welcome" }', "[[limits]]\ncontacts = 2\ndays = 0", "limits.0.days: 0.0 must be above 0"),
        ('text = { en = "Welcome" }', "[[limits]]\ncontacts = 2", "limits.0: days is missing"),
        ('issue = "growth"', 'issue = "growth"\nlifecycles = ["bored"]', "lifecycles: 'bored' is unknown"),
    ],
)
def test_a_mistake_is_found_at_load_with_its_place(old, new, says):
    with pytest.raises(InputError, match=re.escape(says)):
        parse(ONE.replace(old, new), "actions.toml")


def test_two_actions_cannot_share_an_id():
    with pytest.raises(InputError, match=re.escape("line 17: actions.1.id: 'welcome' is there twice")):
        parse(ONE + ONE, "actions.toml")


def test_the_version_is_of_the_content_alone():
    version = parse(ONE, "a.toml").version
    assert parse(f"# a comment\n{ONE}", "b.toml").version == version
    assert parse(ONE.replace("0.1", "0.2"), "a.toml").version != version


# --- the catalogue that comes with the service ----------------------------------------------------------------------------------------


def test_the_default_catalogue_speaks_english_and_thai_everywhere(default):
    for action in default.actions:
        for texts in [
            action.why,
            *(texts for form in action.treatments for texts in (form.title, form.text, form.script)),
        ]:
            assert not texts or set(texts) == {"en", "th"}, action.id


def test_the_default_catalogue_has_something_for_every_life_cycle_on_every_channel(default):
    for lifecycle in LIFECYCLES:
        for channel in default.channels:
            fitting = [
                action.id
                for action in default.actions
                if lifecycle in (action.lifecycles or LIFECYCLES)
                and channel in {form.channel for form in action.treatments}
            ]
            assert len(fitting) > 1, (lifecycle, channel)


def test_the_default_catalogue_can_be_silent_everywhere(default):
    (silence,) = (action for action in default.actions if action.class_ == "silence")
    assert {form.channel for form in silence.treatments} == set(default.channels)


def test_every_agent_treatment_of_the_default_catalogue_has_a_script(default):
    forms = [(action, form) for action in default.actions for form in action.treatments if form.channel == "agent"]
    assert [action.id for action, form in forms if not form.script and action.class_ != "silence"] == []


def test_marketing_of_the_default_catalogue_rests_after_a_no(default):
    assert [action.id for action in default.actions if not action.serving and not action.cool_off_days] == []
