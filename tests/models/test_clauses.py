"""Conditions as clauses: the same answers as CEL gives, one rule at a time and in a sieve of many."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.clauses import MOST_CLAUSES, call, clauses, holds
from models.rule_words import tokens_of
from models.rules import UNKNOWN, Rule, RuleFailedError, Value, context
from models.sieve import sieve
from models.toml import Place
from tests.models.rule_names import NAMES, parse

TEXTS = ("", "silver", "gold")
NUMBERS = (0.0, 1.5, 3.0, 900.0, UNKNOWN)
SIGNS = ["==", "!=", "<", "<=", ">", ">="]
comparisons = st.one_of(
    st.builds('customer.tier {} "{}"'.format, st.sampled_from(["==", "!="]), st.sampled_from(TEXTS)),
    st.builds("context.device {} 'mobile'".format, st.sampled_from(SIGNS)),
    st.lists(st.sampled_from(TEXTS), min_size=1, max_size=3).map(
        lambda tiers: f"customer.tier in [{', '.join(repr(tier) for tier in tiers)}]"
    ),
    st.builds(
        "{} {} {}".format,
        st.sampled_from(
            ["customer.orders", "cart.total", "spent(90)", 'days_since("view")', "views('red, (shoes', 7)"]
        ),
        st.sampled_from(SIGNS),
        st.sampled_from(["0", "1.5", "3", "900"]),
    ),
    st.sampled_from(["customer.known", "!customer.known", "customer.known == true", "customer.known != false"]),
    st.builds(
        "{} {} {}".format,
        st.sampled_from(
            [
                "cart.total + customer.orders",
                "(cart.total - customer.orders - 1.5) / 2.0",
                "spent(90) * (cart.total + 1.5)",
                "customer.orders",
            ]
        ),
        st.sampled_from(SIGNS),
        st.sampled_from(["1.5", "900", "cart.total", "cart.total * 2.0", "3.0 + spent(90)"]),
    ),
    st.builds(
        'context.device.{}("{}")'.format,
        st.sampled_from(["startsWith", "endsWith", "contains"]),
        st.sampled_from(["", "mo", "le", "b", "x"]),
    ),
)
rules = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        st.builds("({} && {})".format, inner, inner),
        st.builds("({} || {})".format, inner, inner),
        st.builds("!({})".format, inner),
    ),
    max_leaves=6,
)
numbers = st.sampled_from(NUMBERS)
situations = st.fixed_dictionaries(
    {
        "customer.tier": st.sampled_from(TEXTS),
        "customer.orders": numbers,
        "customer.known": st.booleans(),
        "cart.total": numbers,
        "context.device": st.sampled_from(["", "mobile", "tablet"]),
        "placement": st.just("home"),
        "spent(90)": numbers,
        'days_since("view")': numbers,
        "views('red, (shoes',7)": numbers,
    }
)


def by_cel(rule: Rule, values: dict[str, Value]) -> bool:
    windows = {call(name): value for name, value in values.items() if name.endswith(")")}
    functions = {function: lambda *given, f=function: windows[f, given] for function, _ in windows}
    plain = {name: value for name, value in values.items() if not name.endswith(")")}
    try:
        return rule.holds(context(plain, functions))
    except RuleFailedError:
        return False


@settings(deadline=None, max_examples=500)
@given(rules, situations)
def test_they_say_what_cel_says(source: str, values: dict[str, Value]) -> None:
    rule = parse(source)
    if rule.clauses is not None:  # None: there are too many, see below
        assert holds(rule.clauses, values) == by_cel(rule, values)


@settings(deadline=None, max_examples=200)
@given(st.lists(rules, min_size=1, max_size=12), situations, st.integers(0))
def test_a_sieve_says_it_of_all_at_once_and_names_what_it_reads(sources, values, asked):
    read = {
        n: own for n, source in enumerate(sources) if (own := clauses(tokens_of(source, Place("", "")))) is not None
    }
    asked &= (1 << len(sources)) - 1
    expected = sum(1 << n for n, own in read.items() if asked >> n & 1 and not holds(own, values))
    made = sieve(read, len(sources))
    assert made.failing([{name: values[name] for name in made.names}])[0] & asked == expected


@pytest.mark.parametrize(
    "source",
    [
        "customer.orders > 1 || customer.known",
        "(customer.known)",
        '!(context.device == "m" && cart.total > 3)',
        "((customer.orders > 1) && (cart.total < 3 || spent(7) > 2))",
        'context.device >= "m"',
        "customer.orders + 1.0 > 2.0",
        "(customer.orders - 1.0) * 2.0 > cart.total / 4.0 || customer.known",
        "customer.orders > cart.total",
        'context.device.startsWith("m")',
    ],
)
def test_what_is_plain_needs_no_cel(source: str) -> None:
    assert parse(source).clauses is not None


@pytest.mark.parametrize(
    "source",
    [
        "7 / 2 > customer.orders",  # whole numbers are divided otherwise
        "-customer.orders > 2.0",
        "2.0 < customer.orders",
        'context.device.matches("m.*")',
        "size(context.device) > 3",
        r'context.device.contains("a\"b")',
        r'context.device == "a\"b"',
        r"""views("a\"b", 7) > 1""",
        " || ".join(["(customer.known && cart.total > 1)"] * 6),  # 2^6 clauses
    ],
)
def test_what_is_more_than_that_is_left_to_cel(source: str) -> None:
    assert parse(source).clauses is None
    assert set(NAMES) >= parse(source).names


def test_a_rule_has_as_many_clauses_as_are_kept_at_most() -> None:
    most = parse(" || ".join(["(customer.known && cart.total > 1)"] * 5)).clauses
    assert most is not None
    assert len(most) == MOST_CLAUSES
