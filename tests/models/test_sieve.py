"""The sieve's tests as bounds: each sign means what it means between plain numbers, at the edges too."""

import math

import pytest

from models.clauses import Test as Asked
from models.formulas import SIGNS
from models.sieve import sieve

EDGES = [-math.inf, -1.5, -5e-324, 0.0, 5e-324, 1.0, 1.0000000000000002, 1.7976931348623157e308, math.inf]


@pytest.mark.parametrize("sign", SIGNS)
def test_a_sign_means_between_bounds_what_it_means_between_numbers(sign):
    found = sieve({number: ((Asked("x", sign, edge),),) for number, edge in enumerate(EDGES)}, len(EDGES))
    for value in (*EDGES, math.nan):
        holds = [SIGNS[sign](value, edge) for edge in EDGES]
        failing = found.failing({"x": value})
        assert [not failing >> number & 1 for number in range(len(EDGES))] == holds
