"""Conditions as clauses: comparisons with plain values, joined by && || ! and brackets, mean the same without CEL, for many rules at once.

    customer.tier in ["gold", "silver"] && (customer.orders >= 2 || spent(90) > 500) && !context.vip

All clauses must hold, and of each clause one test (conjunctive normal form). A test may ask of a formula (models.formulas) what it asks of a
name; what is more than that (`matches`, `size`, whole numbers reckoned with) is CEL's. An unknown number (NaN) meets `!=` alone: where CEL
cannot compare, a rule does not hold either (Kleene's logic: a test that is undecided counts as false once all `!` stand at the tests
themselves). tests/models/test_clauses.py holds both to the same answers.
"""

from __future__ import annotations

from ast import literal_eval
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import product
from typing import Any, NamedTuple

from models.formulas import SIGNS, Formula, Literal, Value, asked_of_a_text, reckoned
from models.rule_words import Token, depths, enclosed

MOST_CLAUSES = 32  # of a rule: || over && multiplies them; what has more is CEL's
OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
FLAGS = {"true": True, "false": False}


class Test(NamedTuple):
    """What the value under a name, or of a formula, must meet; `name` may be a call, as in `spent(90)`."""

    name: str | Formula
    sign: str
    value: Value


Clause = tuple[Test, ...]  # one must hold
Clauses = tuple[Clause, ...]  # all must hold


def clauses(tokens: Sequence[Token]) -> Clauses | None:
    """The clauses of a rule; None where CEL must be asked."""
    return _read(folded(tokens), negated=False)


def holds(asked: Clauses, values: Mapping[str, Value]) -> bool:
    """Whether all of it holds."""
    return all(
        any(
            SIGNS[sign](name.of(values) if isinstance(name, Formula) else values[name], value)
            for name, sign, value in clause
        )
        for clause in asked
    )


@lru_cache(maxsize=4_096)
def call(name: str) -> tuple[str, tuple[Any, ...]]:
    """The function and the arguments in the name of a call."""
    function, _, inside = name.removesuffix(")").partition("(")
    return function, tuple(literal_eval(f"({inside},)"))


def folded(tokens: Sequence[Token]) -> list[Token]:
    """The tokens with each call of a windowed function as one name."""
    folded: list[Token] = []
    open_ = False
    for token in tokens:
        if open_:
            folded[-1] = folded[-1]._replace(text=folded[-1].text + token.text)
            open_ = token.text != ")"
        else:
            open_ = token.kind == "call" and "." not in token.text and token.text != "size"
            folded.append(token._replace(kind="name") if open_ else token)
    return folded


def _read(tokens: Sequence[Token], *, negated: bool) -> Clauses | None:
    for sign, widens in (("||", not negated), ("&&", negated)):
        parts = _split(tokens, sign)
        if len(parts) > 1:
            read = [_read(part, negated=negated) for part in parts]
            known = [part for part in read if part is not None]
            if len(known) < len(read):
                return None
            return _either(known) if widens else _bounded(clause for part in known for clause in part)
    if len(tokens) > 2 and tokens[0].text == "!" and enclosed(tokens[1:]):
        return _read(tokens[2:-1], negated=not negated)
    if tokens and enclosed(tokens):
        return _read(tokens[1:-1], negated=negated)
    return _comparison(tokens, negated=negated)


def _split(tokens: Sequence[Token], sign: str) -> list[Sequence[Token]]:
    """The parts between the signs that stand outside all brackets."""
    joints = [
        at for at, depth in depths(tokens) if depth == 0 and tokens[at].text == sign and tokens[at].kind == "sign"
    ]
    return [tokens[start + 1 : end] for start, end in zip([-1, *joints], [*joints, len(tokens)], strict=True)]


def _either(parts: Sequence[Clauses]) -> Clauses | None:
    """One of the parts must hold: every way to take a clause of each."""
    ways = 1
    for part in parts:
        ways *= len(part)
    if ways > MOST_CLAUSES:
        return None
    return tuple(tuple(test for clause in taken for test in clause) for taken in product(*parts))


def _bounded(found: Iterable[Clause]) -> Clauses | None:
    every = tuple(found)
    return every if len(every) <= MOST_CLAUSES else None


def _comparison(part: Sequence[Token], *, negated: bool) -> Clauses | None:
    kinds, texts = [token.kind for token in part], [token.text for token in part]
    if any("\\" in text for text in texts):
        return None  # escapes mean in CEL what CEL says
    if kinds == ["name"] and texts[0] not in FLAGS:
        return ((Test(texts[0], "==", not negated),),)
    if kinds == ["sign", "name"] and texts[0] == "!":
        return ((Test(texts[1], "==", negated),),)
    if kinds[:2] == ["name", "name"] and texts[1:3] == ["in", "["] and texts[-1] == "]":
        return _choice(texts[0], part[3:-1], negated=negated)
    if (question := asked_of_a_text(part)) is not None:
        return ((Test(question, "==", not negated),),)
    return _compared(part, negated=negated)


def _compared(part: Sequence[Token], *, negated: bool) -> Clauses | None:
    """A side against a value, or against another side: then the comparison is a formula of its own, that is true or false."""
    joints = [at for at, depth in depths(part) if depth == 0 and part[at].kind == "sign" and part[at].text in SIGNS]
    if len(joints) != 1:
        return None
    left, right = part[: joints[0]], part[joints[0] + 1 :]
    sign = OPPOSITE[part[joints[0]].text] if negated else part[joints[0]].text
    side, value = reckoned(left), _value(right[0]) if len(right) == 1 else None
    if side is None or isinstance(side, Literal):
        return None
    if value is not None:
        return ((Test(side, sign, value),),)
    other = reckoned(right)
    return None if other is None else ((Test(Formula(sign, side, other), "==", True),),)


def _choice(name: str, inside: Sequence[Token], *, negated: bool) -> Clauses | None:
    values = [_value(token) for token in inside[::2]]
    known = [value for value in values if value is not None]
    if len(known) < len(values) or any(token.text != "," for token in inside[1::2]):
        return None
    if negated:
        return _bounded((Test(name, "!=", value),) for value in known)
    return (tuple(Test(name, "==", value) for value in known),)


def _value(literal: Token) -> Value | None:
    """The value of a number, a flag or a text."""
    if literal.kind == "number":
        return float(literal.text)
    if literal.kind == "name":
        return FLAGS.get(literal.text)
    return literal.text[1:-1] if literal.kind == "text" else None
