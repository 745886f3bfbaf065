"""The sieve's tests as bounds: each sign means what it means between plain numbers, at the edges too."""

import math

import pytest

from models.clauses import Test as Asked
from models.formulas import SIGNS, Formula, Literal
from models.sieve import ABREAST, sieve

EDGES = [-math.inf, -1.5, -5e-324, 0.0, 5e-324, 1.0, 1.0000000000000002, 1.7976931348623157e308, math.inf]


@pytest.mark.parametrize("sign", SIGNS)
def test_a_sign_means_between_bounds_what_it_means_between_numbers(sign):
    found = sieve({number: ((Asked("x", sign, edge),),) for number, edge in enumerate(EDGES)}, len(EDGES))
    for value in (*EDGES, math.nan):
        holds = [SIGNS[sign](value, edge) for edge in EDGES]
        failing = found.failing([{"x": value}])[0]
        assert [not failing >> number & 1 for number in range(len(EDGES))] == holds


def test_values_that_are_asked_abreast_fail_as_each_alone():
    text, reckoned = Asked("t", "==", "b"), Asked(Formula("+", "x", Literal(1.0)), "<", 5.0)
    either = Asked(Formula("contains", "t", Literal("a")), "==", True), Asked("x", ">", 12.0)
    found = sieve({0: ((text,),), 3: ((reckoned,), either), 10: (either,)}, 11)
    several = [{"x": float(x), "t": "abc"[x % 3] * (x % 2)} for x in range(2 * ABREAST + 1)]
    alone = [found.failing([values])[0] for values in several]
    assert found.failing(several) == alone
    assert found.failing(several[:3]) == alone[:3]
    assert len(set(alone)) > 4
