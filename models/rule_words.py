"""The words of a rule: names, numbers, texts, signs and the brackets around them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from models.toml import Place

MOST_CHARACTERS = 1_000
MOST_DEPTH = 16
TOKEN = re.compile(
    r"""\s*(?:
    (?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
    |(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?!\w))
    |(?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)
    |(?P<sign>&&|\|\||==|!=|<=|>=|[-+*/<>!()\[\],.])
    )""",
    re.X,
)


class Token(NamedTuple):
    """One word of a rule: kind text, number, name, sign, or call for the name of a function; where it starts and ends."""

    kind: str
    text: str
    start: int
    end: int


def tokens_of(source: str, place: Place) -> list[Token]:
    """The words of a rule. Raises InputError at `place` for what is too long, too deep, empty, or no word."""
    if len(source) > MOST_CHARACTERS:
        raise place.error(f"{len(source)} characters are too long for a rule; at most {MOST_CHARACTERS}")
    tokens: list[Token] = []
    at, depth = 0, 0
    while at < len(source.rstrip()):
        found = TOKEN.match(source, at)
        if found is None:
            raise place.error(
                f'{source[at:].strip()[:20]!r} is not understood; a rule compares names, numbers and "texts"'
            )
        kind = str(found.lastgroup)
        at = found.end()
        called = kind == "name" and source[at:].lstrip().startswith("(") and found[kind] != "in"
        tokens.append(Token("call" if called else kind, found[kind], found.start(kind), at))
        depth += (found[kind] in "([") - (found[kind] in ")]")
        if depth > MOST_DEPTH:
            raise place.error(f"brackets deeper than {MOST_DEPTH}; write it flatter")
    if not tokens:
        raise place.error("is empty; leave `when` out for a rule that always holds")
    return tokens


def depths(tokens: Sequence[Token]) -> Iterator[tuple[int, int]]:
    """Each token's index, and how many brackets are open after it."""
    depth = 0
    for at, token in enumerate(tokens):
        depth += (token.text in ("(", "[")) - (token.text in (")", "]"))
        yield at, depth


def enclosed(tokens: Sequence[Token]) -> bool:
    """Whether one pair of brackets holds all of it."""
    return tokens[0].text == "(" and next(at for at, depth in depths(tokens) if depth == 0) == len(tokens) - 1
