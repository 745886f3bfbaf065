"""Formulas: what a condition reckons of values, and asks of texts, as CEL does and without it.

    cart.total + customer.spent      customer.spent >= cart.total * 2.0      attributes.city.startsWith("B")

Signs + - * / with brackets, numbers with a point (CEL's whole ones reckon otherwise), division by a number that is not 0, a comparison of two
sides, and what a text begins with, ends with or holds. An unknown number (NaN) makes all unknown that is reckoned with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import add, contains, eq, ge, gt, itemgetter, le, lt, mul, ne, sub, truediv
from typing import Any, NamedTuple

from models.rule_words import Token, depths, enclosed

Value = str | float | bool
SIGNS: Mapping[str, Callable[[Any, Any], bool]] = {"==": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge}
METHODS: Mapping[str, Callable[[Any, Any], bool]] = {
    "startsWith": str.startswith,
    "endsWith": str.endswith,
    "contains": contains,
}
OPERATIONS: Mapping[str, Callable[[Any, Any], Value]] = {
    **{"+": add, "-": sub, "*": mul, "/": truediv},
    **SIGNS,
    **METHODS,
}


class Literal(NamedTuple):
    """A value that is written out."""

    value: Value


@dataclass(frozen=True)
class Formula:
    """Two sides and what is done with them; a side may be a name, whose value is looked up."""

    sign: str
    left: Formula | Literal | str
    right: Formula | Literal | str

    @cached_property
    def of(self) -> Callable[[Mapping[str, Value]], Value]:
        """Tells what it comes to with these values by name."""
        operation, left, right = OPERATIONS[self.sign], teller(self.left), teller(self.right)
        return lambda values: operation(left(values), right(values))


Side = Formula | Literal | str


def parts(side: Side) -> Iterator[Side]:
    """A side and all that is in it, the innermost first."""
    if isinstance(side, Formula):
        yield from (*parts(side.left), *parts(side.right))
    yield side


def depth(side: Side) -> int:
    """How deep formulas stand in each other; 0 for what is none."""
    return 1 + max(depth(side.left), depth(side.right)) if isinstance(side, Formula) else 0


def reckons(formula: Formula) -> bool:
    """Whether its words alone say that it is of numbers; two names may be texts."""
    return any(
        (isinstance(part, Formula) and part.sign in ("-", "*", "/"))
        or (isinstance(part, Literal) and isinstance(part.value, float))
        for part in parts(formula)
    )


def teller(side: Side) -> Callable[[Mapping[str, Value]], Value]:
    """What tells the value of a side from the values by name."""
    if isinstance(side, Formula):
        return side.of
    return (lambda _: side.value) if isinstance(side, Literal) else itemgetter(side)


def reckoned(part: Sequence[Token]) -> Side | None:
    """The side in these words; None where CEL must be asked. Calls of windowed functions are one name (models.clauses)."""
    if len(part) > 2 and enclosed(part):
        return reckoned(part[1:-1])
    for signs in ("+-", "*/"):
        joints = [at for at, depth in depths(part) if depth == 0 and part[at].kind == "sign" and part[at].text in signs]
        if joints:  # the last binds loosest: a - b - c is (a - b) - c
            return _joined(part[joints[-1]].text, reckoned(part[: joints[-1]]), reckoned(part[joints[-1] + 1 :]))
    return _alone(part[0]) if len(part) == 1 else None


def _joined(sign: str, left: Side | None, right: Side | None) -> Formula | None:
    if left is None or right is None or (sign == "/" and not (isinstance(right, Literal) and right.value)):
        return None
    return Formula(sign, left, right)


def _alone(token: Token) -> Side | None:
    if token.kind == "name" and token.text not in ("true", "false", "in"):
        return token.text
    return Literal(float(token.text)) if token.kind == "number" and "." in token.text else None


def asked_of_a_text(part: Sequence[Token]) -> Formula | None:
    """The question in `name.contains("text")` and its like; None for any other words."""
    if [token.kind for token in part] != ["call", "sign", "text", "sign"]:
        return None
    name, _, method = part[0].text.rpartition(".")
    return Formula(method, name, Literal(part[2].text[1:-1])) if name and method in METHODS else None
