import re

import pytest

from models.errors import InputError
from models.rules import UNKNOWN, RuleFailedError, Value, context
from tests.models.rule_names import parse

GOLD: dict[str, Value] = {
    "customer.tier": "gold",
    "customer.orders": 3.0,
    "customer.known": True,
    "cart.total": 1_250.0,
    "context.device": "mobile",
    "placement": "home",
}
STRANGER: dict[str, Value] = {
    "customer.tier": "",
    "customer.orders": 0.0,
    "customer.known": False,
    "cart.total": UNKNOWN,
    "context.device": "",
    "placement": "",
}


@pytest.mark.parametrize(
    ("source", "of_gold", "of_a_stranger"),
    [
        ('customer.tier == "gold"', True, False),
        ('customer.tier in ["gold", "silver"] && cart.total > 900', True, False),
        ("customer.known == false", False, True),
        ("!customer.known", False, True),
        ("customer.orders == 0 || cart.total > 1000", True, True),
        ("customer.orders + 1.0 >= 4.0", True, False),
        ("customer.orders in [1, 2, 3]", True, False),
        ("(customer.orders > 1) && (!(context.device == 'desktop'))", True, False),
        ('context.device.startsWith("mob") || placement.contains("om")', True, False),
        ("size(placement) < 1", False, True),
        ("true", True, True),
    ],
)
def test_holds_where_it_should(source: str, of_gold: bool, of_a_stranger: bool) -> None:
    rule = parse(source)
    assert rule.holds(context(GOLD)) is of_gold
    assert rule.holds(context(STRANGER)) is of_a_stranger


def test_a_rule_says_which_names_it_reads_and_needs_no_others() -> None:
    rule = parse('context.device.startsWith("mob") && cart.total > 2')
    assert rule.names == {"context.device", "cart.total"}
    assert rule.holds(context({name: GOLD[name] for name in rule.names}))


@pytest.mark.parametrize("source", ["cart.total > 900", "!(cart.total > 900)", "customer.orders > 3 || cart.total < 1"])
def test_an_unknown_number_cannot_be_compared(source: str) -> None:
    with pytest.raises(RuleFailedError):
        parse(source).holds(context(STRANGER))


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("customer.teir == 'gold'", "'customer.teir' is unknown; known here: cart.total, context.device"),
        ("customer.orders > 99 && customer.nope == 1", "'customer.nope' is unknown"),
        ("customer", "'customer' is unknown"),
        ('customer["tier"] == "gold"', "'customer' is unknown"),
        ("customer.tier != null", "'null' is unknown"),
        ('customer.tier == "glod"', "'glod' never stands there; only silver, gold"),
        ('customer.tier in ["gold", "platinum"]', "'platinum' never stands there"),
        ("customer.tier == 3", "a number and a text are never equal"),
        ('customer.orders == "3"', "a number and a text are never equal"),
        ("customer.tier > 3", "its parts are of different kinds"),
        ("customer.orders + 1 > 2", "'customer.orders + 1 > 2' cannot be decided"),
        ("customer.tier == 'gold' && customer.orders + 1 > 2", "'customer.orders + 1 > 2' cannot be decided"),
        ("cart.total", "'cart.total' is 0.0; compare it"),
        ("customer.known && cart.total", "'cart.total' is 0.0; compare it"),
        ("cart.total > 1 ? true : false", "'? true : false' is not understood"),
        ("(cart.total > 1 || true) == customer.known", "join them with && and || only"),
        ("[1].all(x, x > 0)", "all() goes through lists"),
        ("has(customer.tier)", "has() goes through lists"),
        ("fancy(placement)", "fancy() is no function; known here: size"),
        ("placement.trim() == 'x'", "trim() is no function; known here: startsWith"),
        ('placement.matches("(")', "'(' not a valid regex"),
        ("1 / 0 == 1", "division by zero"),
        ("customer.tier ==", "does not parse, at 1:17: Syntax error"),
        ("((", "does not parse"),
        ("", "is empty; leave `when` out"),
        ("  ", "is empty"),
        ("x" * 1_001, "1001 characters are too long"),
        ("(" * 20 + "true" + ")" * 20, "brackets deeper than 16"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_with_line_and_cure_before_it_is_ever_asked(source: str, says: str) -> None:
    with pytest.raises(InputError, match=re.escape(says)) as error:
        parse(source)
    assert str(error.value).startswith("valet.toml, line 2: merchandising.0.when: ")


@pytest.mark.parametrize(
    ("source", "holds"),
    [
        ('views("shoes", 7) > 4', True),
        ('views("shoes", 7) > 4 && spent(90) < 100', False),
        ('searched("shoes", 7) > 0', True),
        ('days_since("purchase") > 30', True),
        ('days_since("complaint") > 0 || customer.orders == 3', True),
        ("spent(90) + 1.0 >= 501", True),
    ],
)
def test_windowed_functions_are_asked(source: str, holds: bool) -> None:
    functions = {
        "views": lambda what, days: {("shoes", 7): 5.0}[what, days],
        "searched": lambda what, days: {("shoes", 7): 1.0}[what, days],
        "spent": lambda days: {90: 500.0}[days],
        "days_since": lambda event: {"purchase": 31.0, "complaint": 2.0}[event],
    }
    rule = parse(source)
    assert rule.functions
    assert rule.holds(context(GOLD, functions)) is holds


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ('views("shoes", 31) > 4', "whole days from 1 to 30"),
        ('views("shoes", 2.5) > 4', "whole days from 1 to 30"),
        ("views(7) > 4", 'views("shoes", 7)'),
        ('views(7, "shoes") > 4', 'views("shoes", 7)'),
        ("spent(0) > 4", "whole days from 1 to 365"),
        ("spent(-3) > 4", "spent(90)"),
        ("spent(customer.orders) > 4", "spent(90)"),
        ('days_since("birthday") > 4', "known here: purchase"),
        ("spent(90)", "compare it"),
        ('spent(90) == "much"', "different kinds|never equal|cannot be decided"),
    ],
)
def test_a_window_that_cannot_be_is_found_at_load(source: str, said: str) -> None:
    with pytest.raises(InputError, match=said if "|" in said else re.escape(said)):
        parse(source)
