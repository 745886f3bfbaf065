"""Plain comparisons without CEL: the same answers as CEL gives."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.quick_rules import holds
from models.rules import UNKNOWN, RuleFailedError, Value, context
from tests.models.test_rules import NAMES, parse

TEXTS = ("", "silver", "gold")
NUMBERS = (0.0, 1.5, 3.0, 900.0, UNKNOWN)
comparisons = st.one_of(
    st.builds('customer.tier {} "{}"'.format, st.sampled_from(["==", "!="]), st.sampled_from(TEXTS)),
    st.builds("context.device {} 'mobile'".format, st.sampled_from(["==", "!="])),
    st.lists(st.sampled_from(TEXTS), min_size=1, max_size=3).map(
        lambda tiers: f"customer.tier in [{', '.join(repr(tier) for tier in tiers)}]"
    ),
    st.builds(
        "{} {} {}".format,
        st.sampled_from(["customer.orders", "cart.total"]),
        st.sampled_from(["==", "!=", "<", "<=", ">", ">="]),
        st.sampled_from(["0", "1.5", "3", "900"]),
    ),
    st.sampled_from(["customer.known", "!customer.known"]),
)
rules = st.lists(comparisons, min_size=1, max_size=4).map(" && ".join)
situations = st.fixed_dictionaries(
    {
        "customer.tier": st.sampled_from(TEXTS),
        "customer.orders": st.sampled_from(NUMBERS),
        "customer.known": st.booleans(),
        "cart.total": st.sampled_from(NUMBERS),
        "context.device": st.sampled_from(["", "mobile"]),
        "placement": st.just("home"),
    }
)


@settings(deadline=None, max_examples=300)
@given(rules, situations)
def test_they_say_what_cel_says(source: str, values: dict[str, Value]) -> None:
    rule = parse(source)
    assert rule.quick is not None
    try:
        said = rule.holds(context(values))
    except RuleFailedError:
        said = False
    assert holds(rule.quick, values) == said


@pytest.mark.parametrize(
    "source",
    [
        "customer.orders > 1 || customer.known",
        "customer.orders + 1.0 > 2.0",
        "(customer.known)",
        'context.device.startsWith("m")',
    ],
)
def test_what_is_more_than_that_is_left_to_cel(source: str) -> None:
    assert parse(source).quick is None
    assert set(NAMES) >= parse(source).names
